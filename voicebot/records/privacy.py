"""What of a call's events may be kept: secret numbers masked, and no words at all of a caller who refused recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from voicebot.events import (
    ABOUT_NO_CALL,
    PASSING,
    REFUSED,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallEvent,
    Decision,
    Fault,
    KeysPressed,
    LanguageModelAsked,
    RecordingStopped,
    StoodIn,
    SurveyAnswered,
    SystemCalled,
    TurnTimed,
    to_json,
)
from voicebot.redaction import has_digits, redact_joined, redact_value

# Telephone numbers are what these are for; a PESEL does not get into them.
_KEPT_FIELDS = frozenset({"call_id", "at", "caller", "dialled", "number", "uri"})

# Between two pieces of a dictated number these may come without ending the dictation.
_SIDE_EVENTS = (Decision, TurnTimed, SystemCalled, LanguageModelAsked, StoodIn, Fault)

_LONGEST_DICTATION = 64  # events held back at most, per call


def redact_event(event: CallEvent) -> CallEvent:
    """The event with secret numbers masked, telephone numbers of caller, line and agents kept."""
    changes = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name not in _KEPT_FIELDS and (masked := redact_value(value)) != value:
            changes[field.name] = masked
    return replace(event, **changes) if changes else event


def without_words(event: CallEvent) -> CallEvent:
    """The event as it is kept of a caller who refused recording: that it happened and when, not what was said."""
    match event:
        case BotSaid():
            return replace(event, text="", heard_text="")
        case CallerSaid():
            return replace(event, text="")
        case KeysPressed():
            return replace(event, keys="")
        case Decision():
            return replace(event, data={})
        case Fault():
            return replace(event, message="")
        case SurveyAnswered():
            return replace(event, comment="")
    return event


def is_refusal(event: CallEvent) -> bool:
    return isinstance(event, RecordingStopped) and event.reason == REFUSED


class EventRedactor:
    """Redacts the events of one call as they come.

    A number may be dictated in pieces, or key by key. So an event of the caller that has digits is held back until it
    is clear what it was a piece of: until the caller says something else, the bot has finished a sentence, or the call
    ends.
    """

    def __init__(self) -> None:
        self._held: list[tuple[Any, CallEvent]] = []

    @property
    def holding(self) -> bool:
        return bool(self._held)

    def push(self, key: Any, event: CallEvent) -> list[tuple[Any, CallEvent]]:
        """Take an event; returns those that are ready, in order, each with the key it came with."""
        words = _caller_words(event)
        dictating = words is not None and has_digits(words)
        beside = isinstance(event, _SIDE_EVENTS) or (isinstance(event, BotSaid) and event.interrupted)
        if dictating or (beside and self._held):
            self._held.append((key, event))
            return self.flush() if len(self._held) >= _LONGEST_DICTATION else []
        return [*self.flush(), (key, redact_event(event))]

    def flush(self) -> list[tuple[Any, CallEvent]]:
        """What was held back."""
        held, self._held = self._held, []
        pieces = [words for _, event in held if (words := _caller_words(event)) is not None]
        masked = iter(redact_joined(pieces))
        return [
            (key, redact_event(event if _caller_words(event) is None else _with_words(event, next(masked))))
            for key, event in held
        ]


def redact_events(events: Iterable[CallEvent]) -> list[CallEvent]:
    """All events of one call as they may be kept."""
    events = list(events)
    redactor = EventRedactor()
    ready = [pair for event in events for pair in redactor.push(None, event)] + redactor.flush()
    refused = any(is_refusal(event) for event in events)
    return [without_words(event) if refused else event for _, event in ready]


def _caller_words(event: CallEvent) -> str | None:
    match event:
        case CallerSaid(text=words) | KeysPressed(keys=words):
            return words
    return None


def _with_words(event: CallEvent, words: str) -> CallEvent:
    match event:
        case CallerSaid():
            return replace(event, text=words)
        case KeysPressed():
            return replace(event, keys=words)
    return event


class LiveLines:
    """A sink of an `EventStream`: every event of the records, and those about no call, as a JSON line, masked alike; no
    words after a refusal.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._redactors: dict[str, EventRedactor] = {}
        self._refused: set[str] = set()

    def __call__(self, event: CallEvent) -> None:
        if isinstance(event, ABOUT_NO_CALL):
            self._write(json.dumps(to_json(redact_event(event)), ensure_ascii=False))
        if isinstance(event, PASSING):
            return
        if is_refusal(event):
            self._refused.add(event.call_id)
        if event.call_id in self._refused:
            event = without_words(event)
        redactor = self._redactors.setdefault(event.call_id, EventRedactor())
        ready = redactor.push(None, event)
        if isinstance(event, CallEnded):
            ready += redactor.flush()
            del self._redactors[event.call_id]
            self._refused.discard(event.call_id)
        for _, masked in ready:
            self._write(json.dumps(to_json(masked), ensure_ascii=False))
