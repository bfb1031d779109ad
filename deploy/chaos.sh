#!/usr/bin/env bash
# The fault tests, longer than in `make test`: ROUNDS faults for each topology,
# the ones that SEED stands for. Without a seed there is a new one each time.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
export SETPOINT_CHAOS_SEED=${SEED:-$(date +%s)} SETPOINT_CHAOS_ROUNDS=${ROUNDS:-20}
# Faults last up to 30 s each, and what follows them as long again.
limit=$((10 + SETPOINT_CHAOS_ROUNDS * 3))m

echo "make chaos SEED=$SETPOINT_CHAOS_SEED ROUNDS=$SETPOINT_CHAOS_ROUNDS"
status=0
run() {
	(cd "$1" && "$go" test -race -gcflags='modernc.org/sqlite/lib=-race=false' -count=1 -timeout "$limit" -v -run "$2" "$3") |
		{ grep -v '^=== ' || true; } || status=1
}
run services '^(TestFaultsUnderWriters|TestADamagedReplica|TestCommitsSurviveKillWholeOrNotAtAll)$' ./internal/eventlog
run e2e '^(TestChaos.*|TestDamage.*|TestTheClockJumps|TestAFullDisk|TestPostgres.*)$' .
[ $status = 0 ] || echo "FAILED; repeat with: make chaos SEED=$SETPOINT_CHAOS_SEED ROUNDS=$SETPOINT_CHAOS_ROUNDS"
exit $status
