"""Turns the rows of perf/compare into its Markdown pages."""
import statistics

TITLES = {"options": "OPTIONS, 200", "register": "REGISTER, 401, REGISTER, 200", "refresh": "authorised refresh, 200",
          "call-stateless": "call, stateless", "call-stateful": "call, stateful", "call-users": "call, user to user"}
# Datagrams each way, one where not named: the unit of the floor.
ECHOES = {"register": 2, "call-stateless": 6, "call-stateful": 7, "call-users": 7}
SATURATED = 0.97


def saturated(row):
    """The server's core was busy and it was the server that kept it so, while the load had time to spare."""
    busy = row["core_utilisation"] >= SATURATED and row["server_utilisation"] >= SATURATED
    return busy and row["load_utilisation"] < SATURATED


def usable(row):
    return saturated(row) and row["clean"]


def progress(turn, row):
    remark = "" if usable(row) else ("  NOT CLEAN" if saturated(row) else "  NOT SATURATED")
    return (f"round {turn} {row['workload']:14} {row['server']:18} {row['server_cpu_us']:7.3f} us  "
            f"{row['per_second']:9.0f}/s  server {row['server_utilisation']:.1%} of core {row['core_utilisation']:.1%}  "
            f"load {row['load_utilisation']:.1%}  retransmitted {row['retransmissions']}{remark}")


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def of(rows, workload, server):
    return [row for row in rows if row["workload"] == workload and row["server"] == server]


def heading(facts):
    return "\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n"


def ratio(own, other):
    return f"{own / other:.2f}" if other else "-"


def cpu_rows(rows, workload):
    names = list(dict.fromkeys(row["server"] for row in rows if row["workload"] == workload))
    cpu = {name: median(of(rows, workload, name), "server_cpu_us") for name in names}
    for name in names:
        mine = of(rows, workload, name)
        marks = sum(not usable(row) for row in mine)
        spread = f"{min(r['server_cpu_us'] for r in mine):.2f} to {max(r['server_cpu_us'] for r in mine):.2f}"
        yield (f"| {TITLES[workload]} | {name} | {cpu[name]:.3f} | {spread} | {ratio(cpu[name] * ECHOES.get(workload, 1), cpu.get('floor'))} | "
               f"{ratio(cpu[name], cpu.get('floor'))} | "
               f"{ratio(cpu.get('Kamailio', 0), cpu[name]) if 'Kamailio' in cpu else '-'} | "
               f"{ratio(cpu[name], cpu.get('ringweir'))} | {median(mine, 'per_second'):.0f} | "
               f"{min(r['server_utilisation'] for r in mine):.1%} | {max(r['load_utilisation'] for r in mine):.1%} | "
               f"{median(mine, 'load_cpu_us'):.3f} | {sum(r['retransmissions'] for r in mine)} | "
               f"{'yes' if marks == 0 else f'**no**, {marks} of {len(mine)} rounds'} |")


