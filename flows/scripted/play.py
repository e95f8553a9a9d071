"""Plays a scripted conversation against a call, by text or on a telephone, and says where it went otherwise."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from flows.actions import CallSystem
from flows.scripted.loader import is_pattern
from flows.scripted.model import ACTS, AskedFor, Outcome, Place, Scripted, Step


@dataclass(frozen=True)
class Said:
    """A sentence of the bot: as it is written in chat and transcripts, and as the voice reads it out."""

    written: str
    spoken: str


@dataclass(frozen=True)
class Line:
    """A line of the conversation as it went: `who` is bot, or the kind of the step."""

    who: str
    text: str


@dataclass(frozen=True)
class Mismatch:
    """Where the conversation did not go as written."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True)
class Played:
    """A conversation after it was played; it passed when there is no mismatch."""

    scripted: Scripted
    lines: tuple[Line, ...]
    mismatch: Mismatch | None
    seconds: float

    @property
    def passed(self) -> bool:
        return self.mismatch is None

    def as_json(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        place = self.scripted.place
        at = self.mismatch.place if self.mismatch else None
        return {
            "name": self.scripted.name,
            "language": self.scripted.language,
            "file": place.file,
            "line": place.line,
            "passed": self.passed,
            "seconds": round(self.seconds, 3),
            "lines": [{"who": line.who, "text": line.text} for line in self.lines],
            "mismatch": {"line": at.line, "column": at.column, "message": self.mismatch.message}
            if at and self.mismatch
            else None,
        }


class Talk(Protocol):
    """A call that is driven step by step. Acts return what the bot said to them, once it waits for the caller."""

    async def start(self) -> Sequence[Said]: ...
    async def say(self, text: str) -> Sequence[Said]: ...
    async def press(self, keys: str) -> Sequence[Said]: ...
    async def silence(self) -> Sequence[Said]: ...
    async def nobody_answers(self) -> Sequence[Said]: ...
    async def interrupt(self, text: str) -> Sequence[Said]: ...
    async def later(self, time: timedelta) -> Sequence[Said]: ...

    @property
    def slots(self) -> Mapping[str, Any]: ...
    @property
    def flow(self) -> str: ...
    @property
    def over(self) -> str:
        """Why the caller can do nothing more, as a sentence; empty while the bot listens."""
        ...

    @property
    def outcome(self) -> tuple[str, str]:
        """How the call ended, and the reason of a handoff; two empty texts while it goes on."""
        ...

    @property
    def asked(self) -> Sequence[CallSystem]:
        """What company systems were asked, in order."""
        ...


class _WentOtherwise(Exception):
    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.mismatch = Mismatch(place, message)


@dataclass
class _Stage:
    talk: Talk
    changes: Callable[[CallSystem], bool]
    said: list[Said] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def hear(self, said: Sequence[Said]) -> None:
        self.said = list(said)
        self.lines += [Line("bot", sentence.written) for sentence in said]


async def play(scripted: Scripted, talk: Talk, changes: Callable[[CallSystem], bool]) -> Played:
    """Play it to its end, or to the first thing that went otherwise. `changes`: is a call more than a question?"""
    began = time.perf_counter()
    stage = _Stage(talk, changes)
    mismatch = None
    try:
        stage.hear(await talk.start())
        for step in scripted.steps:
            await _take(stage, step)
        _look_at_end(stage, scripted)
    except _WentOtherwise as went:
        mismatch = went.mismatch
    return Played(scripted, tuple(stage.lines), mismatch, time.perf_counter() - began)


async def _take(stage: _Stage, step: Step) -> None:
    if step.kind in ACTS:
        await _act(stage, step)
        return
    match step.kind:
        case "bot":
            _must_have_said(stage, step)
        case "not":
            for text in step.value:
                if _find(text, stage.said, (0, 0)) is not None:
                    raise _WentOtherwise(step.place, f'The bot said "{text}".')
        case "slots":
            _compare_slots(stage, step)
        case "flow":
            if stage.talk.flow != step.value:
                now = f"in the flow `{stage.talk.flow}`" if stage.talk.flow else "in no flow"
                raise _WentOtherwise(step.place, f"The caller is {now}, not in `{step.value}`.")


async def _act(stage: _Stage, step: Step) -> None:
    talk = stage.talk
    if step.kind == "later":
        stage.lines.append(Line("later", str(step.value)))
        stage.lines += [Line("bot", sentence.written) for sentence in await talk.later(step.value)]
        return
    waiting_for_agent = step.kind == "nobody_answers"
    if talk.over and not waiting_for_agent:
        raise _WentOtherwise(step.place, talk.over)
    if waiting_for_agent and talk.outcome[0] != "handoff":
        raise _WentOtherwise(step.place, "No call was given to people, so nobody could fail to answer.")
    stage.lines.append(Line(step.kind, str(step.value) if isinstance(step.value, str) else ""))
    match step.kind:
        case "caller":
            said = await talk.say(step.value)
        case "keys":
            said = await talk.press(step.value)
        case "silence":
            said = await talk.silence()
        case "nobody_answers":
            said = await talk.nobody_answers()
        case _:
            said = await talk.interrupt(step.value)
    stage.hear(said)


def _must_have_said(stage: _Stage, step: Step) -> None:
    at = (0, 0)
    for text in step.value:
        found = _find(text, stage.said, at)
        if found is None:
            heard = " ".join(sentence.written for sentence in stage.said) or "nothing"
            anywhere = _find(text, stage.said, (0, 0)) is not None
            why = ", in that order" if anywhere else ""
            raise _WentOtherwise(step.place, f'The bot was to say "{text}"{why}. It said: {heard}')
        at = found


def _find(text: str, said: Sequence[Said], start: tuple[int, int]) -> tuple[int, int] | None:
    """Where (sentence, character) the text ends, looked for from `start` on, as written or as spoken."""
    for index in range(start[0], len(said)):
        begin = start[1] if index == start[0] else 0
        for form in dict.fromkeys((said[index].written, said[index].spoken)):
            end = _find_in(text, form, begin)
            if end is not None:
                return index, end
    return None


def _find_in(text: str, form: str, begin: int) -> int | None:
    form = _plain(form)
    if is_pattern(text):
        match = re.compile(text[1:-1], re.IGNORECASE).search(form, begin)
        return match.end() if match else None
    wanted = _plain(text)
    found = form.find(wanted, begin)
    return found + len(wanted) if found >= 0 else None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _compare_slots(stage: _Stage, step: Step) -> None:
    for name, wanted in step.value.items():
        value = stage.talk.slots.get(name)
        if not _same(wanted, value):
            known = f"is {_shown(value)}" if name in stage.talk.slots else "is not known"
            raise _WentOtherwise(step.place, f"The slot `{name}` {known}, not {_shown(wanted)}.")


def _same(wanted: Any, value: Any) -> bool:
    """A number that YAML took for one is the text that it was."""
    return bool(wanted == value) or (isinstance(value, str) and not isinstance(wanted, bool) and str(wanted) == value)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _look_at_end(stage: _Stage, scripted: Scripted) -> None:
    place = scripted.asked_place or scripted.place
    if scripted.changes is not None:
        _compare_calls([call for call in stage.talk.asked if stage.changes(call)], scripted.changes, place)
    if scripted.calls is not None:
        _compare_calls(stage.talk.asked, scripted.calls, place)
    if scripted.outcome is not None:
        _compare_outcome(stage.talk.outcome, scripted.outcome)


def _compare_calls(asked: Sequence[CallSystem], wanted: Sequence[AskedFor], place: Place) -> None:
    agree = len(asked) == len(wanted) and all(
        call.operation == want.operation
        and all(_same(value, call.arguments.get(name)) for name, value in (want.arguments or {}).items())
        for call, want in zip(asked, wanted, strict=True)
    )
    if not agree:
        happened = ", ".join(_call(call.operation, call.arguments) for call in asked) or "nothing"
        expected = ", ".join(_call(want.operation, want.arguments or {}) for want in wanted) or "nothing"
        raise _WentOtherwise(place, f"The systems were asked {happened}; it was to be {expected}.")


def _call(operation: str, arguments: Mapping[str, Any]) -> str:
    return f"{operation}({', '.join(f'{name}={_shown(value)}' for name, value in arguments.items())})"


def _compare_outcome(outcome: tuple[str, str], wanted: Outcome) -> None:
    kind, reason = outcome
    if (kind, reason) == (wanted.kind, wanted.reason):
        return
    if not kind:
        went = "it has not ended"
    else:
        went = f"it ended with {kind}: {reason}" if reason else f"it ended with {kind}"
    raise _WentOtherwise(wanted.place, f"The call was to end with {wanted}; {went}.")
