#!/usr/bin/env bash
# sipsak asks for OPTIONS and registers with a password. Usage: sipsak_test.sh RINGWEIR
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
need sipsak python3
begin "$1"

# By the domain: sipsak drops the last digit of a five-digit port from the request URI it writes.
options() {
  timeout 20 sipsak -vv -p "127.0.0.1:$SIP_PORT" -s sip:example.com >"$WORK/options"
  grep -q '^SIP/2.0 200 ' "$WORK/options"
}
usrloc() { timeout 20 sipsak -i -U -C "$1" -u 100 -a "$2" -x "$3" -p "127.0.0.1:$SIP_PORT" -s sip:100@example.com; }
fails() { ! "$@"; }

expect "sipsak's OPTIONS gets 200" options
expect "sipsak is refused with a wrong password" fails usrloc sip:100@127.0.0.1:7777 wrong 60
expect "100 is not online" online 100 no
expect "sipsak registers 100 with its password" usrloc sip:100@127.0.0.1:7777 100 60
expect "100 is online" online 100 yes
finish
