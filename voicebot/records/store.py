"""Writing events into the tables, and reading calls back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from voicebot.errors import CallNotFound
from voicebot.events import (
    REFUSED,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    HandoffStarted,
    RecordingStopped,
    event_name,
    from_json,
    to_json,
)
from voicebot.phone_numbers import as_kept
from voicebot.records.database import DATABASE, cannot_open, open_database
from voicebot.records.models import LOST, CallbackRow, CallRow, EventRow
from voicebot.records.privacy import without_words


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
        with self._engine.begin() as connection:
            connection.execute(  # also for calls whose start was lost
                insert(CallRow).on_conflict_do_nothing(),
                [{"id": call_id, "started_at": started_at} for call_id, started_at in began.items()],
            )
            for item in batch:
                _change_call(connection, item.event)
            connection.execute(insert(EventRow).on_conflict_do_nothing(), [_event_row(item) for item in batch])
            refused = select(CallRow.id).where(CallRow.id.in_(began), CallRow.recording == REFUSED)
            for call_id in connection.scalars(refused).all():
                _forget_words(connection, call_id)

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
            for call_id, started_at, offset_s in open_calls:
                duration_s = offset_s or 0.0
                connection.execute(
                    update(CallRow)
                    .where(CallRow.id == call_id)
                    .values(outcome=LOST, ended_at=started_at + timedelta(seconds=duration_s), duration_s=duration_s)
                )
        return len(open_calls)


def _change_call(connection: Connection, event: CallEvent) -> None:
    if changes := _call_changes(event):
        connection.execute(update(CallRow).where(CallRow.id == event.call_id).values(**changes))
    if isinstance(event, CallbackPromised):
        connection.execute(
            insert(CallbackRow)
            .values(
                call_id=event.call_id,
                number=as_kept(event.number),
                promised_at=event.at,
                queue=event.queue,
                reason=event.reason,
            )
            .on_conflict_do_nothing()  # the queue may have told of it first, and knows more
        )


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
            return {"recording": reason}
        case HandoffStarted(queue=queue, reason=reason):
            return {"queue": queue, "handoff_reason": reason}
        case CallEnded():
            return {
                "ended_at": event.at,
                "outcome": str(event.outcome),
                "cause": event.cause,
                "duration_s": event.duration_s,
            }
    return {}


def _forget_words(connection: Connection, call_id: str) -> None:
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

    `recording` is "kept", or why it was not. `events` are filled by `get`, not by `list`.
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
    events: tuple[CallEvent, ...] = ()


@dataclass(frozen=True)
class Callback:
    """A promised callback that nobody has made yet."""

    call_id: str
    number: str
    promised_at: datetime


class CallRecords:
    """The reading side, for any process. Methods raise RecordsUnavailable when the database cannot be read."""

    def __init__(self, data: Path) -> None:
        self._path = data / DATABASE
        self._engine = open_database(self._path)

    def list(
        self, *, limit: int = 100, before: datetime | None = None, outcome: str | None = None
    ) -> tuple[CallRecord, ...]:
        """Calls, the newest first; `before` goes on where a page ended."""
        query = select(CallRow.__table__).order_by(CallRow.started_at.desc(), CallRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(CallRow.started_at < before)
        if outcome is not None:
            query = query.where(CallRow.outcome == outcome)
        return tuple(CallRecord(**row) for row in self._rows(query))

    def get(self, call_id: str) -> CallRecord:
        """One call with its events. Raises CallNotFound."""
        rows = self._rows(select(CallRow.__table__).where(CallRow.id == call_id))
        if not rows:
            raise CallNotFound(f"There is no record of a call {call_id}.", "List the calls to see their ids.")
        events = self._rows(select(EventRow.__table__).where(EventRow.call_id == call_id).order_by(EventRow.number))
        return replace(CallRecord(**rows[0]), events=tuple(_event_of(row) for row in events))

    def open_callbacks(self) -> tuple[Callback, ...]:
        """Promises not kept yet, the oldest first."""
        columns = (CallbackRow.call_id, CallbackRow.number, CallbackRow.promised_at)
        query = select(*columns).where(CallbackRow.done_at.is_(None)).order_by(CallbackRow.promised_at)
        return tuple(Callback(**row) for row in self._rows(query))

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
