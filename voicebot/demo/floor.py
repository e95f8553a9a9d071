"""`voicebot demo --floor`: callers and agents keep coming, and whoever signs in sees a living floor and takes calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aioice.ice import get_host_addresses
from rich.console import Console

from voicebot.access.model import NewUser
from voicebot.access.passwords import make_password
from voicebot.demo.children import Child, cancelled_by_signals, until_signal
from voicebot.demo.crowd import NUMBERS
from voicebot.demo.guests import Login, newcomer, sign_up
from voicebot.demo.report import FloorView, print_pages
from voicebot.demo.runner import EXAMPLE_BOT
from voicebot.demo.stage import AGENTS, LOCALHOST, QUEUE, Commands, DemoAgent, Stage, built_stage, free_port

BROWSER_AGENTS = (
    DemoAgent(
        "Jan",
        "pl",
        "espeak:pl+m3",
        (
            "Dzień dobry, mówi Jan. W czym mogę pomóc?",
            "Rozumiem. Proszę podać numer zamówienia.",
            "Już sprawdzam. Paczka jest w drodze i będzie jutro.",
            "Dziękuję za rozmowę, do widzenia.",
        ),
    ),
    DemoAgent(
        "Olivia",
        "en",
        "espeak:en-gb+f2",
        (
            "Hello, this is Olivia. How can I help you?",
            "I see. Can you tell me the order number?",
            "I have found it. Your parcel is on its way and arrives tomorrow.",
            "Thank you for calling, goodbye.",
        ),
    ),
)
"""Beside the two at desk phones; their voices are nobody else's."""

_MOST_CALLS = 8
_READY_S = 60.0
_TIDY_S = 60.0
_KEPT_RECORDINGS = 30
_KEPT_OF_PHONE = 3


def sections(callers_port: int, most_calls: int) -> dict[str, Any]:
    """Settings of a floor that shows everything within minutes."""
    addresses = [*get_host_addresses(use_ipv4=True, use_ipv6=False), LOCALHOST]
    return {
        # The newcomer may ring the bot, too, and callers are called back.
        "sip": {"max_calls": most_calls + 4},
        "queues": {QUEUE: {"ring_s": 20, "decide_s": 45, "wrap_up_s": 20, "announce_every_s": 20}},
        "people": {"outbound": {"uri": f"sip:{{number}}@{LOCALHOST}:{callers_port}", "allow": [NUMBERS]}},
        "routing": [{"when": {"mood": "angry"}, "priority": 10, "hand_over": True}],
        "alerts": {"wait_s": 45},
        "http": {"media_addresses": addresses},
    }


def colleagues(phones: Sequence[str]) -> list[tuple[DemoAgent, NewUser]]:
    """The simulated agents; those of `AGENTS` have these desk phones."""
    return [
        (
            agent,
            NewUser(
                agent.name.lower(),
                agent.name,
                make_password(),
                ("agent",),
                language=agent.language,
                languages=(agent.language,),
                phone=phone,
            ),
        )
        for agent, phone in [*zip(AGENTS, phones, strict=True), *((agent, "") for agent in BROWSER_AGENTS)]
    ]


