"""The versions of bots in the database: written by `voicebot flows publish`, read by every `voicebot serve`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from flows.source import closest
from voicebot.errors import VoicebotError
from voicebot.records.database import Database
from voicebot.records.models import ContentRow, ReleaseRow, VersionFileRow, VersionRow
from voicebot.versions.package import Package, digest


class VersionNotFound(VoicebotError):
    """No such version, or the bot was never published."""

    code = "version_not_found"


class VersionDamaged(VoicebotError):
    """What the database holds is not what was published."""

    code = "version_damaged"


@dataclass(frozen=True)
class Version:
    """A version as it was published. `answers`: new calls are answered by it."""

    bot: str
    number: int
    sha256: str
    published_at: datetime
    author: str
    note: str
    answers: bool


@dataclass(frozen=True)
class Published:
    """What `publish` did: `new` is false when a version with these files was there already."""

    version: Version
    new: bool


def _now() -> datetime:
    return datetime.now(UTC)


class VersionStore:
    """The versions kept under a data folder. Methods raise RecordsUnavailable when the database cannot be used."""

    def __init__(self, data: Path, now: Callable[[], datetime] = _now) -> None:
        self._database = Database(data)
        self._now = now

    def close(self) -> None:
        self._database.close()

    def publish(self, bot: str, package: Package, *, author: str, note: str = "") -> Published:
        """Keep the files as a version that answers calls from now on; the one that has them already, where there is."""
        with self._database.transaction() as connection:
            contents = {digest(content): content for content in package.files.values()}
            for sha256, content in contents.items():  # first of all a write: it takes the lock, and nothing is stale
                connection.execute(insert(ContentRow).values(sha256=sha256, data=content).on_conflict_do_nothing())
            query = select(VersionRow.number).where(VersionRow.bot == bot, VersionRow.sha256 == package.sha256)
            number = connection.scalar(query)
            new = number is None
            if number is None:
                last = connection.scalar(select(func.max(VersionRow.number)).where(VersionRow.bot == bot))
                number = (last or 0) + 1
                connection.execute(
                    insert(VersionRow).values(
                        bot=bot,
                        number=number,
                        sha256=package.sha256,
                        published_at=self._now(),
                        author=author,
                        note=note,
                    )
                )
                connection.execute(
                    insert(VersionFileRow),
                    [
                        {"bot": bot, "version": number, "path": path, "sha256": digest(content)}
                        for path, content in package.files.items()
                    ],
                )
            self._release(connection, bot, number, author)
        return Published(self.version(bot, number), new)

    def roll_back(self, bot: str, number: int, *, author: str) -> Version:
        """Calls are answered by that version from now on. Raises VersionNotFound."""
        self.version(bot, number)
        with self._database.transaction() as connection:
            self._release(connection, bot, number, author)
        return self.version(bot, number)

    def _release(self, connection: Connection, bot: str, number: int, author: str) -> None:
        """The version answers; nothing is written when it does already."""
        if self._current(connection, bot) != number:
            connection.execute(insert(ReleaseRow).values(bot=bot, version=number, at=self._now(), author=author))

    def current(self, bot: str) -> int:
        """The number of the version that answers. Raises VersionNotFound for a bot that was never published."""
        with self._database.reading() as connection:
            number = self._current(connection, bot)
            if number is None:
                raise self._unknown_bot(connection, bot)
            return number

    def versions(self, bot: str) -> tuple[Version, ...]:
        """All of them, the newest first. Raises VersionNotFound for a bot that was never published."""
        with self._database.reading() as connection:
            answering = self._current(connection, bot)
            query = select(VersionRow.__table__).where(VersionRow.bot == bot).order_by(VersionRow.number.desc())
            rows = connection.execute(query).mappings().all()
            if not rows:
                raise self._unknown_bot(connection, bot)
        return tuple(Version(**row, answers=row["number"] == answering) for row in rows)

    def version(self, bot: str, number: int) -> Version:
        """One of them. Raises VersionNotFound."""
        found = self.versions(bot)
        for version in found:
            if version.number == number:
                return version
        known = f"There are 1 to {found[0].number}." if found[0].number > 1 else "There is only version 1."
        raise VersionNotFound(f"The bot {bot} has no version {number}.", known)

    def package(self, bot: str, number: int) -> Package:
        """The files of a version, as they were published. Raises VersionNotFound, VersionDamaged."""
        version = self.version(bot, number)
        with self._database.reading() as connection:
            rows = connection.execute(
                select(VersionFileRow.path, VersionFileRow.sha256, ContentRow.data)
                .join(ContentRow, ContentRow.sha256 == VersionFileRow.sha256)
                .where(VersionFileRow.bot == bot, VersionFileRow.version == number)
            ).all()
        package = Package({path: data for path, _, data in rows})
        if package.sha256 != version.sha256:
            raise VersionDamaged(
                f"Version {number} of the bot {bot} is not what was published.",
                "Publish its files again, or roll back to another version.",
            )
        return package

    @staticmethod
    def _current(connection: Connection, bot: str) -> int | None:
        query = select(ReleaseRow.version).where(ReleaseRow.bot == bot).order_by(ReleaseRow.id.desc()).limit(1)
        return connection.scalar(query)

    @staticmethod
    def _unknown_bot(connection: Connection, bot: str) -> VersionNotFound:
        known = connection.scalars(select(VersionRow.bot).distinct()).all()
        remedy = closest(bot, known) or "Publish it: voicebot flows publish FOLDER."
        return VersionNotFound(f"No bot {bot} was published.", remedy)
