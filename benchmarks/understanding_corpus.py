"""What callers of the starters say after "how can I help?", and what they mean: `understanding_set/*.yaml`.

The set is frozen: written by hand before understanding was tuned, and never tuned on. A row is `say` with `means` (what
it means) or `may` (any of these will do), and perhaps `slots` and `attack`. A meaning is

    order_status              a flow that callers can start
    handoff                   a command of `flows.commands`; where a flow has that name, too, the flow is meant
    none                      nothing that this bot can do
    [complaint, invoice]      several wishes, in the order in which they should be served

`slots` are values that the caller gives without being asked, as the slot holds them. They are not all of them: days,
which depend on the day of the call, and free text are left out, and a row without `slots` says nothing about values.
`attack` marks callers who try to talk the bot into something; what `means` or `may` names is harmless.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import flows
from flows.commands import COMMAND_NAMES
from flows.words import tokens

SET = Path(__file__).with_name("understanding_set")
STARTERS = Path(flows.__file__).with_name("starters")
# All commands but those that carry a flow or a slot, and the one that stands for "nothing of these".
COMMANDS = frozenset(COMMAND_NAMES.values()) - {"start_flow", "set_slot", "correct_slot", "none_given", "no_match"}
_KEYS = {"say", "means", "may", "slots", "attack"}
_SOME_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)  # no value in the set depends on it


@dataclass(frozen=True)
class Utterance:
    """One row. `readings` are the meanings that will do, each a tuple of wishes; the empty tuple is "none"."""

    bot: str
    language: str
    text: str
    readings: tuple[tuple[str, ...], ...]
    slots: Mapping[str, Any] = field(default_factory=dict)
    attack: bool = False

    @property
    def out_of_scope(self) -> bool:
        """Whether nothing but "none" will do."""
        return self.readings == ((),)

    def __str__(self) -> str:
        return f"{self.bot}.{self.language}: {self.text}"


def utterances(folder: Path = SET) -> tuple[Utterance, ...]:
    """The whole set, file by file. ValueError with all mistakes, a line each."""
    read = [utterance for path in sorted(folder.glob("*.yaml")) for utterance in _read(path)]
    bots = {name: flows.load_bot(STARTERS / name) for name in sorted({utterance.bot for utterance in read})}
    found = [f"{one}: {mistake}" for one in read for mistake in _mistakes(one, bots[one.bot])]
    found += [f"{one}: said twice" for one in _repeated(read)]
    if found:
        raise ValueError("\n".join(found))
    return tuple(read)


def digest(said: Iterable[Utterance]) -> str:
    """SHA-256 of all that the utterances say and mean, whatever the order of rows, keys and files."""
    rows = sorted(json.dumps(astuple(one), sort_keys=True, ensure_ascii=False) for one in said)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _read(path: Path) -> Iterator[Utterance]:
    content = YAML(typ="safe").load(path)
    for row in content["utterances"]:
        if not {"say"} < row.keys() <= _KEYS or ("means" in row) == ("may" in row):
            raise ValueError(f"{path.name}: {row}: it takes `say`, `means` or `may`, perhaps `slots` and `attack`")
        yield Utterance(
            content["bot"],
            content["language"],
            row["say"],
            tuple(_reading(meaning) for meaning in row.get("may", [row.get("means")])),
            row.get("slots", {}),
            row.get("attack", False),
        )


def _reading(meaning: str | list[str]) -> tuple[str, ...]:
    if isinstance(meaning, list):
        return tuple(meaning)
    return () if meaning == "none" else (meaning,)


def _mistakes(utterance: Utterance, bot: flows.Bot) -> Iterator[str]:
    entries = {name for name, flow in bot.flows.items() if flow.entry}
    for wish in {wish for reading in utterance.readings for wish in reading} - entries - COMMANDS:
        yield f"no flow that callers can start, and no command: {wish}"
    for name, value in utterance.slots.items():
        slots = [flow.slots[name] for flow in bot.flows.values() if name in flow.slots]
        if not any(slot.accept(value, _SOME_DAY) == value for slot in slots):
            yield f"no slot holds {name}: {value}"


def _repeated(said: Iterable[Utterance]) -> Iterator[Utterance]:
    seen: set[tuple[str, ...]] = set()
    for one in said:
        words = tuple(tokens(one.text))
        if words in seen:
            yield one
        seen.add(words)
