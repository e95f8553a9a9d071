"""What stands around the demo's calls: the shop, the agents' phones and the bot, each a process on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from voicebot.demo.children import Child
from voicebot.errors import ProcessFailed

Show = Callable[[str, dict[str, Any]], None]  # (who, event)

LOCALHOST = "127.0.0.1"
QUEUE = "service"  # the one that the example bot names
_SHOP_READY_S = 20.0
_AGENT_READY_S = 40.0
_BOT_READY_S = 180.0  # loads models and speaks every fixed prompt once
_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True)
class DemoAgent:
    """An agent of the demo; the voices are not those of the bot or of the callers."""

    name: str
    language: str
    voice: str
    lines: tuple[str, ...]


AGENTS = (
    DemoAgent(
        "Anna",
        "pl",
        "espeak:pl+Alicia",
        ("Dzień dobry, mówi Anna. Znam już pana sprawę, proszę mówić.", "Dziękuję za rozmowę, do widzenia."),
    ),
    DemoAgent(
        "Emma",
        "en",
        "espeak:en-gb-x-gbcwmd+f4",
        ("Good morning, this is Emma. I know what you are calling about.", "Thank you for calling, goodbye."),
    ),
)


def configured_agents(uris: Sequence[str]) -> dict[str, Any]:
    """The agents at their desk phones, always there."""
    agents = [
        {"name": agent.name, "uri": uri, "languages": [agent.language]} for agent, uri in zip(AGENTS, uris, strict=True)
    ]
    return {"queues": {QUEUE: {"agents": agents, "ring_s": 15, "decide_s": 45}}}


@dataclass(frozen=True)
class Commands:
    """How the processes are started; tests put others in their place."""

    bot: tuple[str, ...] = (sys.executable, "-m", "voicebot", "serve", "--events")
    shop: tuple[str, ...] = (sys.executable, "-m", "flows.examples.shop_service")
    agent: tuple[str, ...] = (sys.executable, "-m", "voicebot.caller.agent_phone")
    caller: tuple[str, ...] = (sys.executable, "-m", "voicebot.caller")


@dataclass(frozen=True)
class Stage:
    """Everything runs. `numbers`: what to dial for a language. `pages`: the address of the console."""

    sip_uri: str  # with {number}
    numbers: dict[str, str]
    data: Path  # the bot's
    pages: str
    bot: Child
    phones: tuple[str, ...]  # addresses of the agents' telephones, as AGENTS are

    @property
    def calls(self) -> Path:
        """Holds a folder for each call."""
        return self.data / "calls"

    def address(self, language: str) -> str:
        return self.sip_uri.format(number=self.numbers[language])


@asynccontextmanager
async def built_stage(
    output: Path,
    commands: Commands,
    bot_folder: Path,
    show: Show,
    sections: Callable[[Sequence[str]], Mapping[str, Any]] = configured_agents,
) -> AsyncIterator[Stage]:
    """Start everything, in order, and end it in the reverse order. Raises ProcessFailed.

    `sections`: further settings of the bot, given the addresses of the agents' phones.
    """
    logs = output / "logs"
    await asyncio.to_thread(logs.mkdir, parents=True, exist_ok=True)
    sip, http, shop = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    shop_url = f"http://{LOCALHOST}:{shop}"
    async with AsyncExitStack() as stack:
        argv = (*commands.shop, "--port", str(shop))
        child = await stack.enter_async_context(Child("shop", argv, logs / "shop.log", on_line=lambda line: None))
        await until_listening(child, shop, _SHOP_READY_S)
        uris = await asyncio.gather(
            *(stack_agent(stack, agent, commands.agent, output, logs, show) for agent in AGENTS)
        )
        numbers = {"pl": "100", "en": "200"}
        config = output / "voicebot.yaml"
        text = configuration(output / "data", sip, http, numbers, bot_folder, sections(uris))
        await asyncio.to_thread(config.write_text, text, "utf-8")
        bot = Child(
            "bot",
            (*commands.bot, "--config", str(config)),
            logs / "bot.log",
            on_line=lambda line: show("bot", line),
            env={"SHOP_URL": shop_url},
        )
        await stack.enter_async_context(bot)
        pages = f"http://{LOCALHOST}:{http}"
        await until_healthy(bot, f"{pages}/health", _BOT_READY_S)
        yield Stage(f"sip:{{number}}@{LOCALHOST}:{sip}", numbers, output / "data", pages, bot, tuple(uris))


async def stack_agent(
    stack: AsyncExitStack, agent: DemoAgent, command: Sequence[str], output: Path, logs: Path, show: Show
) -> str:
    """Start an agent's phone and return its address."""
    ready = asyncio.Event()
    uri = ""

    def on_line(line: dict[str, Any]) -> None:
        nonlocal uri
        if line.get("event") == "ready":
            uri = str(line["uri"])
            ready.set()
        show(agent.name, line)

    argv = [*command, "--name", agent.name, "--language", agent.language, "--voice", agent.voice]
    argv += ["--output", str(output / f"agent-{agent.name.lower()}")]
    argv += [word for line in agent.lines for word in ("--line", line)]
    child = await stack.enter_async_context(
        Child(agent.name, argv, logs / f"{agent.name.lower()}.log", on_line=on_line)
    )
    await child.ready(ready, _AGENT_READY_S)
    return uri


def configuration(
    data: Path,
    sip_port: int,
    http_port: int,
    numbers: dict[str, str],
    bot_folder: Path,
    sections: Mapping[str, Any],
) -> str:
    """The demo's `voicebot.yaml` (JSON is YAML): the example bot on loopback, the offline voice, the demo model."""
    settings: dict[str, Any] = {
        "data": str(data.resolve()),
        "sip": {"address": LOCALHOST, "port": sip_port, "max_calls": 4},
        "numbers": [
            {"number": number, "bot": str(bot_folder.resolve()), "language": language}
            for language, number in numbers.items()
        ],
        "turns": {"drain_s": 1},
        "http": {"address": LOCALHOST, "port": http_port},
    }
    for name, values in sections.items():
        settings[name] = {**settings.get(name, {}), **values} if isinstance(values, Mapping) else values
    return json.dumps(settings, ensure_ascii=False, indent=2) + "\n"


def free_port(kind: socket.SocketKind) -> int:
    """A port that was free a moment ago, for UDP and TCP alike when `kind` is UDP."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((LOCALHOST, 0))
            port = int(probe.getsockname()[1])
            if kind is socket.SOCK_STREAM:
                return port
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
                try:
                    other.bind((LOCALHOST, port))
                except OSError:
                    continue
                return port
    raise ProcessFailed("No free port was found on 127.0.0.1.", "End some programs and try again.")


async def until_listening(child: Child, port: int, deadline_s: float) -> None:
    async def probe() -> bool:
        try:
            _, writer = await asyncio.open_connection(LOCALHOST, port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    await _until(child, probe, deadline_s)


async def until_healthy(child: Child, url: str, deadline_s: float) -> None:
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:

        async def probe() -> bool:
            try:
                return (await client.get(url)).status_code == 200
            except httpx.HTTPError:
                return False

        await _until(child, probe, deadline_s)


async def _until(child: Child, probe: Callable[[], Any], deadline_s: float) -> None:
    ready = asyncio.Event()

    async def look() -> None:
        while True:
            if await probe():
                ready.set()
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    looking = asyncio.create_task(look(), name=f"look for {child.name}")
    try:
        await child.ready(ready, deadline_s)
    finally:
        looking.cancel()
        await asyncio.wait({looking})
