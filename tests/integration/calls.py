"""What the tests of calls share: a balancer's configuration, SIPp at either end, and how a test says what it found."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from edge import DEADLINE_S, Edge, free_port, until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "perf" / "scenarios" / "sipp"
CALLS_S = 60  # a SIPp that is not through by then has failed


def balancer(port, admin_port, *, targets, mode="stateful", algorithm="call_id_hash", health="every: 0s", failover="",
             shards=2):
    """The targets are ports of this host, or URIs."""
    uris = [target if isinstance(target, str) else f"sip:127.0.0.1:{target}" for target in targets]
    listed = ", ".join(f'{{ uri: "{uri}" }}' for uri in uris)
    return f"""version: 1
node: {{ shards: {shards}, pin: false }}
listeners:
  - {{ name: sip, bind: "127.0.0.1:{port}", transport: [udp] }}
upstreams:
  - name: pbx
    algorithm: {algorithm}
    targets: [ {listed} ]
    health: {{ {health} }}
{failover}routes:
  - {{ do: {{ forward: pbx, mode: {mode} }} }}
admin: {{ bind: "127.0.0.1:{admin_port}" }}
"""


class Report:
    """A line a behaviour, as the shell tests print it; exit() says how it went."""

    def __init__(self):
        self.failed = False

    def expect(self, behaviour, holds, why=""):
        print(f"{'ok' if holds else 'not ok'} - {behaviour}", flush=True)
        if not holds:
            self.failed = True
            for line in str(why).splitlines()[-40:]:
                print(f"#   {line}", flush=True)
        return holds

    def exit(self):
        sys.exit(1 if self.failed else 0)


def need(*programs):
    for program in programs:
        if not any(os.access(os.path.join(folder, program), os.X_OK) for folder in os.environ["PATH"].split(":") + ["/usr/sbin"]):
            print(f"not ok - {program} is not installed")
            sys.exit(1)


class Sipp:
    """One SIPp in a folder of its own. scenario: a file's stem, or uac or uas for the built-in ones."""

    def __init__(self, scenario, *arguments):
        self.folder = tempfile.mkdtemp(prefix="ringweir-sipp-")
        built_in = scenario in ("uac", "uas")
        which = ["-sn", scenario] if built_in else ["-sf", str(SCENARIOS / f"{scenario}.xml")]
        self.scenario = scenario
        self.output = open(f"{self.folder}/output", "w+")
        self.process = subprocess.Popen(["sipp", *which, "-i", "127.0.0.1", "-nostdin", "-trace_err", *map(str, arguments)],
                                        cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)

    def finish(self):
        """Waits; true when every call was as the scenario has it. 99: none came."""
        try:
            return self.process.wait(timeout=CALLS_S) in (0, 99)
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        """No new calls; those under way end."""
        self.process.send_signal(signal.SIGUSR1)
        return self.finish()

    def told(self):
        errors = "".join(path.read_text(errors="replace") for path in pathlib.Path(self.folder).glob("*errors.log"))
        return f"{self.scenario} ended with {self.process.poll()}\n{errors[:1500]}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.output.close()
        for path in pathlib.Path(self.folder).iterdir():
            path.unlink()
        os.rmdir(self.folder)


def caller(scenario, port, calls, *arguments):
    return Sipp(scenario, f"127.0.0.1:{port}", "-p", free_port(), "-s", "100", "-m", calls, "-r", 50, "-l", 10, "-timeout", f"{CALLS_S - 10}s",
                "-timeout_error", "-recv_timeout", 8000, *arguments)


def bound(port):
    """True when somebody has this UDP port of 127.0.0.1."""
    return f":{port:04X} " in pathlib.Path("/proc/net/udp").read_text()


def callee(scenario, port):
    sipp = Sipp(scenario, "-p", port)
    until(f"{scenario} listens", lambda: bound(port) or sipp.process.poll() is not None)
    return sipp


def pair(report, behaviour, port, calling, answering, ports, calls=30, arguments=()):
    """Calls through the proxy at `port`, callees at `ports`; both sides must be content."""
    with contextlib.ExitStack() as ended:
        callees = []
        for scenario, at in zip(answering, ports):
            callees.append(callee(scenario, at))
            ended.callback(callees[-1].kill)
        calls_made = caller(calling, port, calls, *arguments)
        ended.callback(calls_made.kill)
        made = calls_made.finish()
        taken = [each.stop() for each in callees]
        why = "\n".join(each.told() for each in [calls_made, *callees])
        return report.expect(behaviour, made and all(taken), why)


def farm(count=2):
    return [free_port() for _ in range(count)]


__all__ = ["CALLS_S", "DEADLINE_S", "Edge", "ROOT", "Report", "Sipp", "balancer", "bound", "callee", "caller", "farm", "free_port",
           "need", "pair", "until"]
