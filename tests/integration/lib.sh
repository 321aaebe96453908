# Sourced by the tests that drive ringweir with somebody else's client.
# begin BINARY starts it; SIP_PORT, ADMIN_PORT and WORK are then set; finish says how it went.
# shellcheck shell=bash
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
FAILED=0
EDGE_PID=""

need() {
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "not ok - $program is not installed"; exit 1; }
  done
}

stop_edge() {
  if [ -n "$EDGE_PID" ]; then
    kill -TERM "$EDGE_PID" 2>/dev/null || true
    wait "$EDGE_PID" || true
    EDGE_PID=""
  fi
}

clean() {
  stop_edge
  rm -rf "$WORK"
}

begin() {
  local binary
  binary=$(realpath "$1")
  WORK=$(mktemp -d)
  trap clean EXIT
  read -r SIP_PORT ADMIN_PORT < <(python3 "$HERE/edge.py" write "$WORK")
  (cd "$WORK" && exec "$binary" serve --config "$WORK/edge.yaml") >"$WORK/edge.log" 2>&1 </dev/null &
  EDGE_PID=$!
  if ! python3 "$HERE/edge.py" ready "$ADMIN_PORT" 2>/dev/null; then
    cat "$WORK/edge.log"
    echo "not ok - ringweir is ready"
    exit 1
  fi
  echo "ok - ringweir is ready"
}

# online USER yes|no: waits until USER has a binding, or none.
online() { python3 "$HERE/edge.py" online "$SIP_PORT" "$1" "$2"; }

# expect NAME COMMAND...: the behaviour holds when the command succeeds.
expect() {
  local name=$1
  shift
  if "$@" >"$WORK/output" 2>&1; then
    echo "ok - $name"
  else
    echo "not ok - $name"
    sed 's/^/#   /' "$WORK/output" | tail -n 30
    FAILED=1
  fi
}

finish() {
  expect "ringweir still runs" kill -0 "$EDGE_PID"
  local status=0
  kill -TERM "$EDGE_PID" 2>/dev/null || true
  wait "$EDGE_PID" || status=$?
  EDGE_PID=""
  expect "ringweir stops cleanly on SIGTERM" test "$status" -eq 0
  exit "$FAILED"
}
