"""Calls as they were kept, read back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from flows.words import tokens
from voicebot.errors import CallNotFound
from voicebot.events import (
    FOR_SUPERVISORS,
    AgentJoined,
    AlertRaised,
    CallEvent,
    event_name,
)
from voicebot.records.database import DATABASE, cannot_open, open_database
from voicebot.records.event_rows import event_of
from voicebot.records.models import LOST, CallbackRow, CallRow, EventRow, WordsRow
from voicebot.records.raised import alerts_of, by_call, had_alert

_KNOWN_FOR = timedelta(days=90)
"""How long an agent knows a caller."""


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
    """For any process. Methods raise RecordsUnavailable when the database cannot be read."""

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
        happened = tuple(event_of(row) for row in events)
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

    def lost_since(self, since: datetime) -> dict[str, datetime]:
        """When calls ended whose process died, by the caller's number: those of which something was told since then."""
        query = (
            select(CallRow.caller, CallRow.ended_at)
            .where(CallRow.outcome == LOST, CallRow.ended_at >= since, CallRow.caller != "")
            .order_by(CallRow.ended_at)
        )
        return {str(row["caller"]): row["ended_at"] for row in self._rows(query)}

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
        return tuple(event_of(row) for row in self._rows(query))

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
