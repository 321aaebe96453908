"""Starts and stops what perf/compare measures: the floor, Kamailio and ringweir, each pinned to one core.

A server takes a job: `register` (a registrar, OPTIONS too), `users` (that and calls between its users), `stateless` or
`stateful` (a call balancer over two targets, whose ports are in `targets`)."""
import os
import pathlib
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFIGS = HERE.parent.parent / "configs"
USER_BASE = 1_000_000

CONFIG = """version: 1
node: {{ shards: {shards}, pin: false, io: {io} }}
listeners:
  - {{ name: sip, bind: "127.0.0.1:{port}", transport: [udp] }}
domains: [example.com]
auth:
  realm: example.com
  algorithms: [MD5]
  methods: [REGISTER]
  nonce: {{ lifetime: 5m, replay: strict }}
  users: {{ csv: users.csv }}
registrar: {{ min_expires: 60s, default_expires: 1h, max_expires: 2h }}
routes:
  - {{ match: {{ method: REGISTER }}, do: {{ register: local }} }}
  - {{ match: {{ domain: local }}, do: {{ lookup: location, else: {{ reply: 404 }} }} }}
  - {{ do: {{ reply: 403 }} }}
admin: {{ bind: "127.0.0.1:{admin_port}" }}
"""


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_users(path, count):
    with open(path, "w") as out:
        for user in range(USER_BASE, USER_BASE + count):
            out.write(f"{user},{user}\n")


class Server:
    """One process tree on one core. `name` is the row's; commands come from the subclasses."""

    name = ""

    def __init__(self, cpu, folder):
        self.cpu = cpu
        self.folder = pathlib.Path(folder)
        self.port = free_port(socket.SOCK_DGRAM)
        self.targets = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        log = open(self.folder / f"{self.name.replace(' ', '-')}.log", "w")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(self.cpu), *self.command()],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start: " + pathlib.Path(log.name).read_text()[-2000:])
        return self

    def _answers(self):
        """An OPTIONS to the server itself comes back, from an echo as well."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.port))
            here = "127.0.0.1:%d" % probe.getsockname()[1]
            text = (f"OPTIONS sip:127.0.0.1:{self.port} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKready;rport\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:ready@example.com>;tag=r\r\nTo: <sip:127.0.0.1:{self.port}>\r\n"
                    "Call-ID: ready\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
            try:
                probe.send(text.encode())
                return bool(probe.recv(4096))
            except OSError:
                time.sleep(0.05)
                return False

    def pids(self):
        """The server's processes: all of its session, less the taskset that became it."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.getsid(int(entry)) == self.process.pid:
                        found.append(int(entry))
                except OSError:
                    pass
        return found

    def resident_bytes(self):
        """Proportional, so that memory that processes share is counted once."""
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
                self.process.wait(timeout=10)
                return
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                self.process.wait(timeout=10)
                return


class Floor(Server):
    name = "floor"

    def __init__(self, cpu, folder, binary):
        super().__init__(cpu, folder)
        self.binary = binary

    def command(self):
        return [self.binary, "--bind", f"127.0.0.1:{self.port}", "--cpu", str(self.cpu)]


class Kamailio(Server):
    """-b: a receive buffer as large as the others ask for; what it finds by probing stops at 256 KiB and drops calls."""

    name = "Kamailio"

    def __init__(self, cpu, folder, job="register", shared_memory_mb=1024):
        super().__init__(cpu, folder)
        self.shared_memory_mb = shared_memory_mb
        text = (HERE / "kamailio.cfg").read_text()
        if job == "stateless":
            text = text.replace("t_relay();", "forward();")
        (self.folder / "kamailio.cfg").write_text(text)
        (self.folder / "dispatcher.list").write_text(
            "".join(f"1 sip:127.0.0.1:{target}\n" for target in self.targets))

    def command(self):
        return ["kamailio", "-x", "fm", "-X", "fm", "-DD", "-E", "-f", "kamailio.cfg", "-w", str(self.folder),
                "-l", f"udp:127.0.0.1:{self.port}", "-b", str(4 << 20), "-m", str(self.shared_memory_mb), "-M", "16"]


class Ringweir(Server):
    """With two shards both are on the one core, so that the load keeps the other: what is compared is CPU time."""

    def __init__(self, cpu, folder, binary, job="register", users=0, shards=1, io="auto", singly=False):
        super().__init__(cpu, folder)
        self.name = "ringweir, singly" if singly else "ringweir" if shards == 1 else f"ringweir, {shards} shards"
        self.binary = binary
        write_users(self.folder / "users.csv", users)
        admin_port = free_port(socket.SOCK_STREAM)
        if job in ("stateless", "stateful"):
            text = self._balancer(job, admin_port, shards, io)
        else:
            text = CONFIG.format(shards=shards, io=io, port=self.port, admin_port=admin_port)
        if singly:
            text = text.replace("node: { ", "node: { send_trains: false, ", 1)
        (self.folder / "ringweir.yaml").write_text(text)

    def _balancer(self, job, admin_port, shards, io):
        """configs/balancer-JOB.yaml as it stands, but on ports that are free."""
        text = (CONFIGS / f"balancer-{job}.yaml").read_text()
        for was, now in ((":5060", f":{self.port}"), (":8080", f":{admin_port}"), (":30000", f":{self.targets[0]}"),
                         (":30001", f":{self.targets[1]}"), ("shards: 1,", f"shards: {shards}, io: {io},")):
            if was not in text:
                raise RuntimeError(f"configs/balancer-{job}.yaml has no {was}")
            text = text.replace(was, now)
        return text

    def command(self):
        return [self.binary, "serve", "--config", str(self.folder / "ringweir.yaml")]
