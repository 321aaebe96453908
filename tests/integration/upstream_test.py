#!/usr/bin/env python3
"""The command line on a balancer's targets: ls, drain, undrain, why, top, and their metrics. Usage: upstream_test.py RINGWEIR"""
import http.client
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from calls import Report
from edge import DEADLINE_S, free_port, is_ready, until


class Target:
    """Answers OPTIONS and INVITE with 200 until told to be silent."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.port = self.socket.getsockname()[1]
        self.uri = f"sip:127.0.0.1:{self.port}"
        self.invites = 0
        self.silent = self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended:
            try:
                data, peer = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            text = data.decode()
            method = text.split(" ", 1)[0]
            if self.silent or method not in ("OPTIONS", "INVITE"):
                continue
            self.invites += method == "INVITE"
            lines = text.split("\r\n\r\n")[0].split("\r\n")[1:]
            kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq", "Record-Route")]
            to = [line + ";tag=t" for line in lines if line.startswith("To:")]
            answer = ["SIP/2.0 200 OK", *kept, *to, f"Contact: <{self.uri}>", "Content-Length: 0", "", ""]
            self.socket.sendto("\r\n".join(answer).encode(), peer)

    def stop(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


class World:
    def __init__(self, binary, targets):
        self.binary, self.targets = binary, targets
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringweir-upstream-"))
        self.port, self.admin_port = free_port(), free_port(socket.SOCK_STREAM)
        self.config = self.folder / "edge.yaml"
        self.write(targets)
        self.caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.caller.bind(("127.0.0.1", 0))
        self.caller.settimeout(DEADLINE_S)
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen([binary, "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        until("ready", lambda: self.process.poll() is not None or is_ready(self.admin_port))

    def write(self, targets, upstream="pbx"):
        listed = ", ".join(f'{{ uri: "{target.uri}" }}' for target in targets)
        self.config.write_text(f"""version: 1
node: {{ shards: 2, pin: false }}
listeners: [ {{ name: sip, bind: "127.0.0.1:{self.port}" }} ]
upstreams:
  - {{ name: {upstream}, algorithm: round_robin, targets: [ {listed} ], health: {{ every: 50ms, timeout: 200ms, fail: 2, rise: 1 }} }}
