"""Starts and stops what perf/compare measures: the floor, Kamailio and ringweir, each pinned to one core."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
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
    name = "Kamailio"

    def __init__(self, cpu, folder, shared_memory_mb=1024):
        super().__init__(cpu, folder)
        self.shared_memory_mb = shared_memory_mb
        for name in ("kamailio.cfg", "dispatcher.list"):
            shutil.copy(HERE / name, self.folder / name)

    def command(self):
        return ["kamailio", "-x", "fm", "-X", "fm", "-DD", "-E", "-f", "kamailio.cfg", "-w", str(self.folder),
                "-l", f"udp:127.0.0.1:{self.port}", "-m", str(self.shared_memory_mb), "-M", "16"]


class Ringweir(Server):
    """With two shards both are on the one core, so that the load keeps the other: what is compared is CPU time."""

    def __init__(self, cpu, folder, binary, users, shards=1, io="auto"):
        super().__init__(cpu, folder)
        self.name = "ringweir" if shards == 1 else f"ringweir, {shards} shards"
        self.binary = binary
        write_users(self.folder / "users.csv", users)
        (self.folder / "ringweir.yaml").write_text(CONFIG.format(
            shards=shards, io=io, port=self.port, admin_port=free_port(socket.SOCK_STREAM)))

    def command(self):
        return [self.binary, "serve", "--config", str(self.folder / "ringweir.yaml")]
