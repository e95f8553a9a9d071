"""The processes of the capacity benchmark: a bot, ours or the stock one, and its callers; each ends with its block."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.capacity_dialog import NUMBER, VOICE, write_bot
from benchmarks.capacity_wire import CallSeen, calls_seen
from benchmarks.latency_stock import RTP_PORTS as STOCK_RTP_PORTS
from benchmarks.wire_capture import Phase, datagrams
from benchmarks.wire_peers import RTP_PORTS_PER_CALL, Capture, rtp_low
from voicebot.demo.children import Child
from voicebot.demo.stage import LOCALHOST, free_port, until_healthy

SPARE_CALLS = 10
MOST_CALLS = 200  # that a worker may be set to
_READY_S = 180.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Usage:
    """What one process has used until now, and holds now; its children are other processes."""

    at: float
    cpu_s: float
    memory_mb: float
    threads: int
    files: int


@dataclass
class Bot:
    """One that runs, and answers at `sip_port`."""

    pid: int
    sip_port: int
    rtp_ports: tuple[int, int]

    def usage(self) -> Usage:
        process = Path(f"/proc/{self.pid}")
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return Usage(
            time.time(),
            (int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
            int(fields[21]) * _PAGE_MB,
            int(fields[17]),
            len(list((process / "fd").iterdir())),
        )


@dataclass(frozen=True)
class Watched:
    """What was captured of a bot for a while."""

    file: Path
    rtp_ports: tuple[int, int]
    phase: Phase

    async def calls(self) -> dict[int, CallSeen]:
        """By port; the capture is gone then."""
        seen = await asyncio.to_thread(
            lambda: calls_seen(datagrams(self.file, self.phase), self.rtp_ports, self.phase.end)
        )
        self.file.unlink()
        return seen


async def watch(bot: Bot, folder: Path, seconds: float) -> Watched:
    """Raises RuntimeError where nothing can be captured."""
    with Capture(bot.rtp_ports, folder / "rtp.pcap") as capture:
        start = time.time()
        await asyncio.sleep(seconds)
        phase = Phase(start, time.time())
    return Watched(capture.file, bot.rtp_ports, phase)


@asynccontextmanager
async def ours(folder: Path, calls: int, *, scripted: bool = True) -> AsyncIterator[Bot]:
    """`voicebot serve` in `folder`; its recognition `scripted` or that of the demo model. Raises ProcessFailed."""
    sip, http = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    low = rtp_low()
    ports = (low, low + RTP_PORTS_PER_CALL * (calls + SPARE_CALLS) - 1)
    config = _prepared(folder, sip, http, ports, calls)
    program = ["benchmarks.floor_server"] if scripted else ["voicebot", "serve", "--config"]
    argv = [sys.executable, "-m", *program, str(config)]
    async with Child("bot", argv, folder / "bot.log", on_line=lambda line: None) as child:
        await until_healthy(child, f"http://{LOCALHOST}:{http}/health", _READY_S)
        yield Bot(child.pid, sip, ports)


@asynccontextmanager
async def stock(folder: Path, calls: int) -> AsyncIterator[Bot]:
    """`benchmarks.capacity_stock`. Raises ProcessFailed."""
    sip = free_port(socket.SOCK_DGRAM)
    ready = asyncio.Event()
    argv = [sys.executable, "-m", "benchmarks.capacity_stock", "--port", str(sip), "--calls", str(calls)]
    async with Child("stock bot", argv, folder / "bot.log", on_line=lambda line: ready.set()) as child:
        await child.ready(ready, _READY_S)
        yield Bot(child.pid, sip, STOCK_RTP_PORTS)


def _prepared(folder: Path, sip: int, http: int, rtp_ports: tuple[int, int], calls: int) -> Path:
    """Our configuration, and the bot's files."""
    write_bot(folder / "bot")
    settings: dict[str, Any] = {
        "data": str(folder / "data"),
        "sip": {
            "address": LOCALHOST,
            "port": sip,
            "max_calls": min(calls + SPARE_CALLS, MOST_CALLS),
            "rtp_ports": list(rtp_ports),
        },
        "numbers": [{"number": NUMBER, "bot": str(folder / "bot"), "language": "pl"}],
        "queues": {"service": {}},
        "speech": {"voices": {"pl": VOICE, "en": "espeak:en-us"}},
        "turns": {"drain_s": 1},
        "http": {"address": LOCALHOST, "port": http},
    }
    config = folder / "voicebot.yaml"
    config.write_text(json.dumps(settings), "utf-8")
    return config
