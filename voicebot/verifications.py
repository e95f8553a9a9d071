"""Failed tries to be verified, remembered across calls in the records database, by a keyed hash of the first fact."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flows.actions import CallSystem
from flows.attempts import GuardedSystems
from flows.events import SystemResult
from flows.systems import Systems
from flows.verification import LOCKED_FOR, WITHIN, fingerprint, locked
from voicebot.errors import RecordsUnavailable
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.records.models import VerificationRow

KEY_FILE = "verification.key"
_KEY_BYTES = 32
_REMEMBERED = WITHIN + LOCKED_FOR


def load_key(data: Path) -> bytes:
    """The key of the hashes, made when there is none yet. Raises OSError, RecordsUnavailable."""
    path = data / KEY_FILE
    data.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{KEY_FILE}.{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(made, path)  # another process may have been first: its key holds
        except FileExistsError:
            pass
        finally:
            made.unlink()
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise RecordsUnavailable(f"The key in {path} is damaged.", "Remove it: locks of callers are then forgotten.")
    return key


class StoredAttempts:
    """Implements Attempts over the database of a data folder; it is opened with the first try.

    Raises SQLAlchemyError, OSError, RecordsUnavailable.
    """

    def __init__(self, data: Path, bot: str) -> None:
        self._data = data
        self._bot = bot
        self._engine = open_database(data / DATABASE)
        self._key = b""

    async def begin(self, try_id: str, fact: str, value: object, now: datetime) -> bool:
        """Count a failed try beforehand; False when the fact is locked."""
        return await asyncio.to_thread(self._begin, try_id, fact, value, now)

    async def withdraw(self, try_id: str) -> None:
        """The try has not failed."""
        await asyncio.to_thread(self._withdraw, try_id)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _begin(self, try_id: str, fact: str, value: object, now: datetime) -> bool:
        if not self._key:
            key = load_key(self._data)
            upgrade(self._engine)
            self._key = key
        known = fingerprint(self._key, self._bot, fact, value)
        with Session(self._engine) as session, session.begin():
            # Writing first takes the lock, so that two calls can not both count four tries.
            session.execute(delete(VerificationRow).where(VerificationRow.at < now - _REMEMBERED))
            times = session.scalars(select(VerificationRow.at).where(VerificationRow.fact == known)).all()
            if locked(times, now):
                return False
            session.add(VerificationRow(id=try_id, fact=known, at=now))
        return True

    def _withdraw(self, try_id: str) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(VerificationRow).where(VerificationRow.id == try_id))


class VerifyingSystems:
    """Implements Systems: a bot's company systems, and its stored tries. A try that can not be counted has failed."""

    def __init__(self, systems: Systems, attempts: StoredAttempts, clock: Callable[[], datetime]) -> None:
        self._attempts = attempts
        self._guarded = GuardedSystems(systems, attempts, clock)

    async def call(self, action: CallSystem) -> SystemResult:
        """Ask whom it concerns."""
        try:
            return await self._guarded.call(action)
        except (SQLAlchemyError, OSError, RecordsUnavailable) as error:
            return SystemResult(action.id, "failed", {"error": f"the tries can not be counted: {error}"})

    async def close(self) -> None:
        """Close all connections."""
        await self._guarded.close()
        self._attempts.close()
