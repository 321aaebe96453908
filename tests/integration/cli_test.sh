#!/usr/bin/env bash
# The command line against a running ringweir, and without one. Usage: cli_test.sh RINGWEIR
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
need python3
BINARY=$(realpath "$1")
begin "$1"
ADMIN=127.0.0.1:$ADMIN_PORT

r() { timeout 20 "$BINARY" "$@"; }
at() { timeout 20 "$BINARY" "$@" --admin "$ADMIN"; }
# exits CODE COMMAND...
exits() {
  local wanted=$1 got=0
  shift
  "$@" || got=$?
  [ "$got" -eq "$wanted" ] || { echo "exit $got, not $wanted: $*"; return 1; }
}
# says TEXT COMMAND...: exits 0 and prints TEXT somewhere.
says() {
  local text=$1 heard
  shift
  heard=$("$@") || { echo "exit $?: $*"; return 1; }
  grep -qF -- "$text" <<<"$heard" || { echo "no '$text' in: $heard"; return 1; }
}
complains() {
  local text=$1 heard got=0
  shift
  heard=$("$@" 2>&1 >/dev/null) || got=$?
  [ "$got" -ne 0 ] || { echo "exit 0: $*"; return 1; }
  grep -qF -- "$text" <<<"$heard" || { echo "no '$text' in: $heard"; return 1; }
}
register() { (cd "$HERE" && python3 - "$SIP_PORT" "$1" <<'PYTHON'
import sys
from phone import Phone
with Phone("127.0.0.1", int(sys.argv[1]), sys.argv[2]) as phone:
    sys.exit(phone.register().status != 200)
PYTHON
); }

# Usage.
commands=$(r --help | sed -n '/^Subcommands:/,/^$/p' | awk 'NR > 1 && NF { print $1 }')
each_has_help() {
  local command inner
  for command in $commands; do
    says "Example: ringweir $command" r "$command" --help || return 1
    for inner in $(r "$command" --help | sed -n '/^Subcommands:/,/^$/p' | awk 'NR > 1 && NF { print $1 }'); do
      says "Example: ringweir $command $inner" r "$command" "$inner" --help || return 1
      grep -q "\"$command $inner\"\|\"$command $inner\"\*" "$ROOT/deploy/completion/ringweir.bash" || { echo "completion: $command $inner"; return 1; }
      grep -q "\"$command $inner\"" "$ROOT/deploy/man/ringweir.1" || { echo "man page: $command $inner"; return 1; }
    done
    grep -qw -- "$command" "$ROOT/deploy/man/ringweir.1" || { echo "man page: $command"; return 1; }
    grep 'words="serve ' "$ROOT/deploy/completion/ringweir.bash" | grep -qw -- "$command" || { echo "completion: $command"; return 1; }
  done
}
expect "every command has help with an example, a completion and a place in the man page" each_has_help
expect "no command at all is a usage error" exits 2 r
expect "an unknown command is a usage error" exits 2 r frobnicate
expect "an unknown option is a usage error" exits 2 r reg ls --frobnicate
expect "serve needs a configuration or the lab" exits 2 r serve
expect "a format that is none is a usage error" exits 2 r status -o xml
expect "--version says it" says "ringweir " r --version

# Without a process.
expect "check says in one line what a good file is" says "good: " r check "$WORK/edge.yaml"
printf 'version: 1\nlisteners: 7\nroots: []\n' >"$WORK/bad.yaml"
expect "check of a bad file exits 2" exits 2 r check "$WORK/bad.yaml"
expect "check names file, line and column" complains "bad.yaml:2:12: " r check "$WORK/bad.yaml"
expect "check prints every error" complains "bad.yaml:3:1: " r check "$WORK/bad.yaml"
expect "check of no file exits 2" exits 2 r check "$WORK/none.yaml"
expect "doctor finds a free port" says "io_uring" r doctor --config <(sed "s/127.0.0.1:$SIP_PORT/127.0.0.1:0/" "$WORK/edge.yaml" | sed "s|users.csv|$WORK/users.csv|")
expect "doctor finds a port in use fatal" exits 1 r doctor --config "$WORK/edge.yaml"
expect "doctor speaks JSON" exits 0 bash -c "'$BINARY' doctor -o json | python3 -m json.tool"

