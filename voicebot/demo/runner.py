"""`voicebot demo`: real calls on this machine, offline, with everybody in a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

import flows
from voicebot.caller.script import Script, load_script
from voicebot.demo.children import Child, cancelled_by_signals, until_signal
from voicebot.demo.guests import newcomer, sign_up
from voicebot.demo.judge import CallReport, judge
from voicebot.demo.report import LiveView, print_files, print_pages, print_pages_later, table
from voicebot.demo.stage import Commands, Stage, built_stage

SCENARIOS = Path(__file__).parent / "scenarios"
EXAMPLE_BOT = Path(flows.__file__).parent / "examples" / "shop"

_CALLER_START_S = 45.0
_RECORD_S = 15.0  # the bot's files and the agent's report follow the end of the call


@dataclass(frozen=True)
class DemoReport:
    calls: tuple[CallReport, ...]

    @property
    def passed(self) -> bool:
        return bool(self.calls) and all(not call.problems for call in self.calls)

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "calls": [call.as_json() for call in self.calls]}


Afterwards = Callable[[Stage, DemoReport], Awaitable[None]]
"""What is done while everything still runs, when the last call is over."""


class Demo:
    """Plays scenarios one after the other and keeps what bot and agents tell."""

    def __init__(self, output: Path, view: LiveView, commands: Commands) -> None:
        self._output = output
        self._view = view
        self._commands = commands
        self._told = asyncio.Event()
        self._bot_calls: dict[str, str] = {}  # call id by the caller's number, of the scenario that is on
        self._ended: set[str] = set()
        self._agents: list[dict[str, Any]] = []
        self._ringing = 0

    async def run(self, scenarios: Sequence[Path], bot_folder: Path, afterwards: Afterwards) -> DemoReport:
        """Raises ProcessFailed when the stage cannot be built, ScriptError for a wrong scenario."""
        scripts = [(path, load_script(path)) for path in scenarios]
        reports = []
        async with built_stage(self._output, self._commands, bot_folder, self._hear) as stage:
            for path, script in scripts:
                reports.append(await self._play(stage, path, script))
                self._view.result(reports[-1])
            report = DemoReport(tuple(reports))
            await afterwards(stage, report)
        return report

    def _hear(self, who: str, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if who == "bot" and kind == "call_started":
            self._bot_calls[str(event["caller"])] = str(event["call_id"])
        elif who == "bot" and kind == "call_ended":
            self._ended.add(str(event["call_id"]))
        elif kind == "ringing":
            self._ringing += 1
        elif kind == "done":
            self._ringing -= 1
            self._agents.append(event["call"])
        self._view.show(who, event)
        self._told.set()

    async def _play(self, stage: Stage, path: Path, script: Script) -> CallReport:
        self._bot_calls.clear()
        self._agents.clear()
        self._view.call(f"{script.script}: {stage.address(script.language)}")
        folder = self._output / script.script
        caller: dict[str, Any] = {}

        def on_line(line: dict[str, Any]) -> None:
            if "script" in line:
                caller.update(line)
            else:
                self._hear("caller", line)

        argv = (*self._commands.caller, str(path), "--target", stage.address(script.language), "--output", str(folder))
        log = self._output / "logs" / "caller.log"
        async with Child("caller", argv, log, on_line=on_line) as child:
            with contextlib.suppress(TimeoutError):
                await child.wait(_CALLER_START_S + script.deadline_s)
        if not caller:
            caller = {"problems": [f"The simulated caller left no report; see {log}."]}
        await self._settle(script.number)
        call_id = self._bot_calls.get(script.number)
        record = stage.calls / call_id if call_id is not None else None
        return await asyncio.to_thread(judge, script, caller, record, tuple(self._agents))

    async def _settle(self, number: str) -> None:
        """Wait, for a bounded time, until the bot's files are written and the agent has reported."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RECORD_S):
                while not (self._written(number) and self._ringing == 0):
                    self._told.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.2):  # the files are written after the last event
                            await self._told.wait()

    def _written(self, number: str) -> bool:
        call_id = self._bot_calls.get(number)
        if call_id is None:
            return False
        return call_id in self._ended and (self._output / "data" / "calls" / call_id / "summary.json").exists()


async def _nothing(stage: Stage, report: DemoReport) -> None:
    pass


async def run_demo(
    output: Path,
    *,
    scenarios: Sequence[Path] | None = None,
    bot_folder: Path = EXAMPLE_BOT,
    commands: Commands | None = None,
    view: LiveView | None = None,
    afterwards: Afterwards = _nothing,
) -> DemoReport:
    """Play the scenarios (all that ship with the package when left out); files go to `output`."""
    chosen = sorted(SCENARIOS.glob("*.yaml")) if scenarios is None else scenarios
    demo = Demo(output, view or LiveView(Console(), quiet=True), commands or Commands())
    return await demo.run(chosen, bot_folder, afterwards)


def demo_command(output: Path, as_json: bool) -> int:
    """Exit status 0 when every call did what it should. With `as_json` the last line printed is the report.

    On a terminal everything goes on running after the last call, until Ctrl-C.
    """
    console = Console(stderr=as_json)
    folder = output.resolve()
    stays = sys.stdout.isatty() and not as_json

    async def afterwards(stage: Stage, report: DemoReport) -> None:
        console.print(table(report.calls))
        print_files(console, report.calls)
        if stays:
            await open_pages(stage, console)

    async def run() -> DemoReport:
        cancelled_by_signals()
        return await run_demo(folder, view=LiveView(console), afterwards=afterwards)

    try:
        report = asyncio.run(run())
    except asyncio.CancelledError:
        console.print("The demo was stopped; its processes have been ended.")
        return 1
    if not stays:
        print_pages_later(console, output / "voicebot.yaml")
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False), flush=True)
    return 0 if report.passed else 1


async def open_pages(stage: Stage, console: Console) -> None:
    """Say where the pages are and how to sign in, and stay until Ctrl-C. Raises ProcessFailed when the bot ends."""
    (login,) = await asyncio.to_thread(sign_up, stage.data, [newcomer()])
    print_pages(console, stage.pages, login)
    await until_signal(stage.bot)
