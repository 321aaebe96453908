#!/usr/bin/env bash
# SIPp's calls through the scenario files, all of them successful. Usage: sipp_test.sh RINGWEIR
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
need sipp python3
begin "$1"

# The scenarios' lines: user; right credentials; wrong ones. In wrong.csv both are wrong.
right='[authentication username=%s password=%s]'
wrong='[authentication username=%s password=not-it]'
{
  echo SEQUENTIAL
  # shellcheck disable=SC2059
  for user in 100 101 102; do printf "$user;$right;$wrong;\n" "$user" "$user" "$user"; done
} >"$WORK/sipp.csv"
# shellcheck disable=SC2059
printf "SEQUENTIAL\n100;$wrong;$wrong;\n" 100 100 >"$WORK/wrong.csv"

# One call at a time: the calls of a user share an address of record. A failed call makes SIPp exit with an error.
scenario() {
  timeout 60 sipp -sf "$ROOT/perf/scenarios/sipp/$1.xml" "127.0.0.1:$SIP_PORT" -i 127.0.0.1 -inf "$WORK/$2" \
    -m "$3" -l 1 -r 1000 -timeout 30s -timeout_error -nostdin -recv_timeout 5000
}
fails() { ! "$@"; }

cd "$WORK"
for name in options register register-unregister query; do
  expect "SIPp $name: 30 calls succeed" scenario "$name" sipp.csv 30
done
# Five wrong passwords a user and source are answered as any; then who guesses is told to wait (limits.failed_auth).
expect "SIPp wrong-password: 15 calls are challenged again" scenario wrong-password sipp.csv 15
expect "SIPp wrong-password: the sixth of a user is not" fails scenario wrong-password sipp.csv 1
expect "SIPp register fails with a wrong password" fails scenario register wrong.csv 1
finish
