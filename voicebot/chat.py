"""`voicebot chat`: the flows of the phone, by text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape

from flows import Bot, EmbeddedUnderstanding, Engine
from flows.attempts import GuardedSystems, MemoryAttempts
from flows.systems import SystemClient, Systems
from flows.testing import Conversation
from voicebot.answers import recorded_systems
from voicebot.bots import load_bot

KEYS, COMMAND = "#", "/"
HELP = """\
What you write is what the caller says. An empty line is silence; #12 are keys of the telephone.
/over WORDS   say it into the bot's last sentence, of which nothing was heard
/nobody       after a handoff: no agent takes the call
/slots        what the bot knows now
/help         this
The end of input (Ctrl-D) hangs up."""


@dataclass(frozen=True)
class Caller:
    """Who calls, and which number."""

    language: str = ""
    number: str = ""
    dialled: str = ""


class Chat:
    """One conversation at the keyboard. `log` gets a JSON object a line for every turn."""

    def __init__(
        self, talk: Conversation, console: Console, read: Callable[[], str | None], log: TextIO | None
    ) -> None:
        self._talk = talk
        self._console = console
        self._read = read
        self._log = log

    async def run(self, caller: Caller) -> None:
        """Until the bot hangs up, the call is given away for good, or the input ends."""
        talk = self._talk
        self._hear("", await talk.start(language=caller.language, caller=caller.number, dialled=caller.dialled))
        while not talk.ended:
            if talk.handoff is not None:
                self._aside(f"The call goes to people: queue {talk.handoff.queue}, {talk.handoff.detail}")
            line = await asyncio.to_thread(self._read)
            if line is None:
                return
            await self._take(line.strip())

    async def _take(self, line: str) -> None:
        talk = self._talk
        command, _, words = line.partition(" ")
        match command:
            case "/help":
                self._aside(HELP)
            case "/slots":
                self._show_state()
            case "/nobody" if talk.handoff is not None:
                self._hear(line, await talk.nobody_answers())
            case "/over" if words and talk.handoff is None:
                self._hear(line, await talk.interrupt(words))
            case _ if line.startswith(COMMAND):
                self._aside(f"{command} can not be done now. /help tells what can.")
            case _ if talk.handoff is not None:
                self._aside("The bot has given the call away. /nobody: no agent takes it; Ctrl-D: the end.")
            case _ if line.startswith(KEYS):
                self._hear(line, await talk.press(line.removeprefix(KEYS)))
            case _ if line:
                self._hear(line, await talk.say(line))
            case _:
                self._hear(line, await talk.silence())

    def _hear(self, line: str, said: list[str]) -> None:
        for text in said:
            self._console.print(f"[bold]bot[/]  {escape(text)}", highlight=False, soft_wrap=True)
        if self._log is not None:
            notes = [asdict(note) for note in self._talk.notes()]
            state = self._talk.state
            turn: dict[str, Any] = {"caller": line, "bot": said, "flow": state.flow, "slots": state.slots}
            self._log.write(json.dumps({**turn, "decisions": notes}, ensure_ascii=False) + "\n")
            self._log.flush()

    def _show_state(self) -> None:
        state = self._talk.state
        self._aside(f"flow: {state.flow or 'none'}")
        for name, value in state.slots.items():
            self._aside(f"{name}: {json.dumps(value, ensure_ascii=False)}")

    def _aside(self, text: str) -> None:
        self._console.print(f"[dim]{escape(text)}[/]", highlight=False, soft_wrap=True)


async def run_chat(
    folder: Path, caller: Caller, console: Console, *, log: Path | None = None, ask_systems: bool = False
) -> None:
    """Talk to the bot in a folder. Raises FlowProblems, SettingMissing.

    Company systems are asked where there are no recorded answers, or with `ask_systems`.
    """
    bot = load_bot(folder)
    recorded = bot.answers is not None and not ask_systems
    systems: Systems = recorded_systems(bot, {}, _now, waits=True) if recorded else _asked(bot)
    talk = Conversation(Engine(bot), EmbeddedUnderstanding(bot), systems, clock=_now)
    if bot.systems:
        told = "Company systems answer as answers.yaml says." if recorded else "Company systems are really asked."
        console.print(f"[dim]{told}[/]", highlight=False)
    try:
        with ExitStack() as stack:
            file = stack.enter_context(log.open("a", encoding="utf-8")) if log is not None else None
            await Chat(talk, console, _line, file).run(caller)
    finally:
        await systems.close()


def _asked(bot: Bot) -> Systems:
    """The company systems; failed verifications are remembered for this conversation only."""
    return GuardedSystems(SystemClient(bot), MemoryAttempts(), _now)


def _now() -> datetime:
    return datetime.now().astimezone()


def _line() -> str | None:
    try:
        return input("you  ")
    except EOFError:
        return None
