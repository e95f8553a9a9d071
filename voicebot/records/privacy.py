"""What of a call's events may be kept: secret numbers masked, and no words at all of a caller who refused recording."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from voicebot.events import (
    ABOUT_NO_CALL,
    REFUSED,
    AgentSaid,
    AgentUnheard,
    AlertAcknowledged,
    AlertRaised,
    BotSaid,
    CallEnded,
    CallerHeardAgain,
    CallerSaid,
    CallerSaying,
    CallerUnheard,
    CallEvent,
    CallHeld,
    CallResumed,
    Decision,
    Fault,
    KeysPressed,
    LanguageModelAsked,
    MoodChanged,
    RecordingStopped,
    RoutingDecided,
    StoodIn,
    SupervisorJoined,
    SupervisorLeft,
    SurveyAnswered,
    SystemCalled,
    TurnTimed,
    VoicemailLeft,
    WrappedUp,
    to_json,
)
from voicebot.redaction import has_digits, redact_joined, redact_value

# Telephone numbers are what these are for; a PESEL does not get into them.
_KEPT_FIELDS = frozenset(
    {
        "call_id",
        "at",
        "caller",
        "dialled",
        "diverted_from",
        "number",
        "uri",
        "to",
        "entry",
        "agent",
        "login",
        "who",
        "listen",
        "alert",
        "voicemail",
    }
)

# Between two pieces of a dictated number these may come without ending the dictation.
_SIDE_EVENTS = (Decision, TurnTimed, SystemCalled, LanguageModelAsked, StoodIn, Fault)

# Nor do these; they hold nothing that is dictated, and who watches the call must see them now.
_AT_ONCE = (
    *(CallHeld, CallResumed, SupervisorJoined, SupervisorLeft, RoutingDecided, MoodChanged),
    *(AlertRaised, AlertAcknowledged, WrappedUp, CallerUnheard, CallerHeardAgain, AgentUnheard),
)

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
        case AgentSaid():  # it repeats what the caller said
            return replace(event, text="")
        case MoodChanged():
            return replace(event, words=())
        case AlertRaised():
            return replace(event, text="")
        case VoicemailLeft():
            return replace(event, text="")
    return event


def is_refusal(event: CallEvent) -> bool:
    return isinstance(event, RecordingStopped) and event.reason == REFUSED


class EventRedactor:
    """Redacts the events of one call as they come.

    A number may be dictated in pieces, or key by key; in a talk, agents repeat them in pieces, too. So an event of
    caller or agent that has digits is held back until it is clear what it was a piece of: until whoever dictates says
    something else (a word of the other in between does not end it), the bot has finished a sentence, or the call ends.
    """

    def __init__(self) -> None:
        self._held: list[tuple[Any, CallEvent]] = []
        self._dictating: set[str] = set()

    @property
    def holding(self) -> bool:
        return bool(self._held)

    def push(self, key: Any, event: CallEvent) -> list[tuple[Any, CallEvent]]:
        """Take an event; returns those that are ready, each with the key it came with.

        They come in order, except for those that neither wait nor end a dictation (of holding the call, of supervisors
        and alerts).
        """
        if isinstance(event, _AT_ONCE):
            return [(key, redact_event(event))]
        if self._keep(event):
            self._held.append((key, event))
            return self.flush() if len(self._held) >= _LONGEST_DICTATION else []
        return [*self.flush(), (key, redact_event(event))]

    def _keep(self, event: CallEvent) -> bool:
        """Whether the event waits for what comes: it is a piece of a number, or stands beside one."""
        spoken = _dictated(event)
        if spoken is None:
            beside = isinstance(event, _SIDE_EVENTS) or (isinstance(event, BotSaid) and event.interrupted)
            return beside and self.holding
        who, words = spoken
        if has_digits(words):
            self._dictating.add(who)
        else:
            self._dictating.discard(who)
        return bool(self._dictating)

    def flush(self) -> list[tuple[Any, CallEvent]]:
        """What was held back."""
        held, self._held = self._held, []
        self._dictating.clear()
        spoken = [_dictated(event) for _, event in held]
        masked = {
            who: iter(redact_joined([said[1] for said in spoken if said is not None and said[0] == who]))
            for who in {said[0] for said in spoken if said is not None}
        }
        return [
            (key, redact_event(event if said is None else _with_words(event, next(masked[said[0]]))))
            for (key, event), said in zip(held, spoken, strict=True)
        ]


def redact_events(events: Iterable[CallEvent]) -> list[CallEvent]:
    """All events of one call as they may be kept, in their order."""
    events = list(events)
    redactor = EventRedactor()
    ready = [pair for at, event in enumerate(events) for pair in redactor.push(at, event)] + redactor.flush()
    ready.sort(key=lambda pair: int(pair[0]))
    refused = any(is_refusal(event) for event in events)
    return [without_words(event) if refused else event for _, event in ready]


def _dictated(event: CallEvent) -> tuple[str, str] | None:
    """Who said or pressed what, of the two who may dictate a number."""
    match event:
        case CallerSaid(text=words) | KeysPressed(keys=words):
            return "caller", words
        case AgentSaid(agent=agent, text=words):
            return f"agent {agent}", words
    return None


def _with_words(event: CallEvent, words: str) -> CallEvent:
    match event:
        case CallerSaid() | AgentSaid():
            return replace(event, text=words)
        case KeysPressed():
            return replace(event, keys=words)
    return event


class LiveEvents:
    """A sink of an `EventStream`: gives every event of the records on, masked alike; no words after a refusal.

    What is about no call is given, too. With `saying`, also the words so far of a caller who speaks, as long as no
    digits are among them: only the whole sentence shows what they are.
    """

    def __init__(self, give: Callable[[CallEvent], None], *, saying: bool = False) -> None:
        self._give = give
        self._saying = saying
        self._redactors: dict[str, EventRedactor] = {}  # of calls in which somebody is dictating
        self._refused: set[str] = set()
        self._lock = threading.Lock()  # events come from any thread

    def __call__(self, event: CallEvent) -> None:
        with self._lock:
            for ready in self._ready(event):
                self._give(ready)

    def _ready(self, event: CallEvent) -> list[CallEvent]:
        if isinstance(event, ABOUT_NO_CALL):
            return [redact_event(event)]
        if isinstance(event, CallerSaying):
            shown = self._saying and event.call_id not in self._refused and not has_digits(event.text)
            return [event] if shown else []
        call_id = event.call_id
        if is_refusal(event):
            self._refused.add(call_id)
        if call_id in self._refused:
            event = without_words(event)
        redactor = self._redactors.pop(call_id, None) or EventRedactor()
        ready = redactor.push(None, event)
        if isinstance(event, CallEnded):
            self._refused.discard(call_id)
        elif redactor.holding:
            self._redactors[call_id] = redactor
        return [without_words(masked) if call_id in self._refused else masked for _, masked in ready]


class LiveLines(LiveEvents):
    """As JSON, a line for each event."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(lambda event: write(json.dumps(to_json(event), ensure_ascii=False)))
