"""Debian's Kamailio and rtpengine with what `voicebot edge render` writes, on ports that the system picks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.acceptance.programs import Program, until
from tests.integration.edge.namespaces import socket_in
from tests.integration.edge.peer import DEADLINE_S
from tests.support import free_port, require_file, require_program
from voicebot.config import load_config
from voicebot.edge.command import write

_START_S = 20.0
_RTP_PORTS = 400


class Edge:
    """Both servers. `world`, `tls` and `inside` are where they take SIP."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], namespace: str = "") -> None:
        """`settings`: of the section `edge`, without ports and folders; `rest` of the file under that key."""
        self.kamcmd = require_program("kamcmd", package="kamailio")
        kamailio = require_program("kamailio", package="kamailio")
        rtpengine = require_program("rtpengine", package="rtpengine-daemon")
        settings = dict(settings)
        rest = settings.pop("rest", {})
        address = settings.get("world", {}).get("address", "127.0.0.1")
        self.world, self.tls = (address, _sip_port()), (address, free_port(socket.SOCK_STREAM))
        self.inside, self._control = ("127.0.0.1", _sip_port()), free_port()
        self._namespace = namespace
        self.folder = folder
        self._run = folder / "run"
        self._run.mkdir(parents=True)
        low = min(free_port() & ~1, 65535 - _RTP_PORTS)
        edge = {
            **settings,
            "world": {"address": address, "port": self.world[1], "tls_port": self.tls[1], **settings.get("world", {})},
            "inside": {"address": "127.0.0.1", "port": self.inside[1]},
            "rtp_ports": [low, low + _RTP_PORTS],
            "rtpengine_port": self._control,
            "run_dir": str(self._run),
        }
        file = folder / "voicebot.yaml"
        YAML().dump({"numbers": [{"number": "*", "bot": "bot", "language": "pl"}], "edge": edge, **rest}, file)
        files = folder / "files"
        write(load_config(file), files)
        enter = ["ip", "netns", "exec", namespace] if namespace else []
        media = ["-f", "-E", "--config-file", str(files / "rtpengine.conf"), "--pidfile", str(self._run / "media")]
        calls = ["-DD", "-E", "-f", str(files / "kamailio.cfg"), "-P", str(self._run / "calls"), "-m", "64"]
        self._argv = [*enter, kamailio, *calls, "-w", str(self._run)]
        self.programs = [Program([*enter, rtpengine, *media], folder / "rtpengine")]

    def start(self) -> None:
        """Kamailio, once rtpengine takes commands."""
        _until_answering(self._control, self._namespace)
        self.programs.append(Program(self._argv, self.folder / "kamailio"))
        until(lambda: self._answers("core.uptime"), _START_S, lambda: f"Kamailio was ready:\n{self.log()}")

    async def restart(self) -> None:
        """Kamailio alone, as after a change."""
        await asyncio.to_thread(self.programs.pop().end)
        await asyncio.to_thread(self.start)

    def rpc(self, *words: str) -> str:
        """What a command of `kamcmd` prints."""
        argv = [self.kamcmd, "-s", f"unix:{self._run}/kamailio_ctl", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def _answers(self, command: str) -> bool:
        with contextlib.suppress(AssertionError):
            return "uptime" in self.rpc(command)
        return False

    def state(self, uri: str) -> str:
        """The flags of a target, as AP."""
        return self._target(uri)[0]

    def load(self, uri: str) -> int:
        """The calls that a target has."""
        return int(self._target(uri)[1])

    def _target(self, uri: str) -> tuple[str, str]:
        listed = self.rpc("dispatcher.list").split("URI: ")
        (block,) = [part for part in listed if part.startswith(f"{uri}\n")]
        fields = dict(line.strip().split(": ", 1) for line in block.splitlines()[1:] if ": " in line)
        return fields["FLAGS"], fields.get("DLGLOAD", "0")

    async def until_state(self, uri: str, state: str) -> None:
        def told() -> str:
            return f"{uri} was {state}: {self.rpc('dispatcher.list')}"

        await asyncio.to_thread(until, lambda: self.state(uri) == state, 15, told)

    async def until_load(self, uri: str, calls: int) -> None:
        def told() -> str:
            return f"{uri} had {calls} calls: {self.rpc('dispatcher.list')}"

        await asyncio.to_thread(until, lambda: self.load(uri) == calls, 5, told)

    def log(self) -> str:
        return self.programs[-1].log()

    def end(self) -> None:
        for program in reversed(self.programs):
            program.end()


def _sip_port() -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP."""
    while True:
        port = free_port()
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _until_answering(control: int, namespace: str) -> None:
    """rtpengine takes commands."""
    with socket_in(namespace, "127.0.0.1") as probe:
        probe.settimeout(0.3)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError, ConnectionError):
                probe.sendto(b"1 d7:command4:pinge", ("127.0.0.1", control))
                if b"pong" in probe.recv(100):
                    return
        raise AssertionError("rtpengine did not start")


@asynccontextmanager
async def running(folder: Path, namespace: str = "", **settings: Any) -> AsyncIterator[Edge]:
    """An edge that answers; ends with the block."""
    edge = Edge(folder, settings, namespace)
    try:
        await asyncio.to_thread(edge.start)
        yield edge
    finally:
        await asyncio.to_thread(edge.end)


def certificate(folder: Path) -> dict[str, str]:
    """A certificate for a day, as `world` takes it."""
    require_file("lib/*/kamailio/modules/tls.so", package="kamailio-tls-modules")
    openssl = require_program("openssl", package="openssl")
    argv = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    files = {"tls_certificate": str(folder / "edge.crt"), "tls_key": str(folder / "edge.key")}
    argv += ["-subj", "/CN=edge", "-out", files["tls_certificate"], "-keyout", files["tls_key"]]
    subprocess.run([openssl, *argv], check=True, capture_output=True, timeout=20)
    return files
