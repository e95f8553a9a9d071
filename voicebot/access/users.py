"""Users in the database. A change of one, the end of sessions that it brings, and its line in the audit log are one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from flows.source import closest
from voicebot.access.audit import record
from voicebot.access.errors import LastAdministrator, UserExists, UserNotFound
from voicebot.access.model import Author, NewUser, User, checked_login, checked_roles
from voicebot.access.passwords import check_password, check_pin, hash_password
from voicebot.records.database import Database
from voicebot.records.models import SessionRow, UserRow

_COLUMNS = tuple(column for column in UserRow.__table__.columns if column.name not in ("password", "pin"))
_LISTS = ("roles", "queues", "skills", "languages")
_ENDS_SESSIONS = frozenset({"password", "roles", "disabled"})


def user_of(row: RowMapping) -> User:
    """`row`: at least the columns of a user."""
    values: dict[str, Any] = {column.name: row[column.name] for column in _COLUMNS}
    return User(**values | {name: tuple(values[name]) for name in _LISTS})


class UserStore:
    """The users of a data folder; for threads, not for the event loop. Methods raise RecordsUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def all(self) -> tuple[User, ...]:
        """By login."""
        with self._database.reading() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(UserRow.login)).mappings().all()
        return tuple(user_of(row) for row in rows)

    def get(self, login: str) -> User:
        """Raises UserNotFound."""
        with self._database.reading() as connection:
            return get_user(connection, login)

    def exists(self, login: str) -> bool:
        with self._database.reading() as connection:
            return connection.scalar(select(UserRow.login).where(UserRow.login == login)) is not None

    def secrets(self, login: str) -> tuple[User, str, str] | None:
        """With the hashes of password and PIN; None for a login that there is not, or that is disabled."""
        query = select(UserRow.__table__).where(UserRow.login == login, UserRow.disabled.is_(False))
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return (user_of(row), row["password"], row["pin"]) if row is not None else None

    def add(self, new: NewUser, by: Author) -> User:
        """Raises WrongUser, WeakPassword, UserExists. Takes as long as hashing."""
        login, roles = checked_login(new.login), checked_roles(new.roles)
        check_password(new.password, (login, new.name))
        if new.pin:
            check_pin(new.pin)
        values = {
            "login": login,
            "name": new.name,
            "password": hash_password(new.password),
            "pin": hash_password(new.pin) if new.pin else "",
            "roles": roles,
            "language": new.language,
            "queues": list(new.queues),
            "skills": list(new.skills),
            "languages": list(new.languages),
            "phone": new.phone,
            "created_at": self._now(),
        }
        with self._database.transaction() as connection:
            if connection.scalar(select(UserRow.login).where(UserRow.login == login)) is not None:
                raise UserExists(f"There is a user {login} already.", "Choose another login, or change that user.")
            connection.execute(insert(UserRow).values(**values, theme="auto", disabled=False))
            record(connection, self._now(), by, "user_added", login, roles=roles)
            return get_user(connection, login)

    def change(self, login: str, changes: Mapping[str, Any], by: Author, keep_session: str = "") -> User:
        """`changes`: by column, `password` and `pin` in clear. A new password, other roles and disabling end the user's
        sessions, but for `keep_session`.

        Raises UserNotFound, WrongUser, WeakPassword, LastAdministrator. Takes as long as hashing.
        """
        user = self.get(login)
        values = dict(changes)
        if "roles" in values:
            values["roles"] = checked_roles(values["roles"])
        if "password" in values:
            check_password(values["password"], (login, values.get("name", user.name)))
            values["password"] = hash_password(values["password"])
        if values.get("pin"):
            check_pin(values["pin"])
            values["pin"] = hash_password(values["pin"])
        with self._database.transaction() as connection:
            before = get_user(connection, login)
            if values:
                connection.execute(update(UserRow).where(UserRow.login == login).values(**values))
            after = get_user(connection, login)
            _keep_an_administrator(connection, before)
            differs = {name for name in _ENDS_SESSIONS - {"password"} if getattr(before, name) != getattr(after, name)}
            if differs or "password" in values:
                connection.execute(delete(SessionRow).where(SessionRow.login == login, SessionRow.id != keep_session))
            shown = {name: values[name] for name in ("roles", "disabled") if name in values}
            record(connection, self._now(), by, "user_changed", login, changed=sorted(values), **shown)
        return after

    def remove(self, login: str, by: Author) -> None:
        """With sessions and tokens. Raises UserNotFound, LastAdministrator."""
        with self._database.transaction() as connection:
            before = get_user(connection, login)
            connection.execute(delete(UserRow).where(UserRow.login == login))
            _keep_an_administrator(connection, before)
            record(connection, self._now(), by, "user_removed", login)

    def prefer(self, login: str, language: str | None, theme: str | None) -> None:
        """What users choose for themselves; not a matter for the audit log."""
        values = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
        if values:
            with self._database.transaction() as connection:
                connection.execute(update(UserRow).where(UserRow.login == login).values(**values))

    def rehash(self, login: str, known: str, password: str) -> None:
        """Keep the same password by today's parameters, unless it was changed meanwhile."""
        made = hash_password(password)
        with self._database.transaction() as connection:
            same = (UserRow.login == login, UserRow.password == known)
            connection.execute(update(UserRow).where(*same).values(password=made))


def get_user(connection: Connection, login: str) -> User:
    """Within a transaction. Raises UserNotFound."""
    row = connection.execute(select(*_COLUMNS).where(UserRow.login == login)).mappings().one_or_none()
    if row is None:
        logins = connection.scalars(select(UserRow.login)).all()
        raise UserNotFound(f"There is no user {login}.", closest(login, logins) or "List them: voicebot users list.")
    return user_of(row)


def _keep_an_administrator(connection: Connection, before: User) -> None:
    """A change of somebody who was an administrator must leave one."""
    if "administrator" not in before.roles or before.disabled:
        return
    left = connection.scalars(select(UserRow.roles).where(UserRow.disabled.is_(False))).all()
    if not any("administrator" in roles for roles in left):
        raise LastAdministrator(
            f"{before.login} is the last administrator: nobody could change users any more.",
            "Make another user an administrator first.",
        )
