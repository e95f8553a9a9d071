"""Writing events into the tables, and reading calls back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from flows.callback import CALLBACK_FLOW
from flows.words import tokens
from voicebot.errors import CallNotFound
from voicebot.events import (
    FOR_SUPERVISORS,
    REFUSED,
    AgentJoined,
    AgentSaid,
    AlertRaised,
    BotSaid,
    CallbackPromised,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    Decision,
    HandoffStarted,
    MoodChanged,
    RecordingStopped,
    SupervisorJoined,
    VoicemailLeft,
    WrappedUp,
    event_name,
    from_json,
    to_json,
)
from voicebot.phone_numbers import as_kept
from voicebot.records.bulk import Bulk, changed_rows, new_rows, replaced_rows
from voicebot.records.database import DATABASE, cannot_open, open_database
from voicebot.records.models import LOST, CallbackRow, CallRow, EventRow, VoicemailRow, WordsRow
from voicebot.records.privacy import is_refusal, without_words
from voicebot.records.raised import alerts_of, by_call, had_alert

_SPOKEN = (CallerSaid, BotSaid, AgentSaid)
_KNOWN_FOR = timedelta(days=90)
"""How long an agent knows a caller."""


@dataclass(frozen=True)
class NumberedEvent:
    """An event and its place among the events of its process. Storing one twice is storing it once."""

    number: int
    event: CallEvent


class CallStore:
    """The writing side. One batch is one transaction; methods raise SQLAlchemyError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, batch: Sequence[NumberedEvent]) -> None:
        """Store redacted events. The words of a call whose caller refused recording go, whenever they come."""
        began = {item.event.call_id: item.event.at - timedelta(seconds=item.event.offset_s) for item in reversed(batch)}
        rows = self._rows(batch, began)  # before the transaction: while it lasts nobody else can write
        with self._engine.begin() as connection:
            for bulk in rows:
                bulk.write(connection)
            refused = select(CallRow.id).where(CallRow.id.in_(began), CallRow.recording == REFUSED)
            for call_id in connection.scalars(refused).all():
                _forget_words(connection, call_id)

    def _rows(self, batch: Sequence[NumberedEvent], began: Mapping[str, datetime]) -> list[Bulk]:
        """In their order: what others refer to comes first."""
        changes: dict[str, dict[str, Any]] = {}
        for item in batch:
            changes.setdefault(item.event.call_id, {}).update(_call_changes(item.event))
        callbacks = [_callback_row(item.event) for item in batch if isinstance(item.event, CallbackPromised)]
        voicemails = [_voicemail_row(item.event) for item in batch if isinstance(item.event, VoicemailLeft)]
        changed = [{"id": call_id, **columns} for call_id, columns in changes.items() if columns]
        words = self._words_of_ended(batch)
        # also for calls whose start was lost
        rows = [new_rows(CallRow, [{"id": call_id, "started_at": at} for call_id, at in began.items()])]
        if changed:
            rows.append(changed_rows(CallRow, changed))
        if callbacks:  # the queue may have told of it first, and knows more
            rows.append(new_rows(CallbackRow, callbacks))
        if voicemails:
            rows.append(new_rows(VoicemailRow, voicemails))
        rows.append(new_rows(EventRow, [_event_row(item) for item in batch]))
        if words:
            rows.append(replaced_rows(WordsRow, words))
        return rows

    def _words_of_ended(self, batch: Sequence[NumberedEvent]) -> list[dict[str, Any]]:
        """What was said in the calls that end here: before, and in this batch."""
        ended = {item.event.call_id for item in batch if isinstance(item.event, CallEnded)}
        if not ended:
            return []
        with self._engine.connect() as connection:
            said = _said_in(connection, ended)
        for item in batch:
            if item.event.call_id in ended and isinstance(item.event, _SPOKEN):
                said[item.event.call_id][item.number] = item.event.text
        return _words_rows(said)

    def mark_lost(self, before: datetime) -> int:
        """Close the calls of a process that died before then: outcome `lost`. Returns how many there were."""
        last = (
            select(EventRow.call_id, func.max(EventRow.offset_s).label("offset_s"))
            .group_by(EventRow.call_id)
            .subquery()
        )
        with self._engine.begin() as connection:
            open_calls = connection.execute(
                select(CallRow.id, CallRow.started_at, last.c.offset_s)
                .outerjoin(last, last.c.call_id == CallRow.id)
                .where(CallRow.outcome == "", CallRow.started_at < before)
            ).all()
            lost = []
            for call_id, started_at, offset_s in open_calls:
                duration_s = offset_s or 0.0
                ended_at = started_at + timedelta(seconds=duration_s)
                lost.append({"id": call_id, "outcome": LOST, "ended_at": ended_at, "duration_s": duration_s})
            if lost:
                changed_rows(CallRow, lost).write(connection)
            if words := _words_rows(_said_in(connection, [row["id"] for row in lost])):
                replaced_rows(WordsRow, words).write(connection)
        return len(lost)


