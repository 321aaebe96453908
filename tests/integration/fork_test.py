#!/usr/bin/env python3
"""A user with two phones, both SIPp: a call rings both. Usage: fork_test.py RINGWEIR"""
import sys

import calls
from phone import Phone


def main():
    calls.need("sipp")
    report = calls.Report()
    ports = calls.farm()
    with calls.Edge(sys.argv[1], domain="127.0.0.1") as edge:
        for port in ports:
            with Phone(edge.host, edge.port, domain="127.0.0.1", own_port=port) as phone:
                phone.register(contact=f"<sip:100@127.0.0.1:{port}>")
        calls.pair(report, "a call rings two phones: one answers, the other is cancelled, the caller gets one 200", edge.port,
                   "fork-uac", ["fork-answers-uas", "cancel-uas"], ports, calls=10)
    report.expect("ringweir stops cleanly on SIGTERM", edge.stopped_with == 0, edge.stopped_with)
    report.exit()


if __name__ == "__main__":
    main()
