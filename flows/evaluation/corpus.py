"""Sets of what callers say to a bot after "how can I help?", and what they mean; the format is in the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from flows.commands import COMMAND_NAMES
from flows.errors import FlowProblems
from flows.loader import parse, parse_part, visible
from flows.model import Bot, Language
from flows.source import Report, Source, closest, read
from flows.words import tokens

SET_FOLDER = "evaluation"
NOTHING = "none"
# All commands but those that carry a flow or a slot, and the one that stands for "nothing of these".
COMMANDS = frozenset(COMMAND_NAMES.values()) - {"start_flow", "set_slot", "correct_slot", "none_given", "no_match"}
_SOME_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)  # values of a set do not depend on the day

Wishes = tuple[
    str, ...
]  # flows and commands in the order in which they are to be served; empty: nothing the bot can do


@dataclass(frozen=True)
class Utterance:
    """One sentence; any of `readings` will do. `slots`: values that it gives, as slots hold them, perhaps not all."""

    language: str
    text: str
    readings: tuple[Wishes, ...]
    slots: Mapping[str, Any] = field(default_factory=dict)
    attack: bool = False

    @property
    def out_of_scope(self) -> bool:
        """Whether nothing but "none" will do."""
        return self.readings == ((),)


class _SetFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bot: str | None = None
    language: Language
    utterances: list[Any] = Field(min_length=1)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str = Field(min_length=1)
    means: str | list[str] | None = None
    may: list[str | list[str]] = []
    slots: dict[str, Any] = {}
    attack: bool = False

    @property
    def readings(self) -> tuple[Wishes, ...]:
        meanings = [self.means] if self.means is not None else self.may
        return tuple(_wishes(meaning) for meaning in meanings)


def _wishes(meaning: str | list[str]) -> Wishes:
    named = [meaning] if isinstance(meaning, str) else meaning
    return tuple(wish for wish in named if wish != NOTHING)


def load_set(paths: Iterable[Path], bot: Bot) -> tuple[Utterance, ...]:
    """The utterances of the files, in their order. Raises FlowProblems with every mistake of every file."""
    report = Report()
    found: list[Utterance] = []
    for path in paths:
        source = read(path, report)
        file = parse(_SetFile, source, report)
        if source is not None and file is not None:
            found += _Reader(source, file, bot, report).utterances()
    if report.problems:
        raise FlowProblems(report.all())
    return tuple(found)


def set_files(folder: Path) -> Sequence[Path]:
    """The sets that lie in a bot's folder."""
    return visible(folder / SET_FOLDER, ".yaml")


class _Reader:
    """One file of a set."""

    def __init__(self, source: Source, file: _SetFile, bot: Bot, report: Report) -> None:
        self._source, self._file, self._bot, self._report = source, file, bot, report
        self._entries = frozenset(name for name, flow in bot.flows.items() if flow.entry)
        if file.bot not in (None, bot.name):
            remedy = f"The bot is called `{bot.name}`."
            report.add(source, ("bot",), f"These are sentences for the bot `{file.bot}`.", remedy, at_value=True)
        if file.language not in bot.languages:
            message, remedy = f"The bot does not speak `{file.language}`.", closest(file.language, bot.languages)
            report.add(source, ("language",), message, remedy, at_value=True)

    def utterances(self) -> list[Utterance]:
        found: dict[tuple[str, ...], Utterance] = {}
        for index, raw in enumerate(self._file.utterances):
            place = ("utterances", index)
            row = parse_part(_Row, raw, self._source, place, self._report)
            if row is None:
                continue
            self._check(row, place)
            words = tuple(tokens(row.say))
            if words in found:
                self._report.add(self._source, place, "This sentence stands here twice.", "Keep one of the two.")
            found[words] = Utterance(self._file.language, row.say, row.readings, row.slots, row.attack)
        return list(found.values())

    def _check(self, row: _Row, place: tuple[str | int, ...]) -> None:
        if (row.means is None) == (not row.may):
            message = "A sentence has either `means` or `may`."
            self._report.add(self._source, place, message, "`may` lists several meanings of which each is right.")
        for wish in sorted({wish for wishes in row.readings for wish in wishes} - self._entries - COMMANDS):
            message = f"`{wish}` is neither a flow that callers can begin nor a command."
            remedy = closest(wish, {*self._entries, *COMMANDS, NOTHING})
            self._report.add(self._source, place, message, remedy)
        for name, value in row.slots.items():
            slots = [flow.slots[name] for flow in self._bot.flows.values() if name in flow.slots]
            if not any(slot.accept(value, _SOME_DAY) == value for slot in slots):
                message = f"No slot `{name}` can hold `{value}`."
                self._report.add(self._source, (*place, "slots", name), message, "Write it as the slot keeps it.")
