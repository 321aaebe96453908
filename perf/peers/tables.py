"""Turns the rows of perf/compare into its Markdown pages."""
import statistics

TITLES = {"options": "OPTIONS, 200", "register": "REGISTER, 401, REGISTER, 200", "refresh": "authorised refresh, 200"}
ECHOES = {"register": 2}  # datagrams each way, one where not named: the unit of the floor
SATURATED = 0.97


def saturated(row):
    """The server's core was busy and it was the server that kept it so, while the load had time to spare."""
    busy = row["core_utilisation"] >= SATURATED and row["server_utilisation"] >= SATURATED
    return busy and row["load_utilisation"] < SATURATED


def usable(row):
    return saturated(row) and row["clean"]


def progress(turn, row):
    remark = "" if usable(row) else ("  NOT CLEAN" if saturated(row) else "  NOT SATURATED")
    return (f"round {turn} {row['workload']:9} {row['server']:18} {row['server_cpu_us']:7.3f} us  "
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
               f"{ratio(cpu.get('Kamailio', 0), cpu[name]) if 'Kamailio' in cpu else '-'} | "
               f"{ratio(cpu[name], cpu.get('ringweir'))} | {median(mine, 'per_second'):.0f} | "
               f"{min(r['server_utilisation'] for r in mine):.1%} | {max(r['load_utilisation'] for r in mine):.1%} | "
               f"{median(mine, 'load_cpu_us'):.3f} | {sum(r['retransmissions'] for r in mine)} | "
               f"{'yes' if marks == 0 else f'**no**, {marks} of {len(mine)} rounds'} |")


def cpu_page(rows, options, facts):
    lines = ["# Server CPU per transaction\n", heading(facts)]
    lines.append(f"One run, {options.rounds} alternating rounds of {options.seconds:g} s each after a second of warm-up; medians. "
                 f"{options.users:,} users, {options.window} transactions in flight from one peer address. "
                 "The server is pinned to one core, the load to the other.\n")
    lines.append("The floor echoes the same datagrams by io_uring and parses nothing; a REGISTER with its challenge is two "
                 "echoes, and what others cost is counted in echoes. "
                 "CPU is that of every thread of the server's processes between two moments of the steady part, "
                 "divided by the transactions completed between them. A row is a result only where the server's core was at least "
                 f"{SATURATED:.0%} busy with the server, the load was not, and every transaction ended as it should.\n")
    lines.append("| transaction | server | CPU us | spread | in echoes | times cheaper than Kamailio | to one shard | "
                 "a second | server busy, least | load busy, most | load CPU us | retransmitted | a result |")
    lines.append("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for workload in options.workloads:
        lines += cpu_rows(rows, workload)
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
