"""Writing events into the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from flows.callback import CALLBACK_FLOW
from flows.words import tokens
from voicebot.events import (
    REFUSED,
    AgentJoined,
    AgentSaid,
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
    to_json,
)
from voicebot.phone_numbers import as_kept
from voicebot.records.bulk import Bulk, changed_rows, new_rows, replaced_rows
from voicebot.records.event_rows import event_of, event_row
from voicebot.records.models import LOST, CallbackRow, CallRow, EventRow, VoicemailRow, WordsRow
from voicebot.records.privacy import is_refusal, without_words

_SPOKEN = (CallerSaid, BotSaid, AgentSaid)


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
        rows.append(new_rows(EventRow, [event_row(item.number, item.event) for item in batch]))
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
    changed = []
    for row in connection.execute(select(EventRow.__table__).where(EventRow.call_id == call_id)).mappings().all():
        kept = to_json(without_words(event_of(row)))
        data = {name: kept[name] for name in row["data"]}
        if data != row["data"]:
            changed.append({"id": row["id"], "data": data})
    if changed:
        changed_rows(EventRow, changed).write(connection)
