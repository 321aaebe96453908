#!/usr/bin/env python3
"""A target is killed in the middle of a load of calls. Usage: target_death_test.py RINGWEIR RINGWEIR-LOAD"""
import contextlib
import json
import subprocess
import sys
import time

import calls

TARGETS = 3
RATE = 150
TALK_MS = 400
SECONDS = 4


def load(binary, port):
    """SIPp answers; calls begin whatever becomes of the earlier ones."""
    return subprocess.Popen([binary, "call", "--target", f"127.0.0.1:{port}", "--callees", "0", "--rate", str(RATE),
                             "--duration", str(SECONDS), "--warm-up", "0", "--talk", str(TALK_MS), "--sockets", "4",
                             "--verify", "1", "-o", "json"], stdout=subprocess.PIPE, text=True)


def kill_one_of(report, binary, load_binary, algorithm):
    ports = calls.farm(TARGETS)
    failover = "    failover: { on: [timeout, transport_error, 503], tries: 2 }\n"
    with contextlib.ExitStack() as ended:
        callees = [calls.callee("call-uas", port) for port in ports]
        for callee in callees:
            ended.callback(callee.kill)
        edge = ended.enter_context(calls.Edge(binary, make=calls.balancer, targets=ports, algorithm=algorithm,
                                              failover=failover, health="every: 500ms, fail: 2, rise: 2"))
        driven = load(load_binary, edge.port)
        ended.callback(driven.kill)
        begun = time.monotonic()
        calls.until("calls are under way", lambda: time.monotonic() - begun > SECONDS / 2)
        callees[0].process.kill()
        callees[0].process.wait()  # its socket is closed
        killed_at = time.monotonic()
        output, _ = driven.communicate(timeout=calls.CALLS_S + 60)
    found = json.loads(output)
    counts = found["calls"]
    late = counts["last_failed_begun_s"]
    report.expect(f"{algorithm}: every call begun after a target's death succeeds", late <= killed_at,
                  f"one failed that began {late - killed_at:.3f} s after it\n{output}")
    # Of the calls that were open at the dead target, those that rang may be lost; they were a moment's worth.
    failed = counts["begun"] - counts["answered"]
    report.expect(f"{algorithm}: no more than the calls it was ringing are lost", failed <= RATE * 0.1, output)
    report.expect(f"{algorithm}: answered calls end: each BYE gets a final response", counts["lost_bye"] == 0, output)
    refused = sum(counts["bye_refused"].values())
    open_there = RATE * (TALK_MS / 1000 + 0.1) / TARGETS
    report.expect(f"{algorithm}: and a 200 where the target lives", refused <= 2 * open_there, output)
    report.expect(f"{algorithm}: calls were made", counts["begun"] >= RATE * SECONDS * 0.9, output)


def main():
    calls.need("sipp")
    report = calls.Report()
    for algorithm in ("call_id_hash", "round_robin", "least_calls"):
        kill_one_of(report, sys.argv[1], sys.argv[2], algorithm)
    report.exit()


if __name__ == "__main__":
    main()
