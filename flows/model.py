"""The files of a bot as typed values: what may be written in bot.yaml, systems.yaml and the flow files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flows.answer_shape import FieldType
from flows.hours import Hours
from flows.knowledge import Knowledge
from flows.reach import reached
from flows.slots import Slot
from flows.spans import Span
from flows.steps.base import Path as Path_
from flows.steps.base import StepModel, Ways
from flows.steps.sub_flow import SubFlowStep
from flows.templates import has_variables
from flows.texts import Auth, Name, Phrases, Text, UrlPath, Wordings, in_language, list_in_language

Language = Literal["pl", "en"]
_LONGEST_HINT, _HINTS_OF_FLOW, _MOST_HINTS = 60, 12, 200  # characters; what goes to the recogniser with each turn
_WHOLE_NUMBER = 9  # digits of a Polish telephone number


class _FileModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Greeting(_FileModel):
    """The first words of every call, said in this order; the caller can not talk over the first two."""

    machine: Text
    recording: Text
    ask: Text


class Limits(_FileModel):
    """What keeps a conversation from going round in circles."""

    turns_per_flow: int = Field(default=25, ge=1)
    turns_per_call: int = Field(default=80, ge=1)


def _day_or_hour(value: Any) -> Any:
    if isinstance(value, date):
        return value
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(str(value))
        except ValueError:
            continue
    raise PydanticCustomError("moment", 'must be a day like 2026-12-24, or with an hour, like "2026-12-24 14:00"')


# A whole day, or a day with an hour.
Moment = Annotated[date | datetime, Field(union_mode="left_to_right"), BeforeValidator(_day_or_hour)]


class Announcement(_FileModel):
    """Said after the legal lines while it holds; `from` and `until` are days, or days with an hour."""

    text: Text
    from_: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    entry_points: list[Name] = []

    def holds(self, now: datetime) -> bool:
        """Whether it is to be said now. A day without an hour is meant from its beginning to its end."""
        begins = _moment(self.from_, now, time.min)
        ends = _moment(self.until, now, time.max)
        return (begins is None or begins <= now) and (ends is None or now <= ends)


def _moment(written: datetime | date | None, now: datetime, hour: time) -> datetime | None:
    if written is None:
        return None
    if isinstance(written, datetime):
        return written if written.tzinfo else written.replace(tzinfo=now.tzinfo)
    return datetime.combine(written, hour, now.tzinfo)


class EntryPoint(_FileModel):
    """What differs for callers of some of the bot's numbers."""

    numbers: list[str] = Field(min_length=1)
    language: Language | None = None
    ask: Text | None = None
    start: Name | None = None
    queue: str | None = None

    def is_for(self, dialled: str) -> bool:
        """Whether it is one of its numbers, in whatever form the network writes it."""
        return any(same_number(number, dialled) for number in self.numbers)


def same_number(first: str, second: str) -> bool:
    """Equal digits; from nine on (a whole Polish number) a country code may be there or not."""
    one, other = (re.sub(r"\D", "", number).removeprefix("00") for number in (first, second))
    return one == other or (
        min(len(one), len(other)) >= _WHOLE_NUMBER and one[-_WHOLE_NUMBER:] == other[-_WHOLE_NUMBER:]
    )


class EmergencyWords(_FileModel):
    """Words that lead to a person at once, and what the caller hears first."""

    words: Phrases
    say: Text
    queue: str | None = None


class BotFile(_FileModel):
    """bot.yaml."""

    bot: Name
    languages: list[Language] = Field(min_length=1)
    greeting: Greeting
    closing: Text
    queue: str = Field(min_length=1)
    limits: Limits = Limits()
    phrases: dict[str, Wordings] = {}
    hours: Hours | None = None
    announcements: list[Announcement] = []
    entry_points: dict[Name, EntryPoint] = {}
    emergency: EmergencyWords | None = None


class FlowFile(_FileModel):
    """A flow file; slots and steps are read by their own types."""

    flow: Name
    description: str = Field(min_length=1)
    offer: Text | None = None
    examples: Phrases = {}
    slots: dict[str, Any] = {}
    steps: list[Any] = Field(min_length=1)
    entry: bool = True


