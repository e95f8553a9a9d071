"""Messages that callers left, for those who listen to them. They are written by `RecordWriter` (VoicemailLeft)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Row, select, update

from voicebot.errors import VoicemailNotFound
from voicebot.records.database import Database
from voicebot.records.folder import CallFolder
from voicebot.records.models import VoicemailRow


@dataclass(frozen=True)
class Voicemail:
    """`number`: whom to call back, empty when withheld. `heard_by`: a login, empty until somebody has heard it."""

    id: str
    call_id: str
    queue: str
    number: str
    left_at: datetime
    duration_s: float
    transcript: str
    heard_by: str
    heard_at: datetime | None


class Voicemails:
    """Of a data folder. Methods block, and raise RecordsUnavailable when the database cannot be used."""

    def __init__(self, database: Database, data: Path) -> None:
        self._database = database
        self._calls = data / "calls"

    def list(
        self,
        *,
        queues: Collection[str] | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Voicemail]:
        """The newest first; `before`: those left earlier. `queues`: of these only."""
        found = select(VoicemailRow.__table__).order_by(VoicemailRow.left_at.desc(), VoicemailRow.id).limit(limit)
        if queues is not None:
            found = found.where(VoicemailRow.queue.in_(queues))
        if before is not None:
            found = found.where(VoicemailRow.left_at < before)
        with self._database.reading() as connection:
            return [_voicemail(row) for row in connection.execute(found)]

    def get(self, id: str) -> Voicemail:
        """Raises VoicemailNotFound."""
        with self._database.reading() as connection:
            return _get(connection, id)

    def mark_heard(self, id: str, who: str, at: datetime) -> Voicemail:
        """Who was first stays. Raises VoicemailNotFound."""
        with self._database.transaction() as connection:
            unheard = (VoicemailRow.id == id, VoicemailRow.heard_at.is_(None))
            connection.execute(update(VoicemailRow).where(*unheard).values(heard_by=who, heard_at=at))
            return _get(connection, id)

    def audio(self, id: str) -> Path:
        """The WAV file. Raises VoicemailNotFound, also when the file is gone."""
        path = CallFolder(self._calls / self.get(id).call_id).voicemail(id)
        if not path.is_file():
            raise VoicemailNotFound("The sound of that message is gone.", "Somebody has deleted its file.")
        return path


def _voicemail(row: Row[tuple[object, ...]]) -> Voicemail:
    return Voicemail(**row._mapping)


def _get(connection: Connection, id: str) -> Voicemail:
    row = connection.execute(select(VoicemailRow.__table__).where(VoicemailRow.id == id)).one_or_none()
    if row is None:
        raise VoicemailNotFound(f"There is no message {id}.", "Load the list again.")
    return _voicemail(row)
