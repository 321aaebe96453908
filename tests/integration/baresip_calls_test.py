#!/usr/bin/env python3
"""Two baresips register at the lab edge, one calls the other, audio flows, one hangs up.
Usage: baresip_calls_test.py RINGWEIR"""
import array
import contextlib
import json
import math
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import wave

import calls
from edge import free_port
from phone import Phone

RATE = 8000
TONE_HZ = 440
HEARD_S = 1.0  # of audio that must have arrived


def lab(port, admin_port):
    return f"""version: 1
node: {{ shards: 2, pin: false }}
listeners:
  - {{ name: sip, bind: "127.0.0.1:{port}", transport: [udp] }}
lab: {{ enabled: true }}
admin: {{ bind: "127.0.0.1:{admin_port}" }}
"""


def modules_folder():
    for root in ("/usr/lib", "/usr/local/lib"):
        for found in pathlib.Path(root).glob("**/baresip/modules/account.so"):
            return found.parent
    raise FileNotFoundError("baresip's modules")


def write_tone(path):
    samples = array.array("h", (round(8000 * math.sin(2 * math.pi * TONE_HZ * n / RATE)) for n in range(30 * RATE)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def heard(phone):
    """Samples that the phone decoded, past the file's header, whose length is only written at the end."""
    data = b"".join(path.read_bytes()[44:] for path in phone.folder.glob("dump-*dec.wav"))
    return array.array("h", data[:len(data) // 2 * 2])


def loudness_at(samples, hertz):
    """Amplitude of one frequency (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return 2 * math.sqrt(max(power, 0.0)) / max(len(samples), 1)


class Baresip:
    """A softphone with a tone for a microphone that keeps what it hears in a file; told what to do over ctrl_tcp."""

    def __init__(self, user, edge_port, parameters=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringweir-baresip-"))
        write_tone(self.folder / "tone.wav")
        control = free_port(socket.SOCK_STREAM)
        (self.folder / "config").write_text(f"""module_path {modules_folder()}
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,{self.folder}/tone.wav
snd_path {self.folder}
rtp_ports 20000-60000
""")
        (self.folder / "accounts").write_text(
            f'<sip:{user}@127.0.0.1;transport=udp>;auth_user={user};auth_pass={user};'
            f'outbound="sip:127.0.0.1:{edge_port}";regint=600;audio_codecs=PCMU/8000/1{parameters}\n')
        (self.folder / "contacts").touch()
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(["baresip", "-4", "-f", str(self.folder), "-v"], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env={**os.environ, "HOME": str(self.folder)})
        self.control = None
        calls.until("baresip's control port", lambda: self._connect(control))
        self.events = []
        self.rest = b""

    def _connect(self, port):
        try:
            self.control = socket.create_connection(("127.0.0.1", port), timeout=5)
            return True
        except OSError:
            if self.process.poll() is not None:
                raise RuntimeError("baresip ended: " + self.told()) from None
            return False

    def tell(self, command, parameters=""):
        text = json.dumps({"command": command, "params": parameters})
        self.control.sendall(f"{len(text)}:{text},".encode())

    def saw(self, kind):
        """An event of this type has come; reads what is there (netstrings of JSON)."""
        self.control.settimeout(0.05)
        with contextlib.suppress(OSError):
            self.rest += self.control.recv(65536)
        while b":" in self.rest:
            length, _, text = self.rest.partition(b":")
            if len(text) <= int(length):
                break
            self.events.append(json.loads(text[:int(length)]))
            self.rest = text[int(length) + 1:]
        return any(event.get("type") == kind for event in self.events)

    def told(self):
        self.log.flush()
        return (self.folder / "log").read_text(errors="replace")[-2500:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.control.close()
        self.log.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()


def reached(report, behaviour, condition, *phones):
    try:
        calls.until(behaviour, condition)
        return report.expect(behaviour, True)
    except TimeoutError:
        return report.expect(behaviour, False, "\n".join(phone.told() for phone in phones))


def online(port, user):
    with Phone("127.0.0.1", port, user, domain="127.0.0.1") as phone:
        return bool(phone.query().contacts())


def call(report, port, caller, callee, who_hangs_up):
    reached(report, "both phones register", lambda: online(port, "101") and online(port, "102"), caller, callee)
    caller.tell("dial", "sip:102@127.0.0.1")
    reached(report, "the caller's call is established", lambda: caller.saw("CALL_ESTABLISHED"), caller, callee)
    reached(report, "and so is the callee's", lambda: callee.saw("CALL_ESTABLISHED"), caller, callee)
    for name, phone in (("callee", callee), ("caller", caller)):
        reached(report, f"audio reaches the {name}", lambda p=phone: len(heard(p)) > HEARD_S * RATE, caller, callee)
        tone, other = (loudness_at(heard(phone)[-RATE // 2:], hertz) for hertz in (TONE_HZ, 1170))
        report.expect(f"it is the other's tone that the {name} hears", tone > 4000 and other < tone / 10, f"{tone} {other}")
    ends, stays = (callee, caller) if who_hangs_up == "callee" else (caller, callee)
    ends.tell("hangup")
    reached(report, f"the {who_hangs_up} hangs up, and the other sees it", lambda: stays.saw("CALL_CLOSED"), caller, callee)


def main():
    calls.need("baresip")
    report = calls.Report()
    for who_hangs_up in ("caller", "callee"):
        with contextlib.ExitStack() as ended:
            edge = ended.enter_context(calls.Edge(sys.argv[1], make=lab))
            callee = Baresip("102", edge.port, ";answermode=auto")
            ended.callback(callee.stop)
            caller = Baresip("101", edge.port)
            ended.callback(caller.stop)
            call(report, edge.port, caller, callee, who_hangs_up)
    report.exit()


if __name__ == "__main__":
    main()
