#!/usr/bin/env python3
"""SIGTERM over real sockets: nothing new begins, what is under way ends, and that has a bound. Usage: drain_test.py RINGWEIR"""
import http.client
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from calls import Report
from edge import DEADLINE_S, free_port, is_ready, until


def config(port, admin_port, target_port, drain):
    return f"""version: 1
node: {{ shards: 2, pin: false, drain: {drain} }}
listeners: [ {{ name: sip, bind: "127.0.0.1:{port}" }} ]
upstreams: [ {{ name: pbx, targets: [ {{ uri: "sip:127.0.0.1:{target_port}" }} ], health: {{ every: 0s }} }} ]
routes: [ {{ do: {{ forward: pbx }} }} ]
admin: {{ bind: "127.0.0.1:{admin_port}" }}
"""


class World:
    """An edge, a target that answers when it is told to, and a caller."""

    def __init__(self, binary, drain):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringweir-drain-"))
        self.target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (self.target, self.caller):
            each.bind(("127.0.0.1", 0))
            each.settimeout(DEADLINE_S)
        self.port, self.admin_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        (self.folder / "edge.yaml").write_text(config(self.port, self.admin_port, self.target.getsockname()[1], drain))
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen([binary, "serve", "--config", str(self.folder / "edge.yaml")], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        until("ready", lambda: self.process.poll() is not None or is_ready(self.admin_port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for each in (self.target, self.caller, self.log):
            each.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def invite(self, number):
        host, port = self.caller.getsockname()
        self.caller.sendto((f"INVITE sip:9@127.0.0.1:{self.port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{number}\r\n"
                            f"Max-Forwards: 70\r\nFrom: <sip:a@{host}>;tag=f{number}\r\nTo: <sip:9@{host}>\r\n"
                            f"Call-ID: drain-{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{host}:{port}>\r\n"
                            "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.port))

    def answer_of(self, number):
        """The final response to one INVITE; the others' are dropped."""
        while True:
            text = self.caller.recv(65536).decode()
            if f"Call-ID: drain-{number}\r\n" in text and not text.startswith("SIP/2.0 1"):
                return text

    def invite_at_target(self):
        while True:
            data, edge = self.target.recvfrom(65536)
            if data.startswith(b"INVITE "):
                return data.decode(), edge

    def readiness(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=DEADLINE_S)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def asked_to_stop(self):
        self.process.send_signal(signal.SIGTERM)
        until("not ready", lambda: self.readiness()[0] == 503)


def what_is_under_way_ends(binary, report):
    with World(binary, "60s") as world:
        world.invite(1)
        request, edge = world.invite_at_target()
        world.asked_to_stop()
        report.expect("a draining edge is not ready and says why", "draining" in world.readiness()[1])
        world.invite(2)
        refused = world.answer_of(2)
        report.expect("a new INVITE is answered 503 with Retry-After while it drains",
                      refused.startswith("SIP/2.0 503 ") and "\r\nRetry-After: " in refused, refused)
        report.expect("it waits for the transaction under way", world.process.poll() is None)
        lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
        kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq", "Record-Route")]
        to = [line + ";tag=t" for line in lines if line.startswith("To:")]
        world.target.sendto("\r\n".join(["SIP/2.0 486 Busy Here", *kept, *to, "Content-Length: 0", "", ""]).encode(), edge)
        answer = world.answer_of(1)
        report.expect("the caller gets the answer of the call under way", answer.startswith("SIP/2.0 486 "), answer)
        report.expect("then it exits with 0", world.process.wait(DEADLINE_S) == 0, (world.folder / "log").read_text())


def the_wait_is_bounded(binary, report):
    with World(binary, "500ms") as world:
        world.invite(1)
        world.invite_at_target()
        world.process.send_signal(signal.SIGTERM)
        report.expect("after node.drain it exits with 0 although a transaction is left", world.process.wait(DEADLINE_S) == 0)
        log = (world.folder / "log").read_text()
        report.expect("and says what it gave up", "the time to drain is over: 1 transactions" in log, log)


def a_second_signal_ends_it(binary, report):
    with World(binary, "60s") as world:
        world.invite(1)
        world.invite_at_target()
        world.asked_to_stop()
        began = time.monotonic()
        world.process.send_signal(signal.SIGTERM)
        report.expect("a second SIGTERM ends it at once, with 0", world.process.wait(DEADLINE_S) == 0)
        report.expect("without waiting for node.drain", time.monotonic() - began < 30)


def nothing_to_wait_for(binary, report):
    with World(binary, "60s") as world:
        began = time.monotonic()
        world.process.send_signal(signal.SIGTERM)
        report.expect("an edge with nothing under way exits with 0", world.process.wait(DEADLINE_S) == 0)
        report.expect("at once", time.monotonic() - began < 30)


def main():
    report = Report()
    for case in (what_is_under_way_ends, the_wait_is_bounded, a_second_signal_ends_it, nothing_to_wait_for):
        case(sys.argv[1], report)
    report.exit()


if __name__ == "__main__":
    main()
