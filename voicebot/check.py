"""`voicebot check`: everything that keeps a configuration or a bot from being used, told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from flows import Bot, FlowProblems, Problem
from flows.scripted import Scripted, load_conversations
from voicebot.access.users import UserStore
from voicebot.bots import load_bot, load_bots
from voicebot.config import Config, load_config
from voicebot.errors import ConfigError, VoicebotError
from voicebot.records.database import DATABASE, Database

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?:(?P<column>\d+):)? (?P<message>.+)")


def check_tests(folder: Path, bot: Bot | None) -> tuple[Scripted, ...]:
    """The scripted conversations of a bot. Raises FlowProblems, with paths that can be opened from here."""
    try:
        return load_conversations(folder, bot)
    except FlowProblems as error:
        raise FlowProblems([replace(one, file=str(folder / one.file)) for one in error.problems]) from error


def load_tested(folder: Path) -> tuple[Bot, tuple[Scripted, ...]]:
    """A bot and its scripted conversations. Raises FlowProblems with the mistakes of both."""
    problems: list[Problem] = []
    bot: Bot | None = None
    conversations: tuple[Scripted, ...] = ()
    try:
        bot = load_bot(folder)
    except FlowProblems as error:
        problems += error.problems
    try:
        conversations = check_tests(folder, bot)
    except FlowProblems as error:
        problems += error.problems
    if bot is None or problems:
        raise FlowProblems(problems)
    return bot, conversations


def check_path(path: Path) -> tuple[str, ...]:
    """The names of the bots that are right: of a bot's folder, with its tests, or of a configuration and its bots.

    Raises FlowProblems or ConfigError with all that is wrong; for published bots what `load_source` does.
    """
    if path.is_dir():
        bot, _ = load_tested(path)
        return (bot.name,)
    config = load_config(path)
    if config.workers > 1 and (config.data / DATABASE).exists():
        _check_nobody_serves(config)
    return tuple(loaded.bot.name for loaded in load_bots(config).values())


def _check_nobody_serves(config: Config) -> None:
    from voicebot.workers.people import check_nobody_serves

    database = Database(config.data)
    with closing(database):
        check_nobody_serves(config, UserStore(database, lambda: datetime.now(UTC)).all())


def check_as_json(path: Path) -> int:
    """`--json`: one line, and the exit status."""
    problems: Sequence[Problem] = ()
    bots: tuple[str, ...] = ()
    try:
        bots = check_path(path)
    except FlowProblems as error:
        problems = error.problems
    except ConfigError as error:
        problems = [_problem(line, path, error.remedy) for line in error.message.splitlines()]
    except VoicebotError as error:
        problems = [Problem(str(path), 0, 0, error.message, error.remedy)]
    report = {"path": str(path), "correct": not problems, "bots": bots, "problems": [asdict(one) for one in problems]}
    print(json.dumps(report, ensure_ascii=False))
    return 1 if problems else 0


def _problem(told: str, path: Path, remedy: str) -> Problem:
    """A mistake of the configuration, which comes as a line of text with its place in front."""
    match = _PLACE.fullmatch(told)
    if match is None:
        return Problem(str(path), 0, 0, told, remedy)
    return Problem(match["file"], int(match["line"]), int(match["column"] or 1), match["message"], remedy)


def check_command(path: Path, console: Console) -> None:
    """In words. Raises FlowProblems, ConfigError."""
    names = check_path(path)
    if path.is_dir():
        console.print(f"{path}: the bot {names[0]} is correct.")
    else:
        console.print(f"{path} is correct. Bots: {', '.join(names)}.")
