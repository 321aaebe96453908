#!/usr/bin/env python3
"""SIPp at both ends of calls: its own uac and uas, and the scenario pairs. Usage: sipp_calls_test.py RINGWEIR"""
import sys

import calls
from phone import Phone

PAIRS = {"call": "a call follows the route that was recorded",
         "reinvite": "a call is changed by a re-INVITE",
         "prack": "a reliable provisional response gets its PRACK",
         "busy": "a busy callee's 486 reaches the caller, once",
         "no-answer": "a callee that does not answer: 480",
         "cancel": "a call is cancelled while it rings: 200, 487"}


def balancer_test(report, binary, mode):
    targets = calls.farm()
    with calls.Edge(binary, make=calls.balancer, targets=targets, mode=mode) as edge:
        calls.pair(report, f"{mode}: SIPp's own uac and uas, 100 calls", edge.port, "uac", ["uas"] * 2, targets, calls=100)
        for stem, behaviour in PAIRS.items():
            calls.pair(report, f"{mode}: {behaviour}", edge.port, f"{stem}-uac", [f"{stem}-uas"] * 2, targets)
    report.expect(f"{mode}: ringweir stops cleanly on SIGTERM", edge.stopped_with == 0, edge.stopped_with)


def fork_test(report, binary):
    """Two phones of user 100, one that is picked up and one that is cancelled."""
    ports = calls.farm()
    with calls.Edge(binary, domain="127.0.0.1") as edge:
        for port in ports:
            with Phone(edge.host, edge.port, domain="127.0.0.1", own_port=port) as phone:
                phone.register(contact=f"<sip:100@127.0.0.1:{port}>")
        calls.pair(report, "a call rings two phones: one answers, the other is cancelled, the caller gets one 200", edge.port,
                   "fork-uac", ["fork-answers-uas", "cancel-uas"], ports, calls=10)


def main():
    calls.need("sipp")
    report = calls.Report()
    for mode in ("stateful", "stateless"):
        balancer_test(report, sys.argv[1], mode)
    fork_test(report, sys.argv[1])
    report.exit()


if __name__ == "__main__":
    main()
