"""What perf/compare does beyond a steady load: three times too many calls, and very many calls that ring."""
import json
import subprocess
import sys
import tempfile
import threading

import runs
import tables

WORKLOADS = {"stateless": "call", "stateful": "call", "users": "user-call"}


class MemoryWatch:
    """The largest resident memory between start and stop, looked at four times a second."""

    def __init__(self, server):
        self.server = server
        self.most = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.over.wait(0.25):
            self.most = max(self.most, self.server.resident_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def peers_of(options):
    return [kind for kind in options.servers if kind != "floor"]


def overload_of(kind, options):
    """The capacity by a closed loop, then at once the open loop at a multiple of it, on the same server."""
    workload = WORKLOADS[options.job]
    first = ["--register-first", str(options.users)] if workload == "user-call" else []
    with tempfile.TemporaryDirectory(prefix="ringweir-compare-") as folder:
        server = runs.make(kind, options, folder, options.job, options.users).start()
        try:
            steady = ["--duration", str(options.seconds + options.warm_up), "--warm-up", str(options.warm_up), "--seed", "1"]
            capacity = runs.load(options, server, workload, options.users, first + steady)
            before = server.resident_bytes()
            rate = options.times * capacity["per_second"]
            extra = first + ["--rate", f"{rate:.0f}", "--duration", str(options.overload_seconds), "--warm-up", "2",
                             "--seed", "2"]
            with MemoryWatch(server) as watch:
                row = runs.load(options, server, workload, options.users, extra)
            after = server.resident_bytes()
            alive = server.process.poll() is None
        finally:
            server.stop()
    return {"server": server.name, "capacity": capacity, "offered": rate, "row": row, "before": before,
            "most": max(watch.most, after), "after": after, "alive": alive}


def overload(options, facts):
    rows = []
    for turn in range(options.rounds):
        for kind in peers_of(options):
            found = overload_of(kind, options)
            rows.append(found)
            print(f"round {turn + 1} {found['server']}: {found['capacity']['per_second']:.0f} calls a second, then "
                  f"{found['row']['per_second']:.0f} of {found['offered']:.0f}", file=sys.stderr)
    return tables.overload_page(rows, options, facts)


def transactions_of(kind, options):
    """So many INVITEs at 180, the memory, and then every call answered and ended."""
    workload = WORKLOADS[options.job]
    count = options.transactions
    extra = ["--ring", str(count), "--seed", "1"]
    if workload == "user-call":
        extra += ["--register-first", str(options.users)]
    with tempfile.TemporaryDirectory(prefix="ringweir-compare-") as folder:
        server = runs.make(kind, options, folder, options.job, options.users).start()
        try:
            before = server.resident_bytes()
            load = subprocess.Popen(runs.command(options, server, workload, options.users, extra), text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            ringing = json.loads(load.stdout.readline() or "{}")
            held = server.resident_bytes()
            rest, _ = load.communicate("answer\n", timeout=600)
            after = server.resident_bytes()
        finally:
            server.stop()
    row = json.loads(rest)
    return {"server": server.name, "before": before, "held": held, "after": after, "ringing": ringing.get("ringing", 0),
            "row": row}


def transactions(options, facts):
    rows = []
    for kind in peers_of(options):
        found = transactions_of(kind, options)
        rows.append(found)
        print(f"{found['server']}: {(found['held'] - found['before']) / options.transactions:.0f} octets an INVITE in "
              f"flight, {found['ringing']} rang, {found['row']['completed']} ended", file=sys.stderr)
    return tables.transactions_page(rows, options, facts)
