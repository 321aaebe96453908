"""One row of perf/compare: a fresh server with the job that the workload needs, and the load on it."""
import json
import subprocess
import tempfile

import servers

SINGLE = ("options", "register", "refresh")
# workload: the load's, the server's job, and what makes an echo of a datagram the floor of a call.
CALLS = {"call-stateless": ("call", "stateless", ["--echo"]),
         "call-stateful": ("call", "stateful", ["--echo", "--echo-trying"]),
         "call-users": ("user-call", "users", ["--echo", "--echo-trying"])}


def make(kind, options, folder, job, users):
    if kind == "floor":
        return servers.Floor(options.server_cpu, folder, options.floor)
    if kind == "kamailio":
        # About 950 octets a binding were seen; the pool is twice that and never the limit. A transaction of a call
        # takes some thousand and stays for five seconds after its end.
        spare = 1024 if job == "register" else 4096
        return servers.Kamailio(options.server_cpu, folder, job, max(spare, users * 2000 // 1_000_000))
    shards = 2 if kind == "ringweir2" else 1
    return servers.Ringweir(options.server_cpu, folder, options.ringweir, job, users, shards, options.io,
                            singly=kind == "ringweir-singly")


def command(options, server, workload, users, extra):
    """The load's command line; calls have their callees where the server's targets are."""
    words = ["taskset", "-c", str(options.load_cpu), options.load, workload,
             "--target", f"127.0.0.1:{server.port}", "--users", str(users), "--user-base", str(servers.USER_BASE),
             "--window", str(options.window), "--sockets", str(options.sockets), "--pace", str(options.pace), "--watch-cpu", str(options.server_cpu),
             "-o", "json", *extra]
    if workload == "call":
        words += ["--callee-ports", ",".join(str(port) for port in server.targets)]
    for pid in server.pids():
        words += ["--watch-pid", str(pid)]
    return words


def load(options, server, workload, users, extra):
    ran = subprocess.run(command(options, server, workload, users, extra), capture_output=True, text=True, timeout=900)
    if not ran.stdout.strip():
        raise RuntimeError(f"the load failed: {ran.stderr}")
    return json.loads(ran.stdout)


def measure(kind, options, workload, seed):
    """A fresh server, registered where the workload needs it, then the measured phase."""
    extra = ["--duration", str(options.seconds + options.warm_up), "--warm-up", str(options.warm_up), "--seed", str(seed)]
    name, job, echo = CALLS.get(workload, (workload, "register", ["--echo"]))
    if kind == "floor":
        extra += echo
    if name == "refresh" or (name == "user-call" and kind != "floor"):
        extra += ["--register-first", str(options.users)]
    with tempfile.TemporaryDirectory(prefix="ringweir-compare-") as folder:
        server = make(kind, options, folder, job, options.users).start()
        try:
            row = load(options, server, name, options.users, extra)
        finally:
            server.stop()
    row["server"] = server.name
    row["workload"] = workload
    return row
