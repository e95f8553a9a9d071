"""Entries and agents as rows of the database, and back. Functions raise SQLAlchemyError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects.sqlite import insert

from voicebot.people_settings import QueueSettings
from voicebot.phone_numbers import as_kept
from voicebot.queueing.callbacks import callback_id
from voicebot.queueing.ledger import PROMISES_KEPT, Handled, KeptPlace, Restored
from voicebot.queueing.model import (
    PLACE_KEPT_FOR,
    RESTARTED,
    SHOWN_WITHIN,
    Agent,
    AgentState,
    Entry,
    EntryState,
    Kind,
    Profile,
)
from voicebot.records.models import AgentStateRow, CallbackRow, CallRow, QueueEntryRow

_EVIDENCE_FROM = timedelta(hours=8)  # handling times of yesterday tell little of today


def write(engine: Engine, rows: Iterable[Entry | Agent]) -> None:
    """All of them in one transaction; what is there already is replaced."""
    with engine.begin() as connection:
        for row in rows:
            if isinstance(row, Agent):
                _write_agent(connection, row)
            else:
                _write_entry(connection, row)


def _write_agent(connection: Connection, agent: Agent) -> None:
    values = {
        "profile": _profile_json(agent.profile),
        "state": str(agent.state),
        "reason": agent.reason,
        "since": agent.since,
        "idle_since": agent.idle_since,
    }
    _upsert(connection, AgentStateRow, {"login": agent.login}, values)


def _write_entry(connection: Connection, entry: Entry) -> None:
    started = {"id": entry.call_id, "started_at": entry.queued_at}  # the call's own events may come later
    connection.execute(insert(CallRow).values(started).on_conflict_do_nothing())
    values = {
        "place": entry.number,
        "language": entry.language,
        "queue": entry.queue,
        "reason": entry.reason,
        "entered_at": entry.entered_at,
        "state": str(entry.state),
        "agent": entry.agent,
        "accepted_at": entry.accepted_at,
        "talking_at": entry.talking_at,
        "outcome": entry.outcome,
        "code": entry.code,
        "notes": entry.notes,
    }
    if entry.kind is Kind.CALLBACK:
        values |= {
            "entry": entry.id,
            "promised_at": entry.queued_at,
            "done_at": entry.ended_at,
            "urgency": entry.urgency,
            "skills": sorted(entry.skills),
            "knows": entry.knows,
            "offers": entry.offers,
            "tries": entry.tries,
            "next_at": entry.next_at,
        }
        _upsert(connection, CallbackRow, {"call_id": entry.call_id, "number": as_kept(entry.caller)}, values)
    else:
        values |= {
            "call_id": entry.call_id,
            "kind": str(entry.kind),
            "caller": entry.caller,
            "queued_at": entry.queued_at,
            "visited": list(entry.visited),
            "ended_at": entry.ended_at,
        }
        _upsert(connection, QueueEntryRow, {"id": entry.id}, values)


def _upsert(connection: Connection, table: Any, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    row = insert(table).values({**key, **values})
    connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=values))


def restore(engine: Engine, queues: Mapping[str, QueueSettings], now: datetime) -> Restored:
    """What an earlier process left. Its calls are gone with it: their entries become lost, for good, here."""
    with engine.begin() as connection:
        connection.execute(
            update(QueueEntryRow)
            .where(QueueEntryRow.ended_at.is_(None))
            .values(state=str(EntryState.LOST), outcome=str(EntryState.LOST), ended_at=now)
        )
        last = max(
            connection.scalar(select(func.max(column))) or 0 for column in (QueueEntryRow.place, CallbackRow.place)
        )
        return Restored(
            callbacks=tuple(_callbacks(connection, next(iter(queues), ""), last)),
            agents=tuple(_agents(connection, now)),
            places=_places(connection, now),
            handled=tuple(_handled(connection, now)),
            over=_over(connection),
            last_number=last,
        )


def _callbacks(connection: Connection, queue: str, last: int) -> Iterable[Entry]:
    """In the order that they had. What the queue had not heard of comes where its time puts it."""
    rows = connection.execute(
        select(CallbackRow.__table__, CallRow.language.label("spoken"), CallRow.queue.label("handed_to"))
        .join(CallRow, CallRow.id == CallbackRow.call_id)
        .where(CallbackRow.done_at.is_(None))
        .order_by(func.coalesce(CallbackRow.entered_at, CallbackRow.promised_at), CallbackRow.place, CallbackRow.id)
    )
    seen: set[str] = set()
    for row in rows.mappings().all():
        number = as_kept(row["number"])
        name = row["entry"] or callback_id(row["call_id"], number)
        if name in seen:  # promised twice, before numbers were kept in one way
            continue
        seen.add(name)
        if number != row["number"]:
            _rename(connection, row["id"], row["call_id"], number)
        last += 0 if row["place"] else 1
        yield Entry(
            id=name,
            number=row["place"] or last,
            kind=Kind.CALLBACK,
            call_id=row["call_id"],
            caller=number,
            language=row["language"] or row["spoken"],
            queue=row["queue"] or row["handed_to"] or queue,
            urgency=row["urgency"],
            entered_at=row["entered_at"] or row["promised_at"],
            queued_at=row["promised_at"],
            skills=frozenset(row["skills"]),
            reason=row["reason"],
            knows=row["knows"],
            offers=row["offers"],
            tries=row["tries"],
            next_at=row["next_at"],
        )


def _over(connection: Connection) -> tuple[str, ...]:
    """So that a promise which is told again does not begin anew."""
    query = select(CallbackRow.call_id, CallbackRow.number).where(CallbackRow.done_at.is_not(None))
    newest = connection.execute(query.order_by(CallbackRow.done_at.desc()).limit(PROMISES_KEPT)).all()
    return tuple(callback_id(row.call_id, as_kept(row.number)) for row in reversed(newest))


def _rename(connection: Connection, row: int, call_id: str, number: str) -> None:
    """To the one way of writing it, unless that row is there already."""
    there = select(CallbackRow.id).where(CallbackRow.call_id == call_id, CallbackRow.number == number)
    if connection.scalar(there) is None:
        connection.execute(update(CallbackRow).where(CallbackRow.id == row).values(number=number))


def _agents(connection: Connection, now: datetime) -> Iterable[Agent]:
    """A break goes on. Who took calls has to show themselves: their line or page is gone with the process."""
    rows = connection.execute(select(AgentStateRow.__table__).where(AgentStateRow.state != str(AgentState.OFFLINE)))
    for row in rows.mappings().all():
        profile = _profile(row["profile"])
        rested = row["state"] == AgentState.ON_BREAK and row["reason"] != RESTARTED
        yield Agent(
            profile,
            AgentState.ON_BREAK,
            since=row["since"] if rested else now,
            idle_since=row["idle_since"],
            reason=row["reason"] if rested else RESTARTED,
            until=None if rested else now + SHOWN_WITHIN,
        )


def _places(connection: Connection, now: datetime) -> dict[tuple[str, str], KeptPlace]:
    rows = connection.execute(
        select(QueueEntryRow.__table__)
        .where(
            QueueEntryRow.state == str(EntryState.LOST),
            QueueEntryRow.kind == str(Kind.CALL),
            QueueEntryRow.caller != "",
            QueueEntryRow.ended_at > now - PLACE_KEPT_FOR,
        )
        .order_by(QueueEntryRow.entered_at.desc())  # of two places the older one holds
    )
    return {
        (row["caller"], row["queue"]): KeptPlace(row["entered_at"], row["ended_at"] + PLACE_KEPT_FOR)
        for row in rows.mappings()
    }


def _handled(connection: Connection, now: datetime) -> Iterable[Handled]:
    rows = connection.execute(
        select(QueueEntryRow.queue, QueueEntryRow.accepted_at, QueueEntryRow.ended_at)
        .where(
            QueueEntryRow.state == str(EntryState.DONE),
            QueueEntryRow.kind == str(Kind.CALL),
            QueueEntryRow.talking_at.is_not(None),
            QueueEntryRow.ended_at > now - _EVIDENCE_FROM,
        )
        .order_by(QueueEntryRow.ended_at)
    )
    for queue, accepted_at, ended_at in rows:
        if accepted_at is not None and ended_at is not None:
            yield Handled(queue, ended_at, (ended_at - accepted_at).total_seconds())


def _profile_json(profile: Profile) -> dict[str, Any]:
    return {
        "login": profile.login,
        "name": profile.name,
        "queues": sorted(profile.queues),
        "skills": sorted(profile.skills),
        "languages": sorted(profile.languages),
        "phone": profile.phone,
        "always": profile.always,
    }


def _profile(data: Mapping[str, Any]) -> Profile:
    sets = {name: frozenset(data[name]) for name in ("queues", "skills", "languages")}
    return Profile(data["login"], data["name"], **sets, phone=data["phone"], always=data["always"])
