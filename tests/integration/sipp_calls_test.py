#!/usr/bin/env python3
"""SIPp at both ends of calls: its own uac and uas, and the scenario pairs. Usage: sipp_calls_test.py RINGWEIR"""
import sys

import calls

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


def main():
    calls.need("sipp")
    report = calls.Report()
    for mode in ("stateful", "stateless"):
        balancer_test(report, sys.argv[1], mode)
    report.exit()


if __name__ == "__main__":
    main()
