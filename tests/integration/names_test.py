#!/usr/bin/env python3
"""A target that is a name: NAPTR, SRV and A from a DNS server of our own, weights, priorities, and changes that are
followed without a reload (RFC 3263, RFC 2782). Usage: names_test.py RINGWEIR RINGWEIR-LOAD"""
import contextlib
import getpass
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import calls

NAME = "pbx.example.net"
SERVICE = f"_sip._udp.{NAME}"


class Dns:
    """dnsmasq, with nothing but these records, each good for a second."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringweir-dns-"))
        self.port = calls.free_port()
        self.process = None

    def serve(self, records):
        self.stop()
        log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=-",
             "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.port}", f"--user={getpass.getuser()}",
             f"--pid-file={self.folder}/pid", "--local-ttl=1", "--auth-ttl=1", "--local=/example.net/", *records],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        calls.until("dnsmasq answers", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("dnsmasq ended: " + (self.folder / "log").read_text())
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"".join(
            bytes([len(label)]) + label.encode() for label in NAME.split(".")) + b"\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.port))
            with contextlib.suppress(OSError):
                probe.send(question)
                return len(probe.recv(512)) > 0
        return False

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)


def host(name, address="127.0.0.1"):
    return f"--host-record={name},{address}"


def srv(target, port, priority=10, weight=0):
    return f"--srv-host={SERVICE},{target},{port},{priority},{weight}"


def naptr():
    """One that is not for us first."""
    return [f"--naptr-record={NAME},10,10,s,SIPS+D2T,,_sips._tcp.{NAME}", f"--naptr-record={NAME},20,10,s,SIP+D2U,,{SERVICE}"]


def config(port, admin_port, *, dns, uri, **_):
    text = calls.balancer(port, admin_port, targets=[uri])
    return text + f"dns: {{ servers: [\"127.0.0.1:{dns}\"] }}\n"


def spread(load_binary, edge, ports, count):
    """How many of so many calls came to each port."""
    ran = subprocess.run([load_binary, "call", "--target", f"127.0.0.1:{edge.port}", "--callee-ports",
                          ",".join(map(str, ports)), "--count", str(count), "--window", "20", "--verify", "1", "-o", "json"],
                         capture_output=True, text=True, timeout=calls.CALLS_S)
    found = json.loads(ran.stdout)
    reached = {int(where.rsplit(":", 1)[1]): calls_there for where, calls_there in found["calls"]["per_target"].items()}
    return reached, found["clean"], ran.stdout


def follows_records(report, binary, load_binary, dns):
    heavy, light, backup = ports = calls.farm(3)
    hosts = [host("a.example.net"), host("b.example.net")]
    dns.serve([*naptr(), *hosts, srv("a.example.net", heavy, 10, 75), srv("b.example.net", light, 10, 25),
               srv("b.example.net", backup, 20, 100)])
    with calls.Edge(binary, make=config, dns=dns.port, uri=f"sip:{NAME}") as edge:
        def resolved():
            return spread(load_binary, edge, ports, 1)[1]

        calls.until("the name is resolved", resolved)
        reached, clean, output = spread(load_binary, edge, ports, 400)
        report.expect("NAPTR leads to SRV, SRV to A: calls reach the targets", clean, output)
        share = reached.get(heavy, 0) / 400
        report.expect("SRV weights of 75 and 25 divide the calls so", 0.65 < share < 0.85, reached)
        report.expect("a target of a later priority gets none while the first live", backup not in reached, reached)

        dns.serve([*naptr(), *hosts, srv("b.example.net", light, 10, 0)])
        try:
            calls.until("the change is followed", lambda: set(spread(load_binary, edge, ports, 20)[0]) == {light})
            report.expect("a change of the records is followed without a reload", True)
        except TimeoutError as error:
            report.expect("a change of the records is followed without a reload", False, error)
        reached, clean, output = spread(load_binary, edge, ports, 200)
        report.expect("and all calls go where they now say", clean and set(reached) == {light}, output)

        dns.stop()
        reached, clean, output = spread(load_binary, edge, ports, 200)
        report.expect("what was resolved stays in use while DNS is silent", clean and set(reached) == {light}, output)


def address_and_port(report, binary, load_binary, dns):
    """RFC 3263 4.2: with a port there is no SRV, only A."""
    port, other = ports = calls.farm(2)
    dns.serve([*naptr(), host(NAME), srv(NAME, other)])
    with calls.Edge(binary, make=config, dns=dns.port, uri=f"sip:{NAME}:{port}") as edge:
        calls.until("the name is resolved", lambda: spread(load_binary, edge, ports, 1)[1])
        reached, clean, output = spread(load_binary, edge, ports, 50)
        report.expect("a name with a port is resolved by its address alone", clean and set(reached) == {port}, output)


def main():
    calls.need("dnsmasq")
    report = calls.Report()
    dns = Dns()
    try:
        follows_records(report, *sys.argv[1:3], dns)
        address_and_port(report, *sys.argv[1:3], dns)
    finally:
        dns.remove()
    report.exit()


if __name__ == "__main__":
    main()
