#!/usr/bin/env python3
"""Starts ringweir for a test, on free ports, in a folder of its own, and says when it is ready.

From a shell (lib.sh):  edge.py write FOLDER        writes edge.yaml and users.csv, prints SIP_PORT ADMIN_PORT
                        edge.py ready ADMIN_PORT    waits for /readyz
                        edge.py online SIP_PORT USER yes|no   waits until USER has a binding, or none
"""
import http.client
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 20
USERS = ("100", "101", "102")


def free_port(kind=socket.SOCK_DGRAM, host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def config(port, admin_port, *, host="127.0.0.1", domain="example.com", realm="example.com", challenge="www",
           algorithms="MD5", lifetime="5m", limits="", shards=2, io="auto",
           check_uri="false"):
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"""version: 1
node: {{ shards: {shards}, pin: false, io: {io} }}
listeners:
  - {{ name: sip, bind: "{bind}", transport: [udp] }}
domains: [{domain}]
auth:
  realm: {realm}
  algorithms: [{algorithms}]
  challenge: {challenge}
  methods: [REGISTER]
  check_uri: {check_uri}
  nonce: {{ lifetime: {lifetime}, replay: strict }}
  users: {{ csv: users.csv }}
registrar: {{ min_expires: 60s, default_expires: 1h, max_expires: 2h, max_contacts: 4 }}
routes:
  - {{ match: {{ method: REGISTER }}, do: {{ register: local }} }}
  - {{ match: {{ domain: local }}, do: {{ lookup: location, else: {{ reply: 404 }} }} }}
  - {{ do: {{ reply: 403 }} }}
{limits}admin: {{ bind: "127.0.0.1:{admin_port}" }}
"""


def write(folder, make=config, **settings):
    """make(port, admin_port, **settings) is the configuration's text."""
    port = free_port(host=settings.get("host", "127.0.0.1"))
    admin_port = free_port(socket.SOCK_STREAM)
    folder = pathlib.Path(folder)
    (folder / "users.csv").write_text("".join(f"{user},{user}\n" for user in USERS))
    (folder / "edge.yaml").write_text(make(port, admin_port, **settings))
    return port, admin_port


def until(what, condition):
    """Asks again until it is so; the deadline is a failure."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)  # between questions, never in place of one
    raise TimeoutError(f"not within {DEADLINE_S} s: {what}")


def is_ready(admin_port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", admin_port, timeout=1)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


class Edge:
    """with Edge(binary, ...) as edge: edge.host, edge.port"""

    def __init__(self, binary, **settings):
        self.host = settings.get("host", "127.0.0.1")
        self.domain = settings.get("domain", "example.com")
        self.folder = tempfile.mkdtemp(prefix="ringweir-test-")
        self.port, self.admin_port = write(self.folder, **settings)
        self.log = open(f"{self.folder}/log", "w")
        self.process = subprocess.Popen([str(pathlib.Path(binary).resolve()), "serve", "--config", f"{self.folder}/edge.yaml"], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def __enter__(self):
        try:
            until("ready", lambda: self.process.poll() is not None or is_ready(self.admin_port))
            if self.process.poll() is not None:
                raise RuntimeError("ringweir ended: " + pathlib.Path(self.log.name).read_text())
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.stopped_with = self.process.wait(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.stopped_with = self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(arguments):
    if arguments[0] == "write":
        print(*write(arguments[1]))
    elif arguments[0] == "ready":
        until("ready", lambda: is_ready(int(arguments[1])))
    elif arguments[0] == "online":
        from phone import Phone
        port, user, wanted = int(arguments[1]), arguments[2], arguments[3] == "yes"
        with Phone("127.0.0.1", port, user) as phone:
            until(f"{user} online: {wanted}", lambda: bool(phone.query().contacts()) == wanted)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:] or ["help"])
