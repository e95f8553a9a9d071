"""Reads the scripted conversations of a bot, or tells all their mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.answers import check_answers
from flows.errors import FlowProblems
from flows.loader import parse, parse_part, visible
from flows.model import Bot
from flows.scripted.model import (
    BARE_STEPS,
    DEFAULT_NOW,
    OUTCOMES,
    STEPS,
    UNITS,
    AskedFor,
    ConversationHead,
    ConversationsFile,
    Outcome,
    Place,
    Scripted,
    Step,
)
from flows.source import Report, Source, closest, read

TESTS_FOLDER = "tests"
_KEYS = re.compile(r"[0-9*#]+")
_LATER = re.compile(r"(\d+) ?([smh])")


def load_conversations(folder: Path, bot: Bot | None) -> tuple[Scripted, ...]:
    """The conversations under `folder`/tests, in the order of files and lines; none where there is no such folder.

    What they name (flows, slots, operations, languages) is looked up in `bot`, unless that could not be loaded. Raises
    FlowProblems with every mistake of every file. Files are named as seen from the bot's folder.
    """
    report = Report()
    found: dict[str, Scripted] = {}
    for path in visible(folder / TESTS_FOLDER, ".yaml"):
        own = Report()
        source = read(path, own)
        if source is not None:
            file = parse(ConversationsFile, source, own)
            for index, raw in enumerate(file.conversations if file else ()):
                head = parse_part(ConversationHead, raw, source, ("conversations", index), own)
                if head is not None:
                    _Reader(source, index, head, bot, own).into(found)
        report.problems += [replace(problem, file=f"{TESTS_FOLDER}/{path.name}") for problem in own.all()]
    if report.problems:
        raise FlowProblems(report.all())
    return tuple(found.values())


class _Reader:
    """One conversation of a file."""

    def __init__(self, source: Source, index: int, head: ConversationHead, bot: Bot | None, report: Report) -> None:
        self._source = source
        self._at: tuple[str | int, ...] = ("conversations", index)
        self._head = head
        self._bot = bot
        self._report = report

    def into(self, found: dict[str, Scripted]) -> None:
        """Check, and add."""
        head = self._head
        if head.name in found:
            other = found[head.name].place
            self._mistake(
                "name", f"The conversation `{head.name}` is also in {other.file}:{other.line}.", "Rename one."
            )
        languages = self._bot.languages if self._bot else ()
        if head.language and languages and head.language not in languages:
            self._mistake("language", f"The bot does not speak `{head.language}`.", closest(head.language, languages))
        if head.asked is not None and head.asked_all is not None:
            self._mistake("asked_all", "`asked` and `asked_all` stand side by side.", "Keep one of the two.")
        if self._bot is not None:
            check_answers(head.systems, (*self._at, "systems"), self._bot.systems, self._source, self._report)
        asked = "asked_all" if head.asked is None else "asked"
        steps = [self._step(index, raw) for index, raw in enumerate(head.steps)]
        found.setdefault(
            head.name,
            Scripted(
                name=head.name,
                place=self._place("name"),
                language=head.language or next(iter(languages), ""),
                now=self._now(),
                steps=tuple(step for step in steps if step is not None),
                caller=head.caller,
                dialled=head.dialled,
                systems=head.systems,
                changes=self._asked("asked", head.asked),
                calls=self._asked("asked_all", head.asked_all),
                asked_place=self._place(asked),
                outcome=self._outcome(),
                audio=head.audio,
            ),
        )

    def _mistake(
        self, where: str | Sequence[str | int], message: str, remedy: str = "", *, value: bool = False
    ) -> None:
        place = (*self._at, where) if isinstance(where, str) else (*self._at, *where)
        self._report.add(self._source, place, message, remedy, at_value=value)

    def _place(self, *where: str | int) -> Place:
        line, column = self._source.position((*self._at, *where))
        return Place(f"{TESTS_FOLDER}/{self._source.name}", line, column)

    def _now(self) -> datetime:
        if self._head.now is None:
            return DEFAULT_NOW
        try:
            return datetime.fromisoformat(self._head.now).replace(tzinfo=None)
        except ValueError:
            self._mistake(
                "now", f"`{self._head.now}` is no day and hour.", "Write it like 2026-11-23T10:00.", value=True
            )
            return DEFAULT_NOW

    def _operation(self, where: Sequence[str | int], name: str) -> None:
        if self._bot is None:
            return
        known = [
            f"{system}.{operation}" for system, about in self._bot.systems.items() for operation in about.operations
        ]
        if name not in known:
            self._mistake(where, f"There is no operation `{name}`.", closest(name, known))

    def _asked(self, key: str, raws: Sequence[Any] | None) -> tuple[AskedFor, ...] | None:
        if raws is None:
            return None
        calls = []
        for index, raw in enumerate(raws):
            where = (key, index)
            name = next(iter(raw), None) if isinstance(raw, dict) and len(raw) == 1 else raw
            arguments = raw[name] if isinstance(raw, dict) and isinstance(name, str) else None
            if not isinstance(name, str) or not isinstance(arguments, dict | None):
                self._mistake(where, "A call is an operation with its arguments.", "Write `- shop.order: {number: 5}`.")
                continue
            self._operation(where, name)
            calls.append(AskedFor(name, arguments))
        return tuple(calls)

    def _outcome(self) -> Outcome | None:
        raw = self._head.outcome
        place = self._place("outcome")
        if raw is None:
            return None
        if isinstance(raw, str) and raw in OUTCOMES:
            return Outcome(raw, "", place)
        if isinstance(raw, dict) and set(raw) == {"handoff"} and isinstance(raw["handoff"], str):
            return Outcome("handoff", raw["handoff"], place)
        said = f"`{raw}`" if isinstance(raw, str) else "This"
        remedy = f"There are: {', '.join(f'`{name}`' for name in OUTCOMES)}, `{{handoff: reason}}`."
        self._mistake("outcome", f"{said} is no outcome.", remedy, value=True)
        return None

    def _step(self, index: int, raw: Any) -> Step | None:
        where: tuple[str | int, ...] = ("steps", index)
        if isinstance(raw, str) and raw in BARE_STEPS:
            return Step(raw, None, self._place(*where))
        if not isinstance(raw, dict) or len(raw) != 1:
            word = raw if isinstance(raw, str) else ""
            what = f"There is no step `{word}`." if word else "A step is one word and its value."
            self._mistake(where, what, closest(word, STEPS))
            return None
        kind, value = next(iter(raw.items()))
        if kind not in STEPS:
            self._mistake((*where, kind), f"There is no step `{kind}`.", closest(kind, STEPS))
            return None
        checked = self._value(kind, value, (*where, kind))
        return None if checked is None else Step(kind, checked, self._place(*where, kind))

    def _value(self, kind: str, value: Any, where: tuple[str | int, ...]) -> Any:
        """The step's value as the player takes it; None after its mistake was reported."""
        match kind:
            case "silence" | "nobody_answers":
                return True
            case "keys":
                if isinstance(value, str) and _KEYS.fullmatch(value):
                    return value
                self._mistake(where, "Keys are 0 to 9, * and #.", 'Put them in quotes: "123#".', value=True)
            case "later":
                if isinstance(value, str) and (match := _LATER.fullmatch(value)):
                    return int(match[1]) * UNITS[match[2]]
                self._mistake(where, "`later` is a time like 30s, 20m or 2h.", value=True)
            case "slots":
                if isinstance(value, dict) and value:
                    self._known(value, self._slots(), "slot", where)
                    return value
                self._mistake(where, "`slots` are names with values.", 'Write {order_number: "123456"}.', value=True)
            case "bot" | "not":
                return self._texts(kind, value, where)
            case _:
                if isinstance(value, str | int | float) and str(value).strip():
                    if kind == "flow":
                        self._known([str(value)], self._bot.flows if self._bot else (), "flow", where)
                    return str(value)
                self._mistake(where, f"`{kind}` has to be a text.", value=True)
        return None

    def _texts(self, kind: str, value: Any, where: tuple[str | int, ...]) -> tuple[str, ...] | None:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str | int | float) and str(text).strip() for text in texts):
            self._mistake(where, f"`{kind}` has to be a text, or a list of texts.", value=True)
            return None
        for text in map(str, texts):
            if is_pattern(text):
                try:
                    re.compile(text[1:-1])
                except re.error as error:
                    self._mistake(where, f"`{text}` is no regular expression: {error}.", value=True)
                    return None
        return tuple(map(str, texts))

    def _slots(self) -> Collection[str]:
        return [name for flow in self._bot.flows.values() for name in flow.slots] if self._bot else ()

    def _known(self, names: Collection[str], known: Collection[str], what: str, where: tuple[str | int, ...]) -> None:
        for name in names if self._bot else ():
            if name not in known:
                place = (*where, name) if what == "slot" else where
                self._mistake(place, f"There is no {what} `{name}`.", closest(name, known), value=what != "slot")


def is_pattern(text: str) -> bool:
    """Whether an expectation is a regular expression, `/.../`."""
    return len(text) > 2 and text.startswith("/") and text.endswith("/")
