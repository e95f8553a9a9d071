"""The audit log: who did what, when, about which call, from where, for how long. Lines are added, never changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from voicebot.access.model import AuditEntry, Author
from voicebot.records.database import Database
from voicebot.records.models import AuditRow


def record(
    connection: Connection,
    at: datetime,
    by: Author,
    what: str,
    about: str = "",
    *,
    duration_s: float | None = None,
    **detail: Any,
) -> int:
    """Add a line within a transaction: what was done and that it was done are kept together. Returns its id."""
    if by.token:
        detail["token"] = by.token
    values = {"at": at, "who": by.login, "what": what, "about": about, "address": by.address}
    line = insert(AuditRow).values(**values, duration_s=duration_s, detail=detail).returning(AuditRow.id)
    return connection.execute(line).scalar_one()


class AuditLog:
    """The log of a data folder; for threads, not for the event loop. Methods raise RecordsUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def write(self, by: Author, what: str, about: str = "", **detail: Any) -> int:
        """Add a line. Returns its id."""
        with self._database.transaction() as connection:
            return record(connection, self._now(), by, what, about, **detail)

    def ended(self, line: int) -> None:
        """What that line tells of has ended now: fills in how long it took. Once; a second time changes nothing."""
        with self._database.transaction() as connection:
            began = connection.scalar(select(AuditRow.at).where(AuditRow.id == line))
            if began is not None:
                lasted = (self._now() - began).total_seconds()
                same = (AuditRow.id == line, AuditRow.duration_s.is_(None))
                connection.execute(update(AuditRow).where(*same).values(duration_s=lasted))

    def lines(
        self, *, before: int | None = None, limit: int = 100, who: str = "", what: str = ""
    ) -> tuple[AuditEntry, ...]:
        """The newest first; `before`: the id of the last line of the page before."""
        query = select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit)
        for column, value in ((AuditRow.who, who), (AuditRow.what, what)):
            query = query.where(column == value) if value else query
        if before is not None:
            query = query.where(AuditRow.id < before)
        with self._database.reading() as connection:
            return tuple(AuditEntry(**row) for row in connection.execute(query).mappings())