def cpu_page(rows, options, facts):
    lines = ["# Server CPU per transaction\n", heading(facts)]
    lines.append(f"One run, {options.rounds} alternating rounds of {options.seconds:g} s each after {options.warm_up:g} s of warm-up; medians. "
                 f"{options.users:,} users, {options.window} transactions in flight from "
                 f"{options.sockets} peer address{'es' if options.sockets > 1 else ''}. "
                 "The server is pinned to one core, the load to the other.\n")
    lines.append("The floor echoes the same datagrams by io_uring and parses nothing; a REGISTER with its challenge is two "
                 "echoes, and what others cost is counted in echoes. "
                 "CPU is that of every thread of the server's processes between two moments of the steady part, "
                 "divided by the transactions completed between them. A row is a result only where the server's core was at least "
                 f"{SATURATED:.0%} busy with the server, the load was not, and every transaction ended as it should.\n")
    if any(workload.startswith("call") for workload in options.workloads):
        lines.append("A call is INVITE, 180, 200, ACK, BYE, 200 through the server, which records its route, with two callees "
                     "(user to user: among the registered users, each where it registered); its floor is six echoes of those "
                     "datagrams, seven where the server sends a 100. The load plays callers and callees.\n")
    lines.append("| transaction | server | CPU us | spread | in echoes | to the floor | times cheaper than Kamailio | to one shard | "
                 "a second | server busy, least | load busy, most | load CPU us | retransmitted | a result |")
    lines.append("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for workload in options.workloads:
        lines += cpu_rows(rows, workload)
    if "ringweir" in options.servers:
        lines.append("\nringweir sends the messages of a turn that share peer, socket and size as one train (UDP_SEGMENT, "
                     "io/send_trains.h); the load is one peer address, as a trunk is, so its trains are long. Phones with an address "
                     "each get one datagram each: \"singly\" is ringweir without trains. The floor and Kamailio send singly.")
    if options.shards2:
        lines.append("\nTwo shards: both are on the server's core, so that the load keeps the other; one peer address brings every "
                     "packet to one of them, and half of the transactions are owned by the other.")
    return "\n".join(lines) + "\n"


def memory_page(rows, count, facts):
    lines = [f"# Memory of {count:,} bindings\n", heading(facts),
             "Proportional resident memory of the server's processes before and after every user has registered once.\n",
             "| server | before MiB | after MiB | octets a binding | registered |", "|---|---|---|---|---|"]
    for row in rows:
        each = (row["after"] - row["before"]) / count
        state = f"{row['completed']:,}" + ("" if row["clean"] else ", **not clean**")
        lines.append(f"| {row['server']} | {row['before'] / 2**20:.0f} | {row['after'] / 2**20:.0f} | {each:.0f} | {state} |")
    return "\n".join(lines) + "\n"


def overload_page(rows, options, facts):
    lines = [f"# Calls at {options.times:g} times the capacity, {options.overload_seconds:g} s\n", heading(facts)]
    lines.append(f"Job: {options.job}. The capacity is that of a closed loop of {options.window} calls just before on the same "
                 "server; then calls begin at that multiple of it, whatever becomes of them, and callers send again as RFC 3261 "
                 "says. Completed: from INVITE to the 200 of BYE, a second, without the first two seconds. The delay is "
                 "from an INVITE's first sending, or when it was due, to the first response of any kind, a 503 as well. "
                 "Memory: proportional resident.\n")
    lines.append("| server | capacity/s | offered/s | begun/s | completed/s | of capacity | refused 503 | timed out | other | "
                 "delay p50 ms | p99 ms | max ms | MiB before | most | after | load busy | still runs |")
    lines.append("|" + "---|" * 17)
    for found in rows:
        row, calls = found["row"], found["row"]["calls"]
        refused = row["unexpected"].get("503", 0)
        other = sum(row["unexpected"].values()) - refused
        delay = calls["first_response_us"]
        lines.append(
            f"| {found['server']} | {found['capacity']['per_second']:.0f} | {found['offered']:.0f} | "
            f"{calls['begun'] / options.overload_seconds:.0f} | {row['per_second']:.0f} | "
            f"{row['per_second'] / found['capacity']['per_second']:.1%} | {refused} | {row['timeouts']} | {other} | "
            f"{delay['p50'] / 1000:.1f} | {delay['p99'] / 1000:.1f} | {delay['max'] / 1000:.1f} | "
            f"{found['before'] / 2**20:.0f} | {found['most'] / 2**20:.0f} | {found['after'] / 2**20:.0f} | "
            f"{row['load_utilisation']:.0%} | {'yes' if found['alive'] else '**no**'} |")
    return "\n".join(lines) + "\n"


def transactions_page(rows, options, facts):
    count = options.transactions
    lines = [f"# Memory of {count:,} INVITE transactions in flight\n", heading(facts)]
    lines.append(f"Job: {options.job}. Every callee rings and none answers: the server holds a server and a client transaction for "
                 "each call. Proportional resident memory of its processes before and then; after that every call is "
                 "answered and ended. Its messages are the INVITE as its caller sent it and as it reached the callee.\n")
    lines.append("| server | before MiB | ringing MiB | after MiB | ringing | octets a pair | INVITE in | INVITE out | beyond the one | beyond both | "
                 "ended | as they should |")
    lines.append("|" + "---|" * 12)
    for found in rows:
        each = (found["held"] - found["before"]) / count
        came, went = (found["row"]["calls"][name] for name in ("invite_octets", "forwarded_octets"))
        lines.append(
            f"| {found['server']} | {found['before'] / 2**20:.0f} | {found['held'] / 2**20:.0f} | "
            f"{found['after'] / 2**20:.0f} | {found['ringing']:,} | {each:.0f} | {came} | {went} | {each - came:.0f} | {each - came - went:.0f} | "
            f"{found['row']['completed']:,} | {'yes' if found['row']['clean'] else '**no**'} |")
    return "\n".join(lines) + "\n"