def _callback_row(event: CallbackPromised) -> dict[str, Any]:
    return {
        "call_id": event.call_id,
        "number": as_kept(event.number),
        "promised_at": event.at,
        "queue": event.queue,
        "reason": event.reason,
    }


def _voicemail_row(event: VoicemailLeft) -> dict[str, Any]:
    return {
        "id": event.voicemail,
        "call_id": event.call_id,
        "queue": event.queue,
        "number": as_kept(event.number),
        "left_at": event.at,
        "duration_s": event.duration_s,
        "transcript": event.text,
    }


def _event_row(item: NumberedEvent) -> dict[str, Any]:
    event = item.event
    data = to_json(event)
    for name in ("event", "call_id", "at", "offset_s"):
        del data[name]
    return {
        "call_id": event.call_id,
        "number": item.number,
        "at": event.at,
        "offset_s": event.offset_s,
        "event": event_name(event),
        "data": data,
    }


def _call_changes(event: CallEvent) -> dict[str, Any]:
    """Columns of the call's row that this event decides."""
    match event:
        case CallStarted():
            return {
                "started_at": event.at,
                "caller": event.caller,
                "dialled": event.dialled,
                "language": event.language,
                "bot": event.bot,
                "version": event.version,
            }
        case RecordingStopped(reason=reason):
            return {"recording": reason} | ({"why": ""} if is_refusal(event) else {})
        case Decision(kind="flow_started", data={"flow": str(flow), **more}):
            aside = flow == CALLBACK_FLOW or more.get("entered") == "sub"
            return {} if aside else {"why": str(more.get("title") or flow.replace("_", " "))}
        case MoodChanged(mood="angry" | "impatient" as mood):  # who calms down has been so nevertheless
            return {"mood": mood}
        case HandoffStarted(queue=queue, reason=reason):
            return {"queue": queue, "handoff_reason": reason}
        case AgentJoined(agent=agent, name=name, uri=uri):
            return {"agent": agent or uri, "agent_name": name}
        case SupervisorJoined(mode="taken_over", login=login, name=name):
            return {"agent": login, "agent_name": name}
        case WrappedUp(code=code, notes=notes):
            return {"wrap_up_code": code, "notes": notes}
        case CallEnded():
            return {
                "ended_at": event.at,
                "outcome": str(event.outcome),
                "cause": event.cause,
                "duration_s": event.duration_s,
            }
    return {}


def _said_in(connection: Connection, call_ids: Collection[str]) -> dict[str, dict[int, str]]:
    """By call and by the event's number."""
    spoken = EventRow.event.in_([event_name(kind) for kind in _SPOKEN])
    query = select(EventRow.call_id, EventRow.number, EventRow.data).where(EventRow.call_id.in_(call_ids), spoken)
    said: dict[str, dict[int, str]] = {call_id: {} for call_id in call_ids}
    for call_id, number, data in connection.execute(query):
        said[call_id][number] = str(data.get("text", ""))
    return said