cat >"$WORK/request.sip" <<'MESSAGE'
REGISTER sip:192.168.1.132 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.114:16938;branch=z9hG4bK-d8754z-5509a16f1ceae597-1---d8754z-;rport
To: "101"<sip:101@192.168.1.132>
From: "101"<sip:101@192.168.1.132>;tag=aafd535b
Call-ID: MDhjYTg0NzVmODk0ZGNhYzI0YTMyYjE0ZTE1ZTZkODk.
CSeq: 2 REGISTER
Proxy-Authorization: Digest username="101",realm="myvoipapp.com",nonce="18bf67854ae23d6d2cd772af69535f91",uri="sip:192.168.1.132",response="581842f465276cd5fa908061d7bf2f69",algorithm=MD5
Content-Length: 0

MESSAGE
expect "digest explain matches a captured request" says MATCH r digest explain "$WORK/request.sip" --password 101
expect "digest explain reads standard input" exits 0 bash -c "'$BINARY' digest explain - --password 101 <'$WORK/request.sip'"
expect "digest explain with a wrong password exits 1" exits 1 r digest explain "$WORK/request.sip" --password 102
expect "digest explain of no file exits 2" exits 2 r digest explain "$WORK/none.sip" --password 101
expect "digest explain without a secret is a usage error" exits 2 r digest explain "$WORK/request.sip"

expect "users add prints a line" says "103,secret" r users add 103 --password secret
expect "users add takes the password from standard input" says "103,MD5," bash -c "echo secret | '$BINARY' users add 103 --realm example.com"
expect "users ls reads a configuration" says 102 r users ls --config "$WORK/edge.yaml"

# With one.
expect "status says it is ready" says "ready" at status
expect "status speaks JSON" says '"shards"' at status -o json
expect "the admin address comes from a configuration too" says "ready" r status --config "$WORK/edge.yaml"
expect "nobody is registered" complains "nothing is registered for 100" at reg show 100
expect "recording is switched on" says "recording" at trace record on
expect "100 registers" register 100
expect "reg ls lists it" says "100@example.com" at reg ls
expect "reg ls takes a pattern" says "100@example.com" at reg ls '1*@example.com'
expect "reg show takes the user alone" says "cseq" at reg show 100
expect "reg show speaks JSON" says '"aor": "100@example.com"' at reg show 100@example.com -o json
call_id=$(at reg show 100 -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["bindings"][0]["call_id"])')
expect "trace call draws the ladder" says "401 Unauthorized --|" at trace call "$call_id"
expect "trace call takes a unique beginning" says "200 OK --|" at trace call "${call_id:0:${#call_id}-1}"
expect "trace call shows no escape sequences in a file" exits 1 bash -c "'$BINARY' trace call '$call_id' --admin '$ADMIN' | grep -q $'\x1b'"
expect "trace call -v has the text" says "WWW-Authenticate: Digest" at trace call "$call_id" -v
expect "trace call of an unknown Call-ID fails" exits 1 at trace call no-such-call
expect "users ls lists names" says 101 at users ls
expect "a user is added to the file" says "added" r users add 103 --password 103 --file "$WORK/users.csv"
expect "a user is not added twice" exits 1 r users add 103 --password 103 --file "$WORK/users.csv"
expect "reload says what changed" says "users: 3 -> 4" at reload
expect "the new user registers" register 103
cp "$WORK/edge.yaml" "$WORK/good.yaml"
echo 'nonsense: 1' >>"$WORK/edge.yaml"
expect "reload of a bad file is refused with the place" complains "edge.yaml:" at reload
expect "reload of a bad file exits 2" exits 2 at reload
cp "$WORK/good.yaml" "$WORK/edge.yaml"
expect "the phones are still there" says "103@example.com" at reg ls

tail_while_registering() {
  at trace tail --count 4 -v >"$WORK/tail" &
  local tail_pid=$!
  # Registers until the follower has seen enough: nothing tells when it has attached.
  for _ in $(seq 50); do
    register 101 || return 1
    kill -0 "$tail_pid" 2>/dev/null || break
  done
  wait "$tail_pid" && grep -q "REGISTER sip:" "$WORK/tail" && grep -q "CSeq: " "$WORK/tail"
}
expect "trace tail shows messages as they come" tail_while_registering
expect "recording is switched off again" says "not recording" at trace record off
expect "nobody at the admin address is a failure that names it" complains "127.0.0.1:1:" r status --admin 127.0.0.1:1
finish
