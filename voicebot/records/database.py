"""Opening the records database (SQLite) and bringing it up to date."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError, StatementError

from voicebot.errors import RecordsUnavailable

DATABASE = "records.sqlite3"

BUSY_TIMEOUT_S = 5.0

_MIGRATIONS = "voicebot.records:migrations"
_UPGRADING = threading.Lock()  # alembic keeps what it works on in module variables
_PASSING = ("locked", "busy", "full", "disk i/o error")


def open_database(path: Path, *, busy_timeout_s: float = 2.0) -> Engine:
    """An engine for the database file. Nothing is touched until the first connection.

    Write-ahead log: readers never wait for the writer. `synchronous=NORMAL` survives a crash of ours; a machine that
    loses power may lose the last moment. Deleted words are overwritten (`secure_delete`). Transactions are begun by us,
    because the driver would leave table changes outside of them.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": busy_timeout_s})

    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "secure_delete=ON"):
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def upgrade(engine: Engine) -> None:
    """Bring the tables to the newest revision (`alembic upgrade head`, in this process).

    Raises SQLAlchemyError; a database of a newer release raises RecordsUnavailable.
    """
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    with _UPGRADING, engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise RecordsUnavailable(
                f"The records database {engine.url.database} is not of this release: {error}.",
                "Install the release that wrote it, or set another data folder.",
            ) from error


def is_passing(error: BaseException) -> bool:
    """Whether the trouble may be over by itself or by an administrator's hand: a lock, a full disk, failing I/O."""
    if isinstance(error, OperationalError):
        return any(word in str(error.orig).lower() for word in _PASSING)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def is_about_data(error: BaseException) -> bool:
    """Whether an event is at fault rather than the database: the same event would fail for ever."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True
    return isinstance(error, IntegrityError | DataError) or not isinstance(error, SQLAlchemyError | OSError)


def cannot_open(path: Path, error: SQLAlchemyError | OSError) -> RecordsUnavailable:
    """The error to raise for trouble that will not pass."""
    reason = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
    return RecordsUnavailable(
        f"The records database {path} cannot be used: {reason}.",
        "Check that the data folder exists and may be written, and that the file is a database of this program.",
    )


class Database:
    """The database of a data folder, for those who write now and then.

    It is opened, and brought up to date, with the first transaction. Threads may share it.
    """

    def __init__(self, data: Path) -> None:
        self._path = data / DATABASE
        self._engine = open_database(self._path, busy_timeout_s=BUSY_TIMEOUT_S)
        self._prepared = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """For writing: holds the write lock from its beginning, so that what is read in it stays so until the commit.

        Nothing is kept when what is done in it raises. Raises RecordsUnavailable when the database cannot be used.
        """
        with self._begin(self._engine.execution_options(immediate=True)) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For reading alone: waits for no writer. Raises RecordsUnavailable."""
        with self._begin(self._engine) as connection:
            yield connection

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Connection]:
        try:
            if not self._prepared:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                upgrade(self._engine)
                self._prepared = True
            with engine.begin() as connection:
                yield connection
        except (OSError, SQLAlchemyError) as error:
            raise self._trouble(error) from error

    def close(self) -> None:
        self._engine.dispose()

    def _trouble(self, error: SQLAlchemyError | OSError) -> RecordsUnavailable:
        """In plain words, with what to do."""
        if not is_passing(error):
            return cannot_open(self._path, error)
        reason = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error).lower()
        if "locked" in reason or "busy" in reason:
            return RecordsUnavailable(
                f"The records database {self._path} is locked by another program; nothing was changed.",
                "Try again, and look for a program that holds it open.",
            )
        return RecordsUnavailable(
            f"The disk of the records database {self._path} is full or failing; nothing was changed.",
            "Make room on it, and try again.",
        )
