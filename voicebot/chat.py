"""`voicebot chat`: the flows of the phone, by text."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from flows import EmbeddedUnderstanding, Engine
from flows.systems import SystemClient
from flows.testing import Conversation
from voicebot.bots import load_bot

KEYS = "#"


async def run_chat(folder: Path, language: str, console: Console) -> None:
    """Talk until the bot hangs up, gives the call away, or the input ends."""
    bot = load_bot(folder)
    systems = SystemClient(bot)
    talk = Conversation(Engine(bot), EmbeddedUnderstanding(bot), systems, clock=lambda: datetime.now().astimezone())
    try:
        _show(console, await talk.start(language=language))
        while not talk.ended:
            if talk.handoff is not None:
                console.print(f"[dim]The call goes to people: queue {talk.handoff.queue}, {talk.handoff.detail}[/]")
                return
            line = await _line()
            if line is None:
                return
            if line.startswith(KEYS):
                _show(console, await talk.press(line.removeprefix(KEYS)))
            elif line.strip():
                _show(console, await talk.say(line.strip()))
            else:
                _show(console, await talk.silence())
    finally:
        await systems.close()


def _show(console: Console, texts: list[str]) -> None:
    for text in texts:
        console.print(f"[bold]bot[/]  {escape(text)}", highlight=False)


async def _line() -> str | None:
    try:
        return await asyncio.to_thread(input, "you  ")
    except EOFError:
        return None