def _words_rows(said: Mapping[str, Mapping[int, str]]) -> list[dict[str, Any]]:
    """Folded, in one row a call, so that past calls are found by their words."""
    words = {
        call_id: " ".join(token for _, text in sorted(texts.items()) for token in tokens(text))
        for call_id, texts in said.items()
    }
    return [{"call_id": call_id, "words": folded} for call_id, folded in words.items() if folded]


def _forget_words(connection: Connection, call_id: str) -> None:
    connection.execute(delete(WordsRow).where(WordsRow.call_id == call_id))
    connection.execute(delete(VoicemailRow).where(VoicemailRow.call_id == call_id))
    for row in connection.execute(select(EventRow.__table__).where(EventRow.call_id == call_id)).mappings().all():
        kept = to_json(without_words(_event_of(row)))
        data = {name: kept[name] for name in row["data"]}
        if data != row["data"]:
            connection.execute(update(EventRow).where(EventRow.id == row["id"]).values(data=data))


def _event_of(row: Any) -> CallEvent:
    return from_json(
        {
            **row["data"],
            "event": row["event"],
            "call_id": row["call_id"],
            "at": row["at"].isoformat(),
            "offset_s": row["offset_s"],
        }
    )


@dataclass(frozen=True)
class CallRecord:
    """A call as it was kept. `outcome` is empty while it goes on, `lost` when its process died.

    `recording` is "kept", or why it was not; the other columns are told at `CallRow`. `alerts` are the kinds of those
    that were raised, each once. `events` are filled by `get`, not by `list`.
    """

    id: str
    caller: str
    dialled: str
    language: str
    bot: str
    version: int
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    outcome: str
    cause: str
    recording: str
    queue: str
    handoff_reason: str
    why: str = ""
    mood: str = "neutral"
    agent: str = ""
    agent_name: str = ""
    wrap_up_code: str = ""
    notes: str = ""
    alerts: tuple[str, ...] = ()
    events: tuple[CallEvent, ...] = ()

    def was_served_by(self, login: str) -> bool:
        """Whether that agent has talked with the caller; only with the events of `get`."""
        return any(isinstance(event, AgentJoined) and event.agent == login for event in self.events)

    def for_agents(self) -> CallRecord:
        """Without what only supervisors learn."""
        events = tuple(event for event in self.events if not isinstance(event, FOR_SUPERVISORS))
        return replace(self, alerts=(), events=events)


@dataclass(frozen=True)
class EarlierCall:
    """What an agent is told of a call that the same caller made before. `agent`: as people call them."""

    id: str
    started_at: datetime
    outcome: str
    why: str
    agent: str
    notes: str


@dataclass(frozen=True)
class DoneCallback:
    """A promise that was kept, or given up (`outcome` gave_up). `entry`: its name in the queue. `agent`: a login."""

    entry: str
    call_id: str
    number: str
    queue: str
    reason: str
    promised_at: datetime
    tries: int
    agent: str
    outcome: str


