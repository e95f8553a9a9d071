"""Debian's `baresip` as a telephone: answers by itself, dials when told, plays a file, keeps what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import wave
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tests.contract.telephony.listening import until
from tests.support import free_port, require_program

_MODULES = "/usr/lib/baresip/modules"
_CODECS = {"pcma": ("PCMA/8000/1", 8000, 1), "pcmu": ("PCMU/8000/1", 8000, 1), "opus": ("opus/48000/2", 48000, 2)}


class DebianPhone:
    """One baresip process in a folder of its own; `async with` ends it."""

    def __init__(self, folder: Path, speech: NDArray[np.int16], codec: str = "pcma", *, encryption: str = "") -> None:
        """`speech`: what it says again and again, at 8000 Hz (48000 Hz for Opus). `encryption`: as `srtp-mand`."""
        self.program = require_program("baresip", package="baresip-core")
        self.folder = folder / "phone"
        self.recordings = self.folder / "heard"
        self.recordings.mkdir(parents=True)
        self.port = free_port()
        self._control_port = free_port(socket.SOCK_STREAM)
        name, rate, channels = _CODECS[codec]
        with wave.open(str(self.folder / "speech.wav"), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.repeat(speech, channels).astype("<i2").tobytes())
        modules = ("g711", "opus", "aufile", "aubridge", "sndfile", "srtp")
        applications = ("account", "menu", "ctrl_tcp")
        lines = [
            f"sip_listen 127.0.0.1:{self.port}",
            "net_interface 127.0.0.1",
            f"module_path {_MODULES}",
            *(f"module {module}.so" for module in modules),
            *(f"module_app {module}.so" for module in applications),
            f"ctrl_tcp_listen 127.0.0.1:{self._control_port}",
            f"audio_source aufile,{self.folder / 'speech.wav'}",
            "audio_player aubridge,nowhere",
            f"snd_path {self.recordings}",
            "rtp_ports 26000-26999",
        ]
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        (self.folder / "accounts").write_text(
            f"<sip:phone@127.0.0.1:{self.port}>;regint=0;answermode=auto;audio_codecs={name}"
            f"{f';mediaenc={encryption}' if encryption else ''}\n"
        )
        (self.folder / "contacts").write_text("")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def uri(self) -> str:
        return f"sip:phone@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        with (self.folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                self.program, "-f", str(self.folder), stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
            )
        await until(lambda: "baresip is ready" in self.log())
        return self

    async def command(self, name: str, parameters: str = "") -> None:
        """One command of its menu, e.g. `dial`."""
        message = json.dumps({"command": name, "params": parameters})
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._control_port)
            writer.write(f"{len(message)}:{message},".encode())
            await reader.readuntil(b",")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def heard(self) -> tuple[bytes, int]:
        """First channel of what it received in its last call, complete once the call is over, and the sample rate."""
        recording = max(self.recordings.glob("*-dec.wav"), key=lambda path: path.stat().st_mtime)
        with wave.open(str(recording)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return samples[:: file.getnchannels()].tobytes(), file.getframerate()
