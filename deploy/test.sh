#!/usr/bin/env bash
# Runs every test of every module, with the race detector. What cannot run on
# this machine is said here, because go test tells nobody what it skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

echo "== the demo's scripts parse"
for f in deploy/*.sh .ci/run; do bash -n "$f"; done

# install NAME PACKAGE…: fails where there is no apt-get, or it fails.
install() {
	command -v apt-get >/dev/null || return 1
	echo "== installing $1"
	shift
	local as_root=
	[ "$(id -u)" = 0 ] || as_root=sudo
	$as_root apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The record's tests need a PostgreSQL server: one that is named, or the
# programs of one.
if [ -z "${SETPOINT_TEST_POSTGRES_URL:-}" ] && ! command -v initdb >/dev/null &&
	! ls /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb >/dev/null 2>&1; then
	if command -v apt-get >/dev/null; then
		as_root=
		[ "$(id -u)" = 0 ] || as_root=sudo
		# The package would start a server of its own, which nobody asked for.
		$as_root mkdir -p /etc/postgresql-common
		[ -e /etc/postgresql-common/createcluster.conf ] ||
			echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
	fi
	install PostgreSQL postgresql || echo "== PostgreSQL is missing and could not be installed: its tests will fail"
fi

# The sheet that goes round is saved by a spreadsheet program.
command -v soffice >/dev/null || install LibreOffice libreoffice-calc ||
	echo "== NOT RUN: the sheet's round trip through LibreOffice, as there is no soffice and it could not be installed"

data=${SETPOINT_DATA:-../shared/data}
[ -d "$data" ] || echo "== NOT RUN: the tests on other organizations' plans, as there is no folder $data (set SETPOINT_DATA)"
timeout 10 docker info >/dev/null 2>&1 || echo "== NOT RUN: the suites in containers, unless another Docker engine than that of the command docker answers"

# A gate gives the same answer for the same commit: the properties' cases are drawn
# from one seed here, and from ever new ones by make properties.
export RAPID_SEED=${RAPID_SEED:-20261126}

# What runs beside others waits, mostly: for servers that are stopped, cut off
# or full. As many as there are processors would wait one after the other.
for m in proto services e2e; do
	echo "== $m"
	(cd "$m" && "$go" test -parallel 6 -race -gcflags='modernc.org/sqlite/lib=-race=false' -timeout 60m ./...)
done

echo "== e2e: the journeys again, on split targets"
(cd e2e && SETPOINT_E2E_TOPOLOGY=split "$go" test -race -gcflags='modernc.org/sqlite/lib=-race=false' -timeout 60m .)
