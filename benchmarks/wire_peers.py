"""The processes of the wire benchmark: the echoing bot, sipp, tcpdump; each ends with its `with` block."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from asr.training.channel import encode_a_law

_SPEECH_S = 20
_RATE = 8000
RTP_PORTS_PER_CALL = 4

_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="talking caller">
  <send retrans="500"><![CDATA[
INVITE sip:DIAL@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:CALLER[call_number]@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:DIAL@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:CALLER[call_number]@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <nop><action><exec rtp_stream="SPEECH,-1,8"/></action></nop>
  <pause milliseconds="HOLD_MS"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:CALLER[call_number]@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200" timeout="5000"/>
</scenario>
"""


def missing_programs() -> str:
    """What has to be installed, or ""."""
    needed = (("sipp", "sip-tester"), ("tcpdump", "tcpdump"))
    return ", ".join(f"{name} (apt-get install {package})" for name, package in needed if shutil.which(name) is None)


def rtp_low() -> int:
    """Below the ranges that telephony programs take by default, so that a capture holds one bot's RTP only."""
    return 10000 + 2 * (os.getpid() * 32 % 2500)


class _Child:
    """A process that does not outlive its block."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(command, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for number, patience_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience_s)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class EchoBot(_Child):
    """`benchmarks.wire_bot` in a process of its own; it answers every line it gets with one line of JSON."""

    def __init__(self, calls: int, nice: int, folder: Path) -> None:
        self.sip_port = _free_port()
        low = rtp_low()
        self.rtp_ports = (low, low + RTP_PORTS_PER_CALL * (calls + 10))
        arguments = [str(self.sip_port), *(str(port) for port in self.rtp_ports), str(calls + 5), str(nice)]
        with open(folder / f"bot-{calls}.log", "wb") as log:
            super().__init__(
                [sys.executable, "-m", "benchmarks.wire_bot", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._log = folder / f"bot-{calls}.log"
        self._ask("usage")

    def usage(self) -> dict[str, Any]:
        """Counters of the process by now."""
        return self._ask("usage")

    def be(self, mode: str) -> None:
        """`quiet`, or `busy`: block the loop and burn the GIL."""
        self._ask(mode)

    def wait_for_calls(self, calls: int, deadline_s: float) -> None:
        end = time.monotonic() + deadline_s
        while self.usage()["calls"] < calls:
            if time.monotonic() > end:
                raise TimeoutError(f"only {self.usage()['calls']} of {calls} calls came up within {deadline_s:.0f} s")
            time.sleep(0.5)

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the bot process has ended:\n{self._log.read_text()[-2000:]}")
        result: dict[str, Any] = json.loads(answer)
        return result


class SippCallers(_Child):
    """`calls` callers of sipp, set up at `per_s`; each stays for `hold_s` and hangs up.

    `caller`: how their numbers begin; the number of the call follows. `sound`: what they say again and again, 8 kHz.
    """

    def __init__(
        self,
        sip_port: int,
        calls: int,
        per_s: float,
        hold_s: float,
        folder: Path,
        *,
        dial: str = "bot",
        caller: str = "caller",
        sound: np.ndarray[Any, np.dtype[np.int16]] | None = None,
    ) -> None:
        speech = folder / f"{caller}.al"
        speech.write_bytes(encode_a_law(speech_like() if sound is None else sound).tobytes())
        scenario = folder / f"{caller}-{calls}.xml"
        self._counts = folder / f"{caller}-{calls}.csv"
        values = {"SPEECH": str(speech), "HOLD_MS": str(int(1000 * hold_s)), "DIAL": dial, "CALLER": caller}
        text = _SCENARIO
        for name, value in values.items():
            text = text.replace(name, value)
        scenario.write_text(text)
        super().__init__(
            [
                "sipp", f"127.0.0.1:{sip_port}", "-sf", str(scenario), "-i", "127.0.0.1", "-mi", "127.0.0.1",
                "-p", str(_free_port()), "-m", str(calls), "-l", str(calls), "-r", "1", "-rp", str(int(1000 / per_s)),
                "-nostdin", "-timeout", f"{int(hold_s + calls / per_s) + 20}s", "-rtp_threadtasks", "25",
                "-trace_stat", "-stf", str(self._counts), "-fd", "1",
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._patience_s = hold_s + calls / per_s + 25
        self.failed = False

    def counts(self) -> tuple[int, int]:
        """Calls that ended well, and calls that failed, until a second ago."""
        try:
            heading, *_, last = self._counts.read_text().splitlines()
        except (OSError, ValueError):  # nothing has been told yet
            return 0, 0
        values = dict(zip(heading.split(";"), last.split(";"), strict=False))
        return int(values["SuccessfulCall(C)"]), int(values["FailedCall(C)"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self._patience_s)
            self.failed = self.process.returncode != 0
        self.stop()


class Capture(_Child):
    """tcpdump of these UDP ports (both included) on the loopback, each packet once, `kept` bytes of it."""

    def __init__(self, ports: tuple[int, int], file: Path, kept: int = 240) -> None:
        self.file = file
        wanted = f"udp portrange {ports[0]}-{ports[1]}"
        super().__init__(
            ["tcpdump", "-i", "lo", "-Q", "in", "-n", "-U", "-s", str(kept), "-B", "16384", "-w", str(file), wanted],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        if "listening" not in said and "listening" not in self.process.stderr.readline():
            self.stop()
            raise RuntimeError(f"tcpdump cannot capture: {said.strip()}")

    def stop(self) -> None:
        super().stop()
        if self.process.stderr is not None:
            self.process.stderr.close()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def speech_like() -> np.ndarray[Any, np.dtype[np.int16]]:
    """Partials of a wandering pitch with a syllable rhythm, and never silent; 8 kHz."""
    at = np.arange(_SPEECH_S * _RATE) / _RATE
    phase = 2 * np.pi * np.cumsum(125 + 20 * np.sin(2 * np.pi * 0.5 * at)) / _RATE
    signal = sum(np.sin(number * phase + number) / number for number in range(1, 20))
    signal = signal * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)) + np.random.default_rng(1).normal(0, 0.2, len(at))
    return np.asarray(9000 * signal / np.abs(signal).max(), dtype=np.int16)
