#!/usr/bin/env bash
# baresip registers as 100 and, when it leaves, takes its binding back. Usage: baresip_test.sh RINGWEIR
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
need baresip python3
begin "$1"

mkdir "$WORK/phone"
modules=$(dirname "$(find / -xdev -path '*/baresip/modules/account.so' -print -quit 2>/dev/null)")
cat >"$WORK/phone/config" <<CONFIG
module_path $modules
module g711.so
module_tmp account.so
module_app menu.so
sip_listen 127.0.0.1:0
CONFIG
echo "<sip:100@example.com;transport=udp>;auth_user=100;auth_pass=100;outbound=\"sip:127.0.0.1:$SIP_PORT\";regint=600" \
  >"$WORK/phone/accounts"
touch "$WORK/phone/contacts"

HOME=$WORK baresip -4 -f "$WORK/phone" -v </dev/null >"$WORK/baresip.log" 2>&1 &
PHONE_PID=$!
trap 'kill "$PHONE_PID" 2>/dev/null || true; clean' EXIT

expect "baresip registers as 100" online 100 yes
kill -TERM "$PHONE_PID"
wait "$PHONE_PID" || true
expect "baresip saw its 200" grep -q '200 OK' "$WORK/baresip.log"
expect "baresip unregisters when it leaves" online 100 no
[ "$FAILED" -eq 0 ] || sed 's/^/# /' "$WORK/baresip.log"
finish