class Operation(_FileModel):
    """One request to a company system. `{name}` in its path is an argument; others go into the query or body."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: UrlPath
    timeout_s: float | None = Field(default=None, gt=0, le=60)
    answer: dict[str, FieldType] | None = None
    personal: list[str] = []
    check: str | None = None

    @property
    def safe(self) -> bool:
        """Whether asking twice changes nothing (RFC 9110, 9.2.1)."""
        return self.method == "GET"


class Breaker(_FileModel):
    """After so many failures in a row a system is left alone for so long."""

    failures: int = Field(default=3, ge=1)
    pause_s: float = Field(default=20.0, gt=0, le=3600)


class System(_FileModel):
    """A company system. `url` may refer to the environment: ${SHOP_URL} or ${SHOP_URL:-http://127.0.0.1:8090}."""

    url: str = Field(min_length=1)
    secret: str | None = None
    auth: Auth | None = None
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    breaker: Breaker = Breaker()
    personal: list[str] = []
    operations: dict[str, Operation] = Field(min_length=1)


class SystemsFile(_FileModel):
    """systems.yaml."""

    systems: dict[str, System]


@dataclass(frozen=True)
class Known:
    """What the validator can not find in the files. None: not known, not checked."""

    queues: frozenset[str] | None = None
    spoken_s: Callable[[str, str], float] | None = None  # seconds that a text takes to say, by its language


@dataclass(frozen=True)
class Flow:
    """One task: what it is for, what it asks, what it does."""

    name: str
    description: str
    slots: Mapping[str, Slot]
    steps: tuple[StepModel, ...]
    offer: Mapping[str, str] | None = None
    examples: Mapping[str, list[str]] = field(default_factory=dict)
    entry: bool = True
    paths: tuple[Path_, ...] = ()  # of the steps, in the file
    choices: frozenset[str] = frozenset()  # slots that `choose` steps stand for: answered only when they are asked

    def place(self, index: int) -> str:
        """A step in the call's record, such as "order_status/2" or "order_status/3/then/1"; counted from 1."""
        path = self.paths[index][1:] if index < len(self.paths) else (index,)
        parts = [str(part + 1) if isinstance(part, int) else part for part in path]
        return "/".join([self.name, *(part for part in parts if part not in ("choose", "options"))])

    def collecting(self, slot: str) -> int | None:
        """Index of the first step that collects the slot."""
        return next((i for i, step in enumerate(self.steps) if step.collects == slot), None)

    def labelled(self, label: str) -> int | None:
        """Index of the step with this label."""
        return next((i for i, step in enumerate(self.steps) if step.label == label), None)

    def leads(self, ways: Ways) -> set[int]:
        """The steps that a step may jump to, by index; the number of steps stands for leaving the flow."""
        labelled = (self.labelled(target) for target in ways.targets)
        leads = {len(self.steps) if index is None else index for index in labelled}
        leads |= {len(self.steps)} if ways.end else set()
        return leads | set(ways.indices) | {at for slot in ways.collects if (at := self.collecting(slot)) is not None}


@dataclass(frozen=True)
class Bot:
    """A bot, checked and ready for the engine."""

    name: str
    languages: tuple[str, ...]
    greeting: Greeting
    closing: Mapping[str, str]
    queue: str
    limits: Limits
    flows: Mapping[str, Flow]
    systems: Mapping[str, System]
    phrases: Mapping[str, Mapping[str, tuple[str, ...]]]  # by language, by name: the wordings
    folder: Path
    answers: Mapping[str, Any] | None = None  # those of answers.yaml, for chat and tests
    hours: Hours | None = None
    announcements: tuple[Announcement, ...] = ()
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)
    emergency: EmergencyWords | None = None
    not_served: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what callers say and no flow is about
    knowledge: Knowledge = field(default_factory=lambda: Knowledge([]))

    def entry_point(self, dialled: str) -> str:
        """The name of the entry point for a dialled number, or empty."""
        return next((name for name, entry in self.entry_points.items() if entry.is_for(dialled)), "")

    @property
    def queues(self) -> frozenset[str]:
        """Every queue of people that the bot's files name."""
        steps = (step for flow in self.flows.values() for step in flow.steps)
        named = [queue for step in steps for _, queue in step.uses().queues]
        named += [entry.queue for entry in self.entry_points.values() if entry.queue]
        named += [self.emergency.queue] if self.emergency and self.emergency.queue else []
        return frozenset((self.queue, *named))

    def slots_of(self, flow: str) -> dict[str, Slot]:
        """The slots that callers may give to a flow in words of their own: its own, and those of its sub flows."""
        names = [flow, *sorted(reached([flow], self._sub_flows) - {flow})]
        flows = [self.flows[name] for name in names if name in self.flows]
        slots = [(name, slot) for each in flows for name, slot in each.slots.items() if name not in each.choices]
        return dict(reversed(slots))  # of one name, the flow's own

    def _sub_flows(self, flow: str) -> set[str]:
        steps = self.flows[flow].steps if flow in self.flows else ()
        return {step.sub_flow for step in steps if isinstance(step, SubFlowStep)}

    def hints(self, language: str) -> tuple[str, ...]:
        """What callers may say to begin, for the recogniser: the first short examples of every flow."""
        listed = (list_in_language(dict(flow.examples), language) for flow in self.flows.values() if flow.entry)
        short = (islice((text for text in texts if len(text) <= _LONGEST_HINT), _HINTS_OF_FLOW) for texts in listed)
        return tuple(islice(chain.from_iterable(short), _MOST_HINTS))

    def operation(self, name: str) -> Operation:
        """The operation that a `call` step names, such as "shop.order"."""
        system, _, operation = name.partition(".")
        return self.systems[system].operations[operation]

    def personal(self, operation: str) -> frozenset[str]:
        """The fields of an operation's answer that are personal data."""
        system = self.systems[operation.partition(".")[0]]
        return frozenset((*system.personal, *self.operation(operation).personal))

    def texts(self, language: str) -> Iterator[str]:
        """Every text the bot can say, as written."""
        greeting = (self.greeting.machine, self.greeting.recording, self.greeting.ask)
        yield from (in_language(text, language) for text in (*greeting, dict(self.closing)))
        yield from (in_language(one.text, language) for one in self.announcements)
        yield from (in_language(one.ask, language) for one in self.entry_points.values() if one.ask)
        yield from [in_language(self.emergency.say, language)] if self.emergency else ()
        for name, wordings in self.phrases[language].items():
            if not name.startswith("why_"):
                yield from wordings
        yield from (one.sentence for one in self.knowledge.passages if one.language == language)
        for flow in self.flows.values():
            for slot in flow.slots.values():
                yield from (
                    in_language(text, language)
                    for text in (*([slot.ask] if slot.ask else []), *slot.no_match, *slot.no_input)
                )
            for step in flow.steps:
                yield from (in_language(text, language) for _, text in step.uses().texts)

    def fixed_texts(self, language: str) -> tuple[tuple[Span, ...], ...]:
        """Every text without variables, each once, in the form in which `Say` carries it."""
        fixed = (text for text in self.texts(language) if not has_variables(text))
        return tuple((text,) for text in dict.fromkeys(fixed))
