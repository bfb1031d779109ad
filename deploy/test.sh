#!/usr/bin/env bash
# Runs every test of every module, with the race detector. A test that cannot
# run fails: nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

echo "== the demo's scripts parse"
for f in deploy/*.sh .ci/run; do bash -n "$f"; done

data=${SETPOINT_DATA:-../shared/data}
[ -d "$data" ] || echo "== NOT RUN: the tests on other organizations' plans, as there is no folder $data (set SETPOINT_DATA)"

for m in proto services e2e; do
	echo "== $m"
	(cd "$m" && "$go" test -race -gcflags='modernc.org/sqlite/lib=-race=false' -timeout 20m ./...)
done

echo "== e2e: the journeys again, on split targets"
(cd e2e && SETPOINT_E2E_TOPOLOGY=split "$go" test -race -gcflags='modernc.org/sqlite/lib=-race=false' -timeout 20m .)
