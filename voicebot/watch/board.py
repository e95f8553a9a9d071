"""The live board: the events of all calls, folded into rows, with what changed since a revision.

Pure, and cheap: an event costs a look at its own call, and a reader who asks again is given the changed rows only. It
takes events as `records.privacy.LiveEvents` gives them: masked. One thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from voicebot.events import (
    REFUSED,
    AgentCalled,
    AgentJoined,
    AgentLeft,
    AgentOffered,
    AgentRefused,
    AgentSaid,
    AlertAcknowledged,
    AlertRaised,
    BotRefused,
    BotSaid,
    BotTaken,
    CallbackPromised,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    Decision,
    HandoffStarted,
    MoodChanged,
    QueueEntered,
    QueueLeft,
    RecordingStopped,
    SupervisorJoined,
    SupervisorLeft,
    VoicemailLeft,
    WrappedUp,
)  # fmt: skip
from voicebot.watch.figures import DEFAULT_SERVICE_LEVEL_S, QueueFigures
from voicebot.watch.rows import Alert, CallRow, Phase, QueueRow
from voicebot.watch.versioned import Revision, Versioned

MOST_CALLS = 2000
MOST_ALERTS = 500
MOST_QUEUES = 500
FORGET_AFTER = timedelta(hours=6)  # without an event: the end of such a call was missed
LONGEST_WORDS = 120

COUNTED = (QueueEntered, QueueLeft, CallbackPromised, VoicemailLeft)
"""What the figures of a day are made of, for `restore`."""

T = TypeVar("T")

_ENDED_KNOWN = 2000
_AFTER_THE_END = (WrappedUp, AlertAcknowledged, CallEnded, BotTaken, BotRefused)

_ANYWHERE = frozenset(Phase)
_IN_LINE = frozenset({Phase.BOT, Phase.WAITING, Phase.OFFERED})

# By event and, where it has one that counts, its `why` or `mode`: the phases in which it moves the call, and where to.
MOVES: dict[tuple[type[CallEvent], str], tuple[frozenset[Phase], Phase]] = {
    (HandoffStarted, ""): (_ANYWHERE, Phase.WAITING),
    (QueueEntered, ""): (_ANYWHERE, Phase.WAITING),
    (QueueLeft, "to_bot"): (_IN_LINE, Phase.BOT),
    (QueueLeft, "callback"): (_IN_LINE, Phase.BOT),
    (QueueLeft, "voicemail"): (_IN_LINE, Phase.BOT),
    (AgentOffered, ""): (_IN_LINE, Phase.OFFERED),
    (AgentCalled, ""): (_IN_LINE, Phase.OFFERED),
    (AgentRefused, ""): (frozenset({Phase.OFFERED}), Phase.WAITING),
    (AgentJoined, ""): (_ANYWHERE, Phase.AGENT),
    (AgentLeft, "transferred"): (_ANYWHERE, Phase.WAITING),
    (AgentLeft, "line_lost"): (_ANYWHERE, Phase.WAITING),
    (AgentLeft, "to_bot"): (_ANYWHERE, Phase.BOT),
    (SupervisorJoined, "taken_over"): (_ANYWHERE, Phase.AGENT),
    (CallHeld, ""): (_ANYWHERE, Phase.ON_HOLD),
    (CallHeld, "consulting"): (_ANYWHERE, Phase.CONSULTING),
    (CallResumed, ""): (_ANYWHERE, Phase.AGENT),
}


@dataclass(frozen=True)
class Changes:
    """Rows that are new or other than at the revision asked about, None: gone. `whole`: what is not here is gone."""

    revision: int
    whole: bool
    calls: Mapping[str, CallRow | None]
    queues: Mapping[str, QueueRow | None]
    alerts: Mapping[str, Alert | None]


class Board:
    """All live calls, queues and alerts. Bounded: see `MOST_CALLS` and the others; what is oldest goes."""

    def __init__(self, service_levels_s: Mapping[str, float] | None = None, zone: tzinfo = UTC) -> None:
        """`service_levels_s`: by queue; queues that are named here have a row from the beginning."""
        self._levels = dict(service_levels_s or {})
        self._zone = zone
        self._revision = Revision()
        self._calls: Versioned[CallRow] = Versioned(self._revision, MOST_CALLS)
        self._queues: Versioned[QueueRow] = Versioned(self._revision, MOST_QUEUES)
        self._alerts: Versioned[Alert] = Versioned(self._revision, MOST_ALERTS)
        self._seen: OrderedDict[str, datetime] = OrderedDict()  # the last event of each live call
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._listening: dict[str, set[str]] = {}
        self._figures: dict[str, QueueFigures] = {}
        self._leaving: dict[str, str] = {}  # the queue by call, of those who want a callback and have to say to where
        for name in self._levels:
            self._show_queue(name)

    @property
    def revision(self) -> int:
        return self._revision.value

    def call(self, call_id: str) -> CallRow | None:
        return self._calls.get(call_id)

    def calls(self) -> tuple[CallRow, ...]:
        return tuple(self._calls.all().values())

    def alerts(self) -> tuple[Alert, ...]:
        """The newest first."""
        return tuple(sorted(self._alerts.all().values(), key=lambda row: row.at, reverse=True))

    def queues(self) -> tuple[QueueRow, ...]:
        return tuple(self._queues.all().values())

    def changes(self, since: int = 0) -> Changes:
        """What a reader has to learn who knows the board as it was at `since`."""
        kept = (self._calls, self._queues, self._alerts)
        whole = since <= 0 or since > self.revision or not all(part.knows(since) for part in kept)
        since = 0 if whole else since
        calls = self._calls.since(since)
        queues, alerts = self._queues.since(since), self._alerts.since(since)
        if whole:
            calls, queues, alerts = _there(calls), _there(queues), _there(alerts)
        return Changes(self.revision, whole, calls, queues, alerts)

    def happened(self, event: CallEvent) -> None:
        """Take an event, of any call and in whatever order calls are heard of."""
        self._count(event)
        self._alert(event)
        call_id = event.call_id
        row = self._calls.get(call_id)
        if isinstance(event, CallEnded):
            self._forget(call_id)
        elif row is not None or (call_id not in self._ended and not isinstance(event, _AFTER_THE_END)):
            row = row or _missed(event)
            self._seen[call_id] = event.at
            self._seen.move_to_end(call_id)
            went = self._calls.put(call_id, self._changed(row, event))
            if went is not None:
                self._forget(went)

    def restore(self, events: Iterable[CallEvent]) -> None:
        """The figures of the day after a restart, from what is on record of its queues (`CallRecords.happened_since`).

        Whoever waited is gone with the process.
        """
        for event in events:
            self._count(event)
        self._leaving.clear()
        for name, figures in self._figures.items():
            figures.nobody_waits()
            self._show_queue(name)

    def tick(self, now: datetime) -> None:
        """From time to time: a new day, and calls whose end was missed."""
        for name, figures in self._figures.items():
            figures.turn_day(now)
            self._queues.put(name, figures.row)
        while self._seen and now - next(iter(self._seen.values())) > FORGET_AFTER:
            self._forget(next(iter(self._seen)))

    def _forget(self, call_id: str) -> None:
        self._calls.drop(call_id)
        self._seen.pop(call_id, None)
        self._listening.pop(call_id, None)
        self._leaving.pop(call_id, None)
        self._ended[call_id] = None
        if len(self._ended) > _ENDED_KNOWN:
            self._ended.popitem(last=False)

    def _changed(self, row: CallRow, event: CallEvent) -> CallRow:
        row = _described(row, event)
        if isinstance(event, SupervisorJoined | SupervisorLeft):
            listening = self._listening.setdefault(row.call_id, set())
            if isinstance(event, SupervisorJoined):
                listening.add(event.listen)
            else:
                listening.discard(event.listen)
            row = replace(row, listeners=len(listening))
        return _moved(row, event)

    def _alert(self, event: CallEvent) -> None:
        match event:
            case AlertRaised(alert=alert, kind=kind, text=text):
                self._alerts.put(alert, Alert(alert, kind, event.call_id, text, event.at))
            case AlertAcknowledged(alert=alert, who=who):
                row = self._alerts.get(alert)
                if row is not None:
                    self._alerts.put(alert, replace(row, acknowledged_by=who, acknowledged_at=event.at))
            case RecordingStopped(reason=reason) if reason == REFUSED:  # their sentences may hold the caller's words
                for row in self.alerts():
                    if row.call_id == event.call_id:
                        self._alerts.put(row.id, replace(row, text=""))

    def _count(self, event: CallEvent) -> None:
        match event:
            case QueueEntered(queue=queue, entry=entry):
                self._leaving.pop(event.call_id, None)
                self._of(queue).enter(entry, event.at)
                self._show_queue(queue)
            case QueueLeft(queue=queue, entry=entry, why=why, waited_s=waited_s):
                self._of(queue).leave(entry, why, event.at, waited_s)
                self._show_queue(queue)
                if why == "callback":
                    self._leaving[event.call_id] = queue
            case CallbackPromised() if left := self._leaving.pop(event.call_id, None):
                self._of(left).promise(event.at)
                self._show_queue(left)
            case VoicemailLeft(queue=queue):
                self._of(queue).take_message(event.at)
                self._show_queue(queue)
            case CallEnded():
                row = self._calls.get(event.call_id)
                if row is not None and row.phase in (Phase.WAITING, Phase.OFFERED) and row.entry:
                    self._of(row.queue).give_up(row.entry, event.at)
                    self._show_queue(row.queue)

    def _of(self, queue: str) -> QueueFigures:
        if queue not in self._figures:
            level_s = self._levels.get(queue, DEFAULT_SERVICE_LEVEL_S)
            self._figures[queue] = QueueFigures(queue, level_s, self._zone)
        return self._figures[queue]

    def _show_queue(self, queue: str) -> None:
        self._queues.put(queue, self._of(queue).row)


def _there(rows: Mapping[str, T | None]) -> dict[str, T | None]:
    return {key: row for key, row in rows.items() if row is not None}


def _missed(event: CallEvent) -> CallRow:
    """A call that is heard of for the first time, at its beginning or later."""
    return CallRow(event.call_id, event.at - timedelta(seconds=event.offset_s), Phase.BOT, event.at)


def _described(row: CallRow, event: CallEvent) -> CallRow:
    """What an event tells of the call, but for its phase."""
    match event:
        case CallStarted(caller=caller, bot=bot, language=language):
            return replace(row, caller=caller, bot=bot, language=language, started_at=event.at, phase_since=event.at)
        case BotSaid(text=text, heard_text=heard, interrupted=interrupted, step=step):
            return _spoke(replace(row, step=step), heard if interrupted else text)
        case CallerSaid(text=text) | AgentSaid(text=text):
            return _spoke(row, text)
        case RecordingStopped(reason=reason) if reason == REFUSED:
            return _spoke(row, "")
        case Decision(kind=kind, data=data):
            return _decided(row, kind, data)
        case MoodChanged(mood=mood):
            return replace(row, mood=mood)
        case AlertRaised(kind=kind):
            return replace(row, alerts=tuple(dict.fromkeys((*row.alerts, kind))))
        case AlertAcknowledged(kind=kind):
            return replace(row, alerts=tuple(other for other in row.alerts if other != kind))
        case HandoffStarted(queue=queue):
            return replace(row, queue=queue)
        case QueueEntered(queue=queue, entry=entry):
            return replace(row, queue=queue, entry=entry)
    return _with_agent(row, event)


def _with_agent(row: CallRow, event: CallEvent) -> CallRow:
    match event:
        case AgentOffered(agent=agent, name=name) if row.phase in _IN_LINE:
            return replace(row, agent=agent, agent_name=name or agent)
        case AgentCalled(uri=uri, agent=agent, name=name) if row.phase in _IN_LINE:
            return replace(row, agent=agent or uri, agent_name=name or agent or uri)
        case AgentJoined(uri=uri, agent=agent, name=name):
            return replace(row, agent=agent or uri, agent_name=name or agent or uri)
        case SupervisorJoined(mode="taken_over", login=login, name=name):
            return replace(row, agent=login, agent_name=name or login)
        case AgentRefused() if row.phase is Phase.OFFERED:
            return replace(row, agent="", agent_name="")
    return row


def _spoke(row: CallRow, text: str) -> CallRow:
    words = text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + "…"
    return replace(row, last_words=words)


def _decided(row: CallRow, kind: str, data: Mapping[str, object]) -> CallRow:
    match kind:
        case "flow_started" | "flow_resumed":
            return replace(row, flow=str(data.get("flow", "")))
        case "flow_done" | "flow_cancelled":
            return replace(row, flow="") if data.get("flow") == row.flow else row
        case "language" if data.get("spoken"):
            return replace(row, language=str(data.get("wanted", row.language)))
    return row


def _moved(row: CallRow, event: CallEvent) -> CallRow:
    """The call in its new phase. An agent who was followed by another before leaving moves nothing."""
    why = str(getattr(event, "why", getattr(event, "mode", "")))
    move = MOVES.get((type(event), why)) or MOVES.get((type(event), ""))
    if move is None or row.phase not in move[0] or (isinstance(event, AgentLeft) and event.agent != row.agent):
        return row
    phase = move[1]
    if isinstance(event, AgentLeft):
        row = replace(row, agent="", agent_name="")
    return row if phase is row.phase else replace(row, phase=phase, phase_since=event.at)
