"""The processes of the latency benchmark: the shop, one bot at a time, and the callers; each ends with its block."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.latency_dialog import BOT
from benchmarks.latency_measure import Call
from benchmarks.latency_talk import NUMBERS, Talk
from voicebot.demo.children import Child
from voicebot.demo.stage import LOCALHOST, free_port, until_healthy, until_listening
from voicebot.errors import ProcessFailed

READY_S = 180.0
_SHOP_READY_S = 30.0
_PREPARED_S = 180.0  # all voices of the callers
_TALK_S = 90.0


def end_on_signals() -> None:
    """SIGTERM and SIGINT cancel the task that calls this, so that its processes end with it."""
    task = asyncio.current_task()
    assert task is not None
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)


def configuration(
    data: Path,
    sip_port: int,
    http_port: int,
    calls: int,
    *,
    bot: Path = BOT,
    longest_call_s: float = 1800,
    language_model: Mapping[str, Any] | None = None,
) -> str:
    """Our `voicebot.yaml` (JSON is YAML): what `voicebot demo` uses, with more lines and nobody to hand over to."""
    settings: dict[str, Any] = {
        "data": str(data),
        "sip": {"address": LOCALHOST, "port": sip_port, "max_calls": calls + 2},
        "numbers": [{"number": number, "bot": str(bot), "language": language} for language, number in NUMBERS.items()],
        "queues": {"service": {}},
        "turns": {"drain_s": 1, "longest_call_s": longest_call_s},
        "http": {"address": LOCALHOST, "port": http_port},
    }
    if language_model is not None:
        settings["language_model"] = language_model
    return json.dumps(settings, indent=1) + "\n"


@dataclass
class Running:
    """A bot that answers at `sip_port`. `events`: what it has printed."""

    sip_port: int
    events: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The web shop; yields the environment that names it."""
    port = free_port(socket.SOCK_STREAM)
    argv = [sys.executable, "-m", "flows.examples.shop_service", "--port", str(port)]
    async with Child("shop", argv, folder / "shop.log", on_line=lambda line: None) as child:
        await until_listening(child, port, _SHOP_READY_S)
        yield {"SHOP_URL": f"http://{LOCALHOST}:{port}"}


@asynccontextmanager
async def ours(folder: Path, calls: int, env: dict[str, str], **more: Any) -> AsyncIterator[Running]:
    """`voicebot serve`; `more` goes into its `configuration`."""
    running = Running(free_port(socket.SOCK_DGRAM))
    health = free_port(socket.SOCK_STREAM)
    config = folder / "voicebot.yaml"
    settings = configuration(folder / "data", running.sip_port, health, calls, **more)
    config.write_text(settings, encoding="utf-8")
    argv = [sys.executable, "-m", "voicebot", "serve", "--events", "--config", str(config)]
    async with Child("bot", argv, folder / "ours.log", on_line=running.events.append, env=env) as child:
        await until_healthy(child, f"http://{LOCALHOST}:{health}/health", READY_S)
        yield running


@asynccontextmanager
async def stock(folder: Path, calls: int, env: dict[str, str]) -> AsyncIterator[Running]:
    """`benchmarks.latency_stock`."""
    running = Running(free_port(socket.SOCK_DGRAM))
    ready = asyncio.Event()

    def on_line(line: dict[str, Any]) -> None:
        running.events.append(line)
        if line.get("event") == "ready":
            ready.set()

    argv = [sys.executable, "-m", "benchmarks.latency_stock", "--port", str(running.sip_port), "--calls", str(calls)]
    async with Child("stock bot", argv, folder / "stock.log", on_line=on_line, env=env) as child:
        await child.ready(ready, READY_S)
        yield running


SIDES = {"ours": ours, "stock": stock}


@dataclass(frozen=True)
class Block:
    """Some minutes of one side at one load."""

    side: str
    callers: int
    calls: tuple[Call, ...]
    events: tuple[dict[str, Any], ...]


async def run_block(folder: Path, side: str, callers: int, talks: Sequence[Talk]) -> Block:
    """Start everything, let the callers call, end everything. Raises ProcessFailed."""
    async with AsyncExitStack() as stack:
        env = await stack.enter_async_context(shop(folder))
        bot = await stack.enter_async_context(SIDES[side](folder, callers, env))
        calls = await phone(folder, bot.sip_port, callers, talks)
    return Block(side, callers, tuple(calls), tuple(bot.events))


async def phone(folder: Path, sip_port: int, callers: int, talks: Sequence[Talk]) -> list[Call]:
    """Let `benchmarks.latency_callers` call the bot at `sip_port`. Raises ProcessFailed."""
    plan, output = folder / "plan.json", folder / "calls.json"
    content = {"target": [LOCALHOST, sip_port], "callers": callers, "talks": [asdict(talk) for talk in talks]}
    plan.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    output.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "benchmarks.latency_callers", str(plan), str(output)]
    log = folder / "callers.log"
    async with Child("callers", argv, log, on_line=lambda line: None) as child:
        try:
            status = await child.wait(_PREPARED_S + _TALK_S * (1 + len(talks) / callers))
        except TimeoutError:
            raise ProcessFailed("The callers did not come to an end.", f"See {log}.") from None
    if status or not output.exists():
        raise ProcessFailed(f"The callers ended with status {status}.", f"See {log}.")
    return [Call.of(call) for call in json.loads(output.read_text(encoding="utf-8"))]