routes: [ {{ match: {{ user: "9*" }}, do: {{ forward: {upstream}, strip: 1 }} }} ]
admin: {{ bind: "127.0.0.1:{self.admin_port}" }}
""")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self.log.close()
            self.caller.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, admin=True):
        where = ["--admin", f"127.0.0.1:{self.admin_port}"] if admin else []
        done = subprocess.run([self.binary, *arguments, *where], capture_output=True, text=True, timeout=DEADLINE_S)
        return done.returncode, done.stdout, done.stderr

    def rows(self):
        code, out, err = self.run("upstream", "ls", "-o", "json")
        assert code == 0, err
        return [target for upstream in json.loads(out) for target in upstream["targets"]]

    def row(self, target):
        return next(row for row in self.rows() if row["endpoint"] == f"127.0.0.1:{target.port}")

    def call(self, call_id):
        host, port = self.caller.getsockname()
        self.caller.sendto((f"INVITE sip:9100@127.0.0.1:{self.port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{call_id}\r\n"
                            f"Max-Forwards: 70\r\nFrom: <sip:a@{host}>;tag=f\r\nTo: <sip:9100@{host}>\r\nCall-ID: {call_id}\r\n"
                            f"CSeq: 1 INVITE\r\nContact: <sip:a@{host}:{port}>\r\nContent-Length: 0\r\n\r\n").encode(),
                           ("127.0.0.1", self.port))
        while True:
            text = self.caller.recv(65536).decode()
            if f"Call-ID: {call_id}\r\n" in text and not text.startswith("SIP/2.0 1"):
                return int(text.split(" ")[1])

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=DEADLINE_S)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


def listing(world, report, one, two):
    until("both probed", lambda: all(row["probes"]["good"] >= 2 for row in world.rows()))
    report.expect("ls shows both targets up, with their last probe",
                  all(row["state"] == "up" and row["last_probe"]["status"] == 200 for row in world.rows()), world.rows())
    statuses = [world.call(f"call-{n}@test") for n in range(4)]
    report.expect("calls are spread over both", statuses == [200] * 4 and one.invites == 2 and two.invites == 2,
                  (statuses, one.invites, two.invites))
    until("answers counted", lambda: sum(row["responses"]["2xx"] for row in world.rows()) == 4)
    code, out, _ = world.run("upstream", "ls", "pbx")
    report.expect("ls has a table", code == 0 and out.startswith("UPSTREAM") and out.count("\n") == 3 and " up " in out, out)
    code, _, err = world.run("upstream", "ls", "pbxx")
    report.expect("ls of an upstream that is not there fails", code == 1 and "pbxx" in err, err)


def draining(world, report, one, two):
    code, out, err = world.run("upstream", "drain", "pbx", f"127.0.0.1:{one.port}")
    report.expect("drain says what goes on", code == 0 and "draining" in out, out + err)
    before = one.invites, two.invites
    statuses = [world.call(f"drained-{n}@test") for n in range(4)]
    report.expect("a drained target gets no new call", statuses == [200] * 4 and one.invites == before[0] and two.invites == before[1] + 4,
                  (statuses, before, one.invites, two.invites))
    report.expect("ls says so", world.row(one)["state"] == "draining")
    world.write([one, two])
    code, out, err = world.run("reload")
    report.expect("a reload keeps it drained", code == 0 and world.row(one)["state"] == "draining", out + err)
    code, out, err = world.run("upstream", "undrain", "pbx", one.uri)
    report.expect("undrain by the URI brings it back", code == 0 and world.row(one)["state"] == "up", out + err)
    code, _, err = world.run("upstream", "drain", "pbx", "192.0.2.77")
    report.expect("drain of what is no target fails", code == 1 and "192.0.2.77" in err, err)


def reasons(world, report):
    code, out, err = world.run("upstream", "why", "call-1@")
    report.expect("why says why a call went where it did", code == 0 and "call-1@test" in out and "it was its turn" in out, out + err)
    code, out, err = world.run("upstream", "why", "call-1@test", "-o", "json")
    kinds = [each["kind"] for each in json.loads(out)] if code == 0 else err
    report.expect("and as json", kinds[:1] == ["began"], kinds)
    code, _, err = world.run("upstream", "why", "nobody")
    report.expect("why of an unknown call fails", code == 1 and "no decision" in err, err)
    code, _, err = world.run("upstream", "why", "call-")
    report.expect("why of a beginning that many share asks for more", code == 1 and "4 calls" in err, err)


def figures(world, report, one):
    calling = threading.Thread(target=lambda: [world.call(f"top-{n}@test") for n in range(50)])
    calling.start()
    code, out, err = world.run("top", "--once", "--interval", "0.2")
    calling.join()
    report.expect("top prints shards and upstreams", code == 0 and "REQUESTS/S" in out and f"127.0.0.1:{one.port}" in out, out + err)
    text = world.metrics()
    for needle in (f'ringweir_target_up{{upstream="pbx",target="127.0.0.1:{one.port}"}} 1',
                   f'ringweir_target_responses_total{{upstream="pbx",target="127.0.0.1:{one.port}",class="2xx"}}',
                   'ringweir_probes_total{outcome="answered"}', "ringweir_failovers_total 0",
                   'ringweir_transactions_total{machine="invite_server"}'):
        report.expect(f"metrics have {needle.split('{')[0]}", needle in text, "\n".join(l for l in text.splitlines() if "target" in l or "trans" in l))


def changing(world, report, one, two):
    one.silent = True
    until("down", lambda: world.row(one)["state"] == "down")
    before = two.invites
    statuses = [world.call(f"down-{n}@test") for n in range(3)]
    report.expect("a target that is silent gets nothing", statuses == [200] * 3 and two.invites == before + 3, statuses)
    one.silent = False
    until("up", lambda: world.row(one)["state"] == "up")
    report.expect("and comes back when it answers", True)
    world.write([two], "farm")
    code, out, err = world.run("reload")
    report.expect("a reload that changes upstreams says what changed",
                  code == 0 and "upstreams.farm.algorithm: none -> round_robin" in out and "upstreams.pbx.algorithm: round_robin -> none" in out
                  and "forward pbx, strip 1 -> " in out, out + err)
    report.expect("and takes effect", world.call("moved@test") == 200 and len(world.rows()) == 1)
    world.config.write_text(world.config.read_text().replace("forward: farm", "forward: frm"))
    code, out, err = world.run("reload")
    report.expect("one with a mistake changes nothing", code == 2 and "did you mean 'farm'" in err and world.call("kept@test") == 200,
                  out + err)


def main():
    report = Report()
    one, two = Target(), Target()
    try:
        with World(sys.argv[1], [one, two]) as world:
            listing(world, report, one, two)
            draining(world, report, one, two)
            reasons(world, report)
            figures(world, report, one)
            changing(world, report, one, two)
    finally:
        one.stop()
        two.stop()
    report.exit()


if __name__ == "__main__":
    main()
