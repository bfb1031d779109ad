#!/usr/bin/env bash
# A target off track, an initiative that is to close it, and the people it takes.
# Needs a running service (setpoint dev) and setpoint on the path.
set -euo pipefail
cd "$(dirname "$0")"
report=${1:-helpdesk-report.html}

setpoint apply -f plan --yes
setpoint observe -f observations.csv

setpoint initiative approve knowledge-base --at 2026-03-01
setpoint initiative start knowledge-base --at 2026-03-02
setpoint initiative milestone knowledge-base pilot --done --at 2026-04-24 --evidence "first answers in use"

setpoint change wave open write-it-down spring --at 2026-05-01
setpoint change survey import write-it-down spring spring.csv
setpoint change wave close write-it-down spring --at 2026-05-12
setpoint change describe write-it-down

setpoint initiative coverage --as-of 2026-05-15
setpoint describe target hours-to-resolve --as-of 2026-05-15
setpoint report gap --as-of 2026-05-15 --format html -o "$report"
