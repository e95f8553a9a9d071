"""`voicebot flows test`: the scripted conversations of a bot, played and reported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from flows import Bot, EmbeddedUnderstanding, Engine
from flows.actions import CallSystem
from flows.scripted import Played, Scripted, TextTalk, play
from flows.source import closest
from flows.testing import FakeSystemClient
from tts.text import spoken
from voicebot.answers import recorded_systems
from voicebot.check import load_tested
from voicebot.config import Config
from voicebot.errors import VoicebotError

ZONE = ZoneInfo("Europe/Warsaw")
_NAMES = {"bot": "bot", "caller": "caller", "keys": "keys", "interrupts": "caller, into it"}


class NothingToPlay(VoicebotError):
    """No conversation was found, or none of that name or language."""

    code = "nothing_to_play"


def test_command(folder: Path, *, only: str, language: str, audio: bool, as_json: bool, settings: Config | None) -> int:
    """Exit status 0 when every conversation went as written, else 1. Raises FlowProblems, NothingToPlay.

    `audio`: by telephone, with the ears and voices of `settings`.
    """
    bot, conversations = load_tested(folder)
    chosen = _chosen(conversations, folder, only, language)
    if audio and not only:
        chosen = [scripted for scripted in chosen if scripted.audio]
        if not chosen:
            raise NothingToPlay("No conversation is meant to be spoken.", "Write `audio: true` into it, or use --only.")
    console = Console(stderr=as_json)
    if audio:
        playing = _play_calls(bot, chosen, folder, console, settings)
    else:
        playing = _play_texts(bot, chosen, folder, console)
    results = asyncio.run(playing)
    failed = sum(not played.passed for played in results)
    if as_json:
        report = {
            "passed": len(results) - failed,
            "failed": failed,
            "conversations": [played.as_json() for played in results],
        }
        print(json.dumps(report, ensure_ascii=False))
    else:
        seconds = sum(played.seconds for played in results)
        colour = "red" if failed else "green"
        console.print(f"[{colour}]{len(results) - failed} passed, {failed} failed[/] in {seconds:.2f} s.")
    return 1 if failed else 0


def _chosen(conversations: Sequence[Scripted], folder: Path, only: str, language: str) -> list[Scripted]:
    if not conversations:
        raise NothingToPlay(f"There are no conversations in {folder / 'tests'}.", "See docs/how-to/test-flows.md.")
    names = [scripted.name for scripted in conversations]
    if only and only not in names:
        raise NothingToPlay(f"There is no conversation {only}.", closest(only, names))
    chosen = [
        scripted for scripted in conversations if only in ("", scripted.name) and language in ("", scripted.language)
    ]
    if not chosen:
        raise NothingToPlay(f"There is no such conversation in the language {language!r}.", "Name pl or en.")
    return chosen


async def _play_texts(bot: Bot, chosen: Sequence[Scripted], folder: Path, console: Console) -> list[Played]:
    engine, understanding = Engine(bot), EmbeddedUnderstanding(bot)
    results = []
    for scripted in chosen:
        systems = _systems(bot, scripted)
        now = scripted.now.replace(tzinfo=ZONE)
        talk = TextTalk(scripted, engine, understanding, systems, now, spoken)
        results.append(await play(scripted, talk, lambda call: _changes(bot, call)))
        show(console, results[-1], folder)
    return results


async def _play_calls(
    bot: Bot, chosen: Sequence[Scripted], folder: Path, console: Console, settings: Config | None
) -> list[Played]:
    from voicebot.audio_tests.run import telephone_bot

    results = []
    async with telephone_bot(bot, settings) as telephone:
        for scripted in chosen:
            systems = _systems(bot, scripted, waits=True)
            results.append(await telephone.play(scripted, systems, lambda call: _changes(bot, call)))
            show(console, results[-1], folder)
    return results


def _systems(bot: Bot, scripted: Scripted, *, waits: bool = False) -> FakeSystemClient:
    now = scripted.now.replace(tzinfo=ZONE)
    return recorded_systems(bot, scripted.systems, lambda: now, waits=waits)


def _changes(bot: Bot, call: CallSystem) -> bool:
    return not bot.operation(call.operation).safe


def show(console: Console, played: Played, folder: Path) -> None:
    """One line for a conversation that passed; one that failed as it went, and what was expected where."""
    if played.passed:
        console.print(f"[green]passed[/]  {played.scripted.name}", highlight=False)
        return
    console.print(f"[red]failed[/]  {played.scripted.name}", highlight=False)
    for text in _as_it_went(played):
        console.print(f"          {text}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"  [red]{escape(str(folder / str(played.mismatch)))}[/]", highlight=False, soft_wrap=True)


def _as_it_went(played: Played) -> Iterator[str]:
    for line in played.lines:
        who = _NAMES.get(line.who, line.who)
        yield f"{who:8} {line.text}".rstrip()