class CallRecords:
    """The reading side, for any process. Methods raise RecordsUnavailable when the database cannot be read."""

    def __init__(self, data: Path) -> None:
        self._path = data / DATABASE
        self._engine = open_database(self._path)

    def list(
        self,
        *,
        limit: int = 100,
        before: datetime | None = None,
        outcome: str | None = None,
        caller: str = "",
        text: str = "",
        alert: str | None = None,
    ) -> tuple[CallRecord, ...]:
        """Calls, the newest first; `before` goes on where a page ended.

        `caller`: a part of the number. `text`: each of its words, or beginnings and other parts of words, was said in
        the call, which has ended; case and accents do not count. `alert`: the kind of one that was raised; "" for any.
        """
        query = select(CallRow.__table__).order_by(CallRow.started_at.desc(), CallRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(CallRow.started_at < before)
        if outcome is not None:
            query = query.where(CallRow.outcome == outcome)
        if caller:
            query = query.where(CallRow.caller.contains(caller, autoescape=True))
        if words := tokens(text):
            query = query.join(WordsRow, WordsRow.call_id == CallRow.id)
            query = query.where(*(WordsRow.words.contains(word, autoescape=True) for word in words))
        if alert is not None:
            query = query.where(had_alert(alert))
        rows = self._rows(query)
        alerts = by_call(self._rows(alerts_of([row["id"] for row in rows])))
        return tuple(CallRecord(**row, alerts=alerts.get(row["id"], ())) for row in rows)

    def get(self, call_id: str) -> CallRecord:
        """One call with its events. Raises CallNotFound."""
        rows = self._rows(select(CallRow.__table__).where(CallRow.id == call_id))
        if not rows:
            raise CallNotFound(f"There is no record of a call {call_id}.", "List the calls to see their ids.")
        events = self._rows(select(EventRow.__table__).where(EventRow.call_id == call_id).order_by(EventRow.number))
        happened = tuple(_event_of(row) for row in events)
        alerts = dict.fromkeys(event.kind for event in happened if isinstance(event, AlertRaised))
        return CallRecord(**rows[0], alerts=tuple(alerts), events=happened)

    def earlier_calls(self, caller: str, before: datetime, limit: int = 5) -> tuple[EarlierCall, ...]:
        """Calls that the same number made before then, the newest first; none where it was withheld."""
        if not caller:
            return ()
        agent = func.coalesce(func.nullif(CallRow.agent_name, ""), CallRow.agent).label("agent")
        query = (
            select(CallRow.id, CallRow.started_at, CallRow.outcome, CallRow.why, agent, CallRow.notes)
            .where(CallRow.caller == caller, CallRow.started_at < before)
            .order_by(CallRow.started_at.desc())
            .limit(limit)
        )
        return tuple(EarlierCall(**row) for row in self._rows(query))

    def last_agent(self, caller: str, now: datetime | None = None) -> str:
        """Who talked with this number last, within 90 days: a login or the name of a desk phone; "" for nobody."""
        if not caller:
            return ""
        since = (now or datetime.now(UTC)) - _KNOWN_FOR
        query = (
            select(CallRow.agent)
            .where(CallRow.caller == caller, CallRow.started_at >= since, CallRow.agent != "")
            .order_by(CallRow.started_at.desc())
            .limit(1)
        )
        return next((str(row["agent"]) for row in self._rows(query)), "")

    def happened_since(self, since: datetime, kinds: Collection[type[CallEvent]]) -> tuple[CallEvent, ...]:
        """The events of these kinds from then on, of the calls that began at most a day before, in their order."""
        query = (
            select(EventRow.__table__)
            .join(CallRow, CallRow.id == EventRow.call_id)
            .where(CallRow.started_at >= since - timedelta(days=1), EventRow.at >= since)
            .where(EventRow.event.in_([event_name(kind) for kind in kinds]))
            .order_by(EventRow.at, EventRow.number)
        )
        return tuple(_event_of(row) for row in self._rows(query))

    def done_callbacks(self, since: datetime, limit: int = 100) -> tuple[DoneCallback, ...]:
        """Promises that were kept or given up from then on, the newest first."""
        names = ("entry", "call_id", "number", "queue", "reason", "promised_at", "tries", "agent", "outcome")
        query = select(*(getattr(CallbackRow, name) for name in names)).where(CallbackRow.done_at >= since)
        return tuple(DoneCallback(**row) for row in self._rows(query.order_by(CallbackRow.done_at.desc()).limit(limit)))

    def close(self) -> None:
        self._engine.dispose()

    def _rows(self, query: Any) -> Sequence[Any]:
        if not self._path.exists():  # connecting would make an empty file
            raise cannot_open(self._path, FileNotFoundError(2, "there is no such file"))
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).mappings().all()
        except SQLAlchemyError as error:
            raise cannot_open(self._path, error) from error
