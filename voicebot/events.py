"""What happens in a call, as one stream of typed events that console, logs, records and tests read alike.

An event says which call, when (`at`, aware, UTC) and how long after the call began (`offset_s`). Events are plain
values: frozen, JSON-ready through `to_json` and back through `from_json`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypedDict

from voicebot.errors import UnreadableEvent

log = logging.getLogger(__name__)

REFUSED = "refused"
"""`RecordingStopped.reason` of a caller who does not want to be recorded: no words of the call are kept."""


class Outcome(StrEnum):
    """How a call ended, as the company sees it."""

    CONTAINED = "contained"  # served by the bot alone
    HANDED_OFF = "handed_off"  # an agent took it
    CALLBACK_PROMISED = "callback_promised"
    ABANDONED = "abandoned"  # the caller hung up before being served
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """What every event carries."""

    call_id: str
    at: datetime
    offset_s: float


@dataclass(frozen=True, kw_only=True)
class CallStarted(CallEvent):
    """A call came in. `caller` is the caller's number, empty when withheld; `bot` the name of the loaded bot.

    `version` is the published version that it runs under to its end; 0 for a bot from a folder.
    """

    caller: str
    dialled: str
    language: str
    bot: str
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class BotSaid(CallEvent):
    """A sentence was played. When `interrupted`, `heard_text` is the part that was on the wire by then."""

    text: str
    step: str
    interrupted: bool = False
    heard_text: str = ""


@dataclass(frozen=True, kw_only=True)
class CallerSaid(CallEvent):
    """One utterance of the caller, recognised. `confidence` 0..1."""

    text: str
    confidence: float
    decode_ms: float
    audio_s: float


@dataclass(frozen=True, kw_only=True)
class CallerSaying(CallEvent):
    """The words so far of a caller who speaks on. For those who watch the call; it is never kept (see PASSING)."""

    text: str


@dataclass(frozen=True, kw_only=True)
class KeysPressed(CallEvent):
    keys: str


@dataclass(frozen=True, kw_only=True)
class Decision(CallEvent):
    """Why the dialog went on as it did: the command chosen and its source, a repair, a note of the flow."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SystemCalled(CallEvent):
    """A company system answered (or did not): `outcome` is ok, not_found, failed or unknown."""

    operation: str
    outcome: str
    ms: float


