#!/usr/bin/env python3
"""Kamailio as a target: two proxies in a row that both record their route. Usage: kamailio_target_test.py RINGWEIR"""
import sys
import tempfile

import calls

sys.path.insert(0, str(calls.ROOT / "perf" / "peers"))
import servers  # noqa: E402

PAIRS = {"reinvite": "a re-INVITE and a BYE pass both", "busy": "a 486 comes back through both"}


def main():
    calls.need("sipp", "kamailio")
    report = calls.Report()
    with tempfile.TemporaryDirectory(prefix="ringweir-kamailio-") as folder:
        kamailio = servers.Kamailio(min(servers.os.sched_getaffinity(0)), folder, "stateful", 64).start()
        try:
            for mode in ("stateful", "stateless"):
                with calls.Edge(sys.argv[1], make=calls.balancer, targets=[kamailio.port], mode=mode) as edge:
                    for stem, behaviour in PAIRS.items():
                        calls.pair(report, f"{mode}, Kamailio as a target: {behaviour}", edge.port, f"{stem}-uac",
                                   [f"{stem}-uas"] * 2, kamailio.targets)
        finally:
            kamailio.stop()
    report.exit()


if __name__ == "__main__":
    main()
