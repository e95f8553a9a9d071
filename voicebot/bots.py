"""The bots that a configuration names, loaded and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from flows import Bot, FlowProblems, Known, Problem, load_bot
from voicebot.config import Config


def load_bots(config: Config) -> dict[Path, Bot]:
    """Every bot that a number names, by folder. Raises FlowProblems with the mistakes of all of them."""
    known = Known(queues=frozenset(config.queues))
    bots: dict[Path, Bot] = {}
    problems: list[Problem] = []
    for folder in dict.fromkeys(entry.bot for entry in config.numbers):
        try:
            bots[folder] = load_bot(folder, known=known)
        except FlowProblems as error:
            problems += _placed(folder, error)
    if problems:
        raise FlowProblems(problems)
    return bots


def _placed(folder: Path, error: FlowProblems) -> Iterator[Problem]:
    """With paths that can be opened from where the command was typed."""
    for problem in error.problems:
        yield replace(problem, file=str(folder / problem.file))