@dataclass(frozen=True, kw_only=True)
class RecordingStopped(CallEvent):
    """Nothing is recorded from here; with reason `REFUSED` what was kept so far is dropped too."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class HandoffStarted(CallEvent):
    queue: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AgentCalled(CallEvent):
    uri: str


@dataclass(frozen=True, kw_only=True)
class AgentAnswered(CallEvent):
    uri: str


@dataclass(frozen=True, kw_only=True)
class AgentRefused(CallEvent):
    """The agent did not take the call: `cause` is declined, busy, no_answer or what the telephone network said."""

    uri: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class AgentJoined(CallEvent):
    """Caller and agent hear each other."""

    uri: str


@dataclass(frozen=True, kw_only=True)
class CallbackPromised(CallEvent):
    """`queue` and `reason`: who calls back, and why."""

    number: str
    queue: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SurveyAnswered(CallEvent):
    """A mark that the caller gave: `kind` is nps, csat or ces; `comment` in the caller's words, or empty.

    With the comment it comes a second time: the last one of a kind holds.
    """

    kind: str
    score: int
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class TurnTimed(CallEvent):
    """Where the time between the caller's last word and the bot's first went: milliseconds per stage, in order."""

    stages: Mapping[str, float]

    @property
    def total_ms(self) -> float:
        return sum(self.stages.values())


@dataclass(frozen=True, kw_only=True)
class LanguageModelAsked(CallEvent):
    """What became of a question to the language model; nothing of it is the caller's words.

    `purpose`: meaning (of the caller's words), rewording (of a passage of the knowledge) or summary (of the call).
    `outcome`: chosen, reworded, told (a summary), nothing (no move or words that may be used), superseded (the caller
    went on, or the call ended), or why there was no answer. `commands` were chosen, `dropped` were not possible, `cost`
    is in the currency of the configured prices.
    """

    mode: str
    outcome: str
    reason: str
    ms: int
    first_token_ms: int | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    commands: Sequence[str]
    dropped: Sequence[str]
    purpose: str = "meaning"


@dataclass(frozen=True, kw_only=True)
class StoodIn(CallEvent):
    """Our own engine answered for the configured service: `part` is recognition, speech or understanding.

    `service` is its class, or the name of the language model. `why`: failed, slow, busy (all connections in use), or
    left_alone (it failed several times before; told once).
    """

    part: str
    service: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Fault(CallEvent):
    """Something broke and the call went on without it."""

    stage: str
    message: str


@dataclass(frozen=True, kw_only=True)
class BotTaken(CallEvent):
    """New calls are answered by this version of a bot (0: by its folder as it is now). It is about no call."""

    bot: str
    version: int


@dataclass(frozen=True, kw_only=True)
class BotRefused(CallEvent):
    """A version of a bot, or its folder, cannot be used; the one before stays. It is about no call."""

    bot: str
    version: int
    message: str


@dataclass(frozen=True, kw_only=True)
class CallEnded(CallEvent):
    """The last event of every call."""

    outcome: Outcome
    cause: str
    duration_s: float


EVENT_TYPES: tuple[type[CallEvent], ...] = (
    CallStarted, BotSaid, CallerSaid, CallerSaying, KeysPressed, Decision, SystemCalled, RecordingStopped,
    HandoffStarted, AgentCalled, AgentAnswered, AgentRefused, AgentJoined, CallbackPromised, SurveyAnswered, TurnTimed,
    LanguageModelAsked, StoodIn, Fault, BotTaken, BotRefused, CallEnded,
)  # fmt: skip
ABOUT_NO_CALL = (BotTaken, BotRefused)
PASSING = (CallerSaying, *ABOUT_NO_CALL)
"""Events of the moment, for those who watch: what they tell comes again in another event, or is about no call. No
record of a call has them."""


def event_name(event: CallEvent | type[CallEvent]) -> str:
    """`bot_said` for `BotSaid`."""
    kind = event if isinstance(event, type) else type(event)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_BY_NAME = {event_name(kind): kind for kind in EVENT_TYPES}


def to_json(event: CallEvent) -> dict[str, Any]:
    """Plain data: `event` is the name, `at` an ISO time in UTC, the rest are the fields."""
    data: dict[str, Any] = {"event": event_name(event)}
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat()
        elif isinstance(value, StrEnum):
            value = value.value
        elif isinstance(value, Mapping):
            value = dict(value)
        data[field.name] = value
    return data


def from_json(data: Mapping[str, Any]) -> CallEvent:
    """The event that `to_json` wrote. Raises UnreadableEvent."""
    kind = _BY_NAME.get(str(data.get("event")))
    if kind is None:
        raise UnreadableEvent(f"No event is called {data.get('event')!r}.")
    values = {name: value for name, value in data.items() if name != "event"}
    try:
        values["at"] = datetime.fromisoformat(values["at"]).astimezone(UTC)
        if kind is CallEnded:
            values["outcome"] = Outcome(values["outcome"])
        return kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(f"The event {data.get('event')!r} cannot be read: {error}.") from error


class Stamp(TypedDict):
    """The fields that every event has; `BotSaid(text=..., step=..., **clock.stamp())`."""

    call_id: str
    at: datetime
    offset_s: float


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CallClock:
    """Stamps the events of one call. `offset_s` runs by the monotonic clock, so it survives a clock being set."""

    def __init__(
        self,
        call_id: str,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.call_id = call_id
        self._now = now
        self._monotonic = monotonic
        self._began = monotonic()

    def stamp(self) -> Stamp:
        return {"call_id": self.call_id, "at": self._now(), "offset_s": round(self._monotonic() - self._began, 3)}


class Subscription(AsyncIterator[CallEvent]):
    """Events for one reader. Holds at most `limit`; overflow: the oldest is dropped and counted in `dropped`."""

    def __init__(self, limit: int, call_id: str | None, on_close: Callable[[Subscription], None]) -> None:
        self.dropped = 0
        self._events: deque[CallEvent] = deque()
        self._limit = limit
        self._call_id = call_id
        self._on_close = on_close
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._closed = False

    def offer(self, event: CallEvent) -> None:
        """Called by the stream, from any thread."""
        if self._call_id is not None and event.call_id != self._call_id:
            return
        with self._lock:
            if len(self._events) >= self._limit:
                self._events.popleft()
                self.dropped += 1
            self._events.append(event)
        self._wake()

    def close(self) -> None:
        """No more events come; what is queued can still be read. Idempotent."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the reader's loop is gone: nobody is left to wake
            self._loop.call_soon_threadsafe(self._ready.set)

    async def __anext__(self) -> CallEvent:
        while True:
            with self._lock:
                if self._events:
                    return self._events.popleft()
                if self._closed:
                    raise StopAsyncIteration
            self._ready.clear()
            if not self._events and not self._closed:
                await self._ready.wait()


class EventStream:
    """Hands every published event to all readers. Publishing never waits for a reader, whatever the reader does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._sinks: tuple[Callable[[CallEvent], None], ...] = ()

    def subscribe(self, *, limit: int = 1000, call_id: str | None = None) -> Subscription:
        """Events from now on, of one call or of all, for a reader on the running loop. Close it when done."""
        subscription = Subscription(limit, call_id, self._forget)
        with self._lock:
            self._subscriptions += (subscription,)
        return subscription

    def attach(self, sink: Callable[[CallEvent], None]) -> Callable[[], None]:
        """`sink(event)` runs in the publisher's thread and must not block; a raising sink is logged.

        Returns the detach.
        """
        with self._lock:
            self._sinks += (sink,)

        def detach() -> None:
            with self._lock:
                self._sinks = tuple(other for other in self._sinks if other is not sink)

        return detach

    def publish(self, event: CallEvent) -> None:
        """From any thread; never blocks and never raises."""
        for sink in self._sinks:
            try:
                sink(event)
            except Exception:
                log.exception("A reader of call events failed on %s", event_name(event))
        for subscription in self._subscriptions:
            subscription.offer(event)

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(other for other in self._subscriptions if other is not subscription)
