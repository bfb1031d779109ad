#!/usr/bin/env bash
# The demo: GSA's published plan is declared, its real observations are loaded,
# and the gap report comes out. With ONCE=1 it stops after the report.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-out}
listen=${LISTEN:-127.0.0.1:8080}
asof=2018-12-31
plan=services/examples/gsa
mkdir -p "$out"

# A finished run's port may still be taken by somebody's server: with ONCE=1
# any free port will do.
[ "${ONCE:-}" = 1 ] && listen=127.0.0.1:0

data=$(mktemp -d "${TMPDIR:-/tmp}/setpoint-demo.XXXXXX")
./bin/setpoint dev --data "$data" --listen "$listen" >"$data/server.log" 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$data"; }
trap stop EXIT
trap 'exit 130' INT TERM

url=
for _ in $(seq 1 1200); do
	url=$(sed -n 's/.* answers at \(http[^ ]*\) .*/\1/p' "$data/server.log")
	[ -n "$url" ] && break
	kill -0 "$server" 2>/dev/null || { cat "$data/server.log" >&2; exit 1; }
	sleep 0.1
done
[ -n "$url" ] || { echo "the service did not start within two minutes:" >&2; cat "$data/server.log" >&2; exit 1; }

sp() { echo "\$ setpoint $*"; ./bin/setpoint --server "$url" "$@"; }
sp apply -f "$plan/plan" --yes
sp observe -f "$plan/observations.csv"
sp gaps --strategy gsa-2018-2022 --as-of "$asof"
for format in md html json; do
	sp report gap --strategy gsa-2018-2022 --as-of "$asof" --format "$format" -o "$out/gap-report.$format"
done
echo
echo "The report is in $out/gap-report.html (also .md and .json)."
[ "${ONCE:-}" = 1 ] && exit 0
echo "The service keeps running at $url; Ctrl-C stops it. Try:"
echo "  ./bin/setpoint --server $url describe target fedramp-2020 --as-of $asof"
wait "$server"
