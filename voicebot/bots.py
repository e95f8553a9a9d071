"""The bots that a configuration names, loaded and checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import flows
from flows import Bot, FlowProblems, Known, Problem
from voicebot.config import Config


def load_bot(folder: Path, known: Known = Known()) -> Bot:  # noqa: B008 (frozen)
    """The bot in `folder`. Raises FlowProblems, with paths that can be opened from where the command was typed."""
    try:
        return flows.load_bot(folder, known=known)
    except FlowProblems as error:
        raise FlowProblems([replace(p, file=str(folder / p.file)) for p in error.problems]) from error


def load_bots(config: Config) -> dict[Path, Bot]:
    """Every bot that a number names, by folder. Raises FlowProblems with the mistakes of all of them."""
    known = Known(queues=frozenset(config.queues))
    bots: dict[Path, Bot] = {}
    problems: list[Problem] = []
    for folder in dict.fromkeys(entry.bot for entry in config.numbers):
        try:
            bots[folder] = load_bot(folder, known)
        except FlowProblems as error:
            problems += error.problems
    if problems:
        raise FlowProblems(problems)
    return bots
