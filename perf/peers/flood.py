"""perf/compare --flood: phones refresh at a fixed modest rate while garbage comes from another address, more and more of it."""
import json
import os
import subprocess
import sys
import tempfile

import runs
import servers
import tables

KINDS = {"octets": "random octets", "truncated": "a REGISTER cut off in a header", "headers": "1,000 header fields",
         "nameless": "INVITE for nobody", "digest": "wrong digest, the server's own nonce"}
USERS_MAX = 20_000  # they register within the flood's first second
LEAD, TAIL = 1.0, 2.0  # seconds that the flood begins before the measured part, and lasts beyond it at least


def socket_drops(port):
    """Datagrams the kernel threw away because the server's socket was full."""
    drops = 0
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        with open(name) as table:
            for line in table.readlines()[1:]:
                fields = line.split()
                if int(fields[1].rsplit(":", 1)[1], 16) == port:
                    drops += int(fields[-1])
    return drops


def refresh_command(options, server, seed):
    seconds = options.seconds + LEAD
    return runs.command(options, server, "refresh", options.users,
                        ["--rate", str(options.refresh_rate), "--register-first", str(options.users),
                         "--duration", str(seconds), "--warm-up", str(LEAD), "--seed", str(seed)])


def flood_command(options, server, kind, rate, seed):
    return ["nice", "-n", "5", "taskset", "-c", str(options.load_cpu), options.load, "flood",
            "--target", f"127.0.0.1:{server.port}", "--from-host", "127.0.0.2", "--sockets", "16", "--kind", kind, "--rate", str(rate),
            "--users", str(options.users), "--user-base", str(servers.USER_BASE), "--pace", "200", "--seed", str(seed), "-o", "json",
            "--duration", str(options.seconds + LEAD + TAIL + options.users / 20_000), "--warm-up", "0.2"]


def measure(options, server, kind, rate, seed):
    """Both begin together: the phones register and refresh, and are measured from then on, when the flood has long begun."""
    before = socket_drops(server.port)
    flood = subprocess.Popen(flood_command(options, server, kind, rate, seed), stdout=subprocess.PIPE, text=True) if rate else None
    try:
        ran = subprocess.run(refresh_command(options, server, seed), capture_output=True, text=True, timeout=300)
        sent = json.loads(flood.communicate(timeout=300)[0]) if flood else {"per_second": 0.0, "answers": {}, "completed": 1}
    finally:
        if flood and flood.poll() is None:
            flood.kill()
    if not ran.stdout.strip():
        raise RuntimeError(f"the load failed: {ran.stderr}")
    return {"kind": kind, "rate": rate, "row": json.loads(ran.stdout), "flood": sent,
            "drops": socket_drops(server.port) - before, "alive": server.process.poll() is None}


def of(server_kind, options):
    rates = [int(rate) for rate in options.flood_rates.split(",")]
    rows = []
    # Without a flood before and after: the difference is the host's noise.
    plan = [("none", 0)] + [(kind, rate) for kind in KINDS for rate in rates] + [("none", 0)]
    for seed, (kind, rate) in enumerate(plan, start=1):
        with tempfile.TemporaryDirectory(prefix="ringweir-compare-") as folder:
            server = runs.make(server_kind, options, folder, "register", options.users).start()
            try:
                found = measure(options, server, kind, rate, seed)
            finally:
                server.stop()
        rows.append(found)
        row = found["row"]
        print(f"{server.name} {kind} {found['flood']['per_second']:.0f}/s: server {row['server_utilisation']:.1%}, refresh p50 "
              f"{row['latency_us']['p50']:.0f} p99 {row['latency_us']['p99']:.0f} us, sent again {row['retransmissions']}",
              file=sys.stderr)
    return server.name, rows


def run(options, facts):
    options.users = min(options.users, USERS_MAX)
    facts["load average before"] = f"{os.getloadavg()[0]:.1f}"
    found = [of(kind, options) for kind in options.servers if kind != "floor"]
    return page(found, options, facts)


def page(found, options, facts):
    lines = ["# Registered phones under floods of garbage\n", tables.heading(facts)]
    lines.append(f"{options.users:,} registered phones refresh at {options.refresh_rate:,} a second, an open loop, whatever else comes; the garbage comes "
                 f"from sixteen sockets of another address. {options.seconds:g} s a row. The server has a core, both loads share the other. Cost: "
                 "the server's CPU beyond that of the rows without a flood, a datagram that reached it. Slower: p50 and p99 to those of the first row; "
                 "beside them, how much less of the core was left to the phones than then: 1 / (1 - what the garbage took). Latency is "
                 f"read to {options.pace} us.\n")
    lines.append("| server | garbage | sent/s | server CPU | CPU us a datagram | refreshes/s | p50 us | p99 us | p50 slower | p99 slower | "
                 "1 / CPU left | sent again | lost | full socket dropped | answered |")
    lines.append("|" + "---|" * 15)
    for name, rows in found:
        calm = [found["row"] for found in rows if found["kind"] == "none"]
        base = sum(row["server_utilisation"] for row in calm) / len(calm)
        for each in rows:
            lines.append(line_of(name, each, calm[0], base))
    return "\n".join(lines) + "\n"


def line_of(name, each, calm, base):
    row, flood = each["row"], each["flood"]
    latency, quiet = row["latency_us"], calm["latency_us"]
    rate = flood["per_second"]
    taken = max(0.0, row["server_utilisation"] - base)
    arrived = max(1.0, rate * (1 - each["drops"] / max(1, flood["completed"])))
    answers = ", ".join(f"{status}: {count / flood['completed']:.0%}" for status, count in sorted(flood["answers"].items()))
    cells = [name, KINDS.get(each["kind"], "none"), f"{rate:,.0f}", f"{row['server_utilisation']:.1%}",
             f"{taken * 1e6 / arrived:.2f}" if rate else "-", f"{row['per_second']:,.0f}", f"{latency['p50']:.0f}", f"{latency['p99']:.0f}",
             f"{latency['p50'] / quiet['p50']:.2f}", f"{latency['p99'] / quiet['p99']:.2f}",
             f"{1 / max(0.01, 1 - taken):.2f}", str(row["retransmissions"]), str(row["timeouts"] + row["not_started"]), str(each["drops"]),
             (answers or "-") + ("" if each["alive"] else " **died**")]
    return "| " + " | ".join(cells) + " |"