class LivingFloor:
    """Everything that `--floor` runs."""

    def __init__(self, output: Path, console: Console, commands: Commands) -> None:
        self._output = output
        self._console = console
        self._commands = commands
        self._view = FloorView(console)
        self._most_calls = min(_MOST_CALLS, 2 * (os.cpu_count() or 1))

    async def run(self) -> None:
        """Until Ctrl-C. Raises ProcessFailed when something cannot begin, or ends by itself."""
        port = free_port(socket.SOCK_DGRAM)
        settings = sections(port, self._most_calls)
        show = self._view.show
        self._console.print("Building the floor: this takes half a minute or more.")
        async with AsyncExitStack() as stack:
            stage = await stack.enter_async_context(
                built_stage(self._output, self._commands, EXAMPLE_BOT, show, lambda uris: settings)
            )
            people = colleagues(stage.phones)
            login, *_ = await asyncio.to_thread(sign_up, stage.data, [newcomer(), *(user for _, user in people)])
            agents, crowd = await asyncio.gather(
                self._started(stack, "colleagues", self._colleagues(stage, people)),
                self._started(stack, "crowd", self._crowd(stage, port)),
            )
            self._tell(stage, login, settings)
            tidying = asyncio.create_task(self._tidy(stage), name="remove old recordings")
            try:
                await until_signal(stage.bot, agents, crowd)
            finally:
                tidying.cancel()
                await asyncio.wait({tidying})

    def _tell(self, stage: Stage, login: Login, settings: Mapping[str, Any]) -> None:
        print_pages(self._console, stage.pages, login)
        self._console.print(
            "To take calls, open My desk, connect your audio and become available. To call the bot yourself, ring"
            f" {stage.address('pl')} or {stage.address('en')} with a SIP phone on this machine.\n",
            highlight=False,
        )
        if settings["http"]["media_addresses"] == [LOCALHOST]:
            self._console.print(
                "This machine has no network address: start Chromium with --allow-loopback-in-peer-connection,"
                " or your browser will not connect its audio.\n",
                highlight=False,
            )

    def _colleagues(self, stage: Stage, people: Sequence[tuple[DemoAgent, NewUser]]) -> list[str]:
        """The command; who they are goes into a file that only this user can read."""
        plan = {
            "pages": stage.pages,
            "agents": [
                {
                    "login": user.login,
                    "password": user.password,
                    "name": user.name,
                    "language": agent.language,
                    "voice": agent.voice,
                    "lines": [] if user.phone else list(agent.lines),
                }
                for agent, user in people
            ],
        }
        path = self._output / "colleagues.json"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")
        return [sys.executable, "-m", "voicebot.demo.colleagues", str(path)]

    def _crowd(self, stage: Stage, port: int) -> list[str]:
        argv = [sys.executable, "-m", "voicebot.demo.crowd", "--pl", stage.address("pl"), "--en", stage.address("en")]
        return [*argv, "--port", str(port), "--most", str(self._most_calls)]

    async def _started(self, stack: AsyncExitStack, name: str, argv: Sequence[str]) -> Child:
        ready = asyncio.Event()

        def on_line(line: dict[str, Any]) -> None:
            if line.get("event") == "ready":
                ready.set()
            self._view.show(name, line)

        child = Child(name, argv, self._output / "logs" / f"{name}.log", on_line=on_line)
        await stack.enter_async_context(child)
        await child.ready(ready, _READY_S)
        return child

    async def _tidy(self, stage: Stage) -> None:
        while True:
            await asyncio.to_thread(tidy, stage.calls, self._output)
            await asyncio.sleep(_TIDY_S)


def tidy(calls: Path, output: Path) -> None:
    """Remove old sound, which is what takes room: of the bot's calls, and of those that the desk phones keep."""
    for recording in _oldest(calls.glob("*/*.wav"), _KEPT_RECORDINGS):
        recording.unlink(missing_ok=True)
    for agent in AGENTS:
        for folder in _oldest((output / f"agent-{agent.name.lower()}").glob("agent-call-*"), _KEPT_OF_PHONE):
            shutil.rmtree(folder, ignore_errors=True)


def _oldest(paths: Any, kept: int) -> list[Path]:
    """All but the newest."""
    dated = []
    for path in paths:
        with contextlib.suppress(OSError):
            dated.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(dated)[: max(0, len(dated) - kept)]]


def floor_command(output: Path) -> int:
    """Runs until Ctrl-C, and then ends with status 0. Raises ProcessFailed."""
    console = Console()
    folder = output.resolve()

    async def run() -> None:
        cancelled_by_signals()
        await LivingFloor(folder, console, Commands()).run()

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run())
    console.print("The floor is closed; its processes have been ended.")
    return 0
