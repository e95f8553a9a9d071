"""The table of deliveries: what waits to be sent survives a restart. Blocking: for a thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from voicebot.records.database import DATABASE, open_database
from voicebot.records.models import DeliveryRow

MOST_WAITING = 10_000  # overflow: the oldest is given up
MOST_FINISHED = 1000  # kept to be shown; the oldest go

WAITING, DONE, GIVEN_UP = "waiting", "done", "given_up"
_CHANGED = ("next_at", "tries", "state", "trouble", "finished_at", "body")
GIVEN_UP_CROWDED = "Too many deliveries waited."


@dataclass(frozen=True)
class Delivery:
    """One thing to one receiver. `channel` is webhook or mail, `target` the URL or the address.

    `body` is emptied when it is finished: nothing of a call is kept here longer than it is needed.
    """

    id: str
    channel: str
    target: str
    event: str
    call_id: str
    subject: str
    body: str
    created_at: datetime
    next_at: datetime
    tries: int = 0
    state: str = WAITING
    trouble: str = ""
    finished_at: datetime | None = None


class Deliveries:
    """Methods raise SQLAlchemyError. The tables have to be there (`RecordWriter.start` makes them)."""

    def __init__(self, data: Path) -> None:
        self._engine = open_database(data / DATABASE)

    def add(self, new: Sequence[Delivery]) -> None:
        with self._engine.begin() as connection:
            connection.execute(insert(DeliveryRow).on_conflict_do_nothing(), [dict(vars(delivery)) for delivery in new])
            waiting = select(DeliveryRow.id).where(DeliveryRow.state == WAITING)
            crowd = waiting.order_by(DeliveryRow.created_at.desc()).offset(MOST_WAITING)
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id.in_(crowd))
                .values(state=GIVEN_UP, trouble=GIVEN_UP_CROWDED, body="", finished_at=new[-1].created_at)
            )

    def due(self, now: datetime, limit: int, without: Collection[str] = ()) -> list[Delivery]:
        """What is to be tried now, the longest due first, but for those targets."""
        query = (
            select(DeliveryRow.__table__)
            .where(DeliveryRow.state == WAITING, DeliveryRow.next_at <= now, DeliveryRow.target.not_in(without))
            .order_by(DeliveryRow.next_at)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [Delivery(**row) for row in connection.execute(query).mappings()]

    def next_at(self) -> datetime | None:
        """When the next one is due."""
        with self._engine.connect() as connection:
            return connection.scalar(
                select(DeliveryRow.next_at).where(DeliveryRow.state == WAITING).order_by(DeliveryRow.next_at).limit(1)
            )

    def tried(self, delivery: Delivery) -> None:
        """What became of it."""
        with self._engine.begin() as connection:
            values = {name: getattr(delivery, name) for name in _CHANGED}
            connection.execute(update(DeliveryRow).where(DeliveryRow.id == delivery.id).values(values))
            finished = select(DeliveryRow.id).where(DeliveryRow.state != WAITING)
            old = finished.order_by(DeliveryRow.finished_at.desc()).offset(MOST_FINISHED)
            connection.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(old)))

    def all(self, limit: int = 100) -> list[Delivery]:
        """The newest first, to be shown."""
        query = select(DeliveryRow.__table__).order_by(DeliveryRow.created_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Delivery(**row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        query = select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
        with self._engine.connect() as connection:
            return {state: count for state, count in connection.execute(query)}

    def close(self) -> None:
        self._engine.dispose()
