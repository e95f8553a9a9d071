"""Sessions of browsers and tokens of programs in the database. Of their secrets only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, insert, or_, select, update

from voicebot.access.audit import record
from voicebot.access.errors import TokenNotFound
from voicebot.access.model import Author, User, Who, checked_roles, powers
from voicebot.access.users import get_user, user_of
from voicebot.records.database import Database
from voicebot.records.models import SessionRow, TokenRow, UserRow

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
NOTED = timedelta(minutes=1)
"""That something was used is written down this often at most."""

TOKEN_PREFIX = "vb_"


@dataclass(frozen=True)
class Token:
    """A program's way in, by what its maker may: `scopes` are the roles it was given, `login` made it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    login: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class SessionStore:
    """The sessions and tokens of a data folder; for threads, not for the event loop. Raises RecordsUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    # Sessions

    def open(self, login: str, address: str) -> str:
        """Sign in a user, which stands in the audit log; ended sessions are forgotten. Returns the secret: 256 bits."""
        secret, now = secrets.token_urlsafe(32), self._now()
        row = {"id": secrets.token_hex(8), "secret": _digest(secret), "login": login, "address": address}
        with self._database.transaction() as connection:
            connection.execute(delete(SessionRow).where(~_lives(now)))
            connection.execute(insert(SessionRow).values(**row, created_at=now, used_at=now))
            connection.execute(update(UserRow).where(UserRow.login == login).values(seen_at=now))
            record(connection, now, Author(login, address), "signed_in", login)
        return secret

    def by_session(self, secret: str, address: str) -> Who | None:
        """Who signed in with this secret, if the session goes on. It goes on by being used."""
        now = self._now()
        found = self._find(select(SessionRow.__table__), SessionRow.secret == _digest(secret), _lives(now))
        if found is None:
            return None
        row, user = found
        if now - row["used_at"] >= NOTED:
            with self._database.transaction() as connection:
                connection.execute(update(SessionRow).where(SessionRow.id == row["id"]).values(used_at=now))
                connection.execute(update(UserRow).where(UserRow.login == user.login).values(seen_at=now))
        return Who(
            id=row["id"],
            login=user.login,
            name=user.name,
            roles=user.roles,
            language=user.language,
            theme=user.theme,
            address=address,
            expires_at=min(row["created_at"] + LONGEST, now + IDLE),
            csrf=_digest(f"csrf:{secret}"),
        )

    def end(self, who: Who) -> None:
        """Sign out."""
        with self._database.transaction() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.id == who.id))
            record(connection, self._now(), who.author, "signed_out", who.login)

    def end_all(self, login: str, by: Author) -> None:
        """Sign out a user everywhere. Raises UserNotFound."""
        with self._database.transaction() as connection:
            get_user(connection, login)
            connection.execute(delete(SessionRow).where(SessionRow.login == login))
            record(connection, self._now(), by, "sessions_revoked", login)

    # Tokens

    def tokens(self) -> tuple[Token, ...]:
        """The newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(TokenRow.__table__).order_by(TokenRow.created_at.desc())).mappings().all()
        return tuple(_token(row) for row in rows)

    def issue(self, name: str, scopes: Sequence[str], days: int | None, login: str, by: Author) -> tuple[Token, str]:
        """A token that acts for `login`, and its secret, which is told this once. Raises WrongUser, UserNotFound."""
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), self._now()
        row = {
            "id": secrets.token_hex(8),
            "name": name,
            "scopes": checked_roles(scopes),
            "login": login,
            "created_at": now,
            "expires_at": now + timedelta(days=days) if days is not None else None,
            "used_at": None,
        }
        with self._database.transaction() as connection:
            get_user(connection, login)
            connection.execute(insert(TokenRow).values(**row, secret=_digest(secret)))
            record(connection, now, by, "token_issued", str(row["id"]), name=name, scopes=row["scopes"])
        return _token(row), secret

    def revoke(self, token_id: str, by: Author) -> None:
        """Raises TokenNotFound."""
        with self._database.transaction() as connection:
            name = connection.scalar(select(TokenRow.name).where(TokenRow.id == token_id))
            if name is None:
                raise TokenNotFound(f"There is no token {token_id}.", "It may have been revoked already.")
            connection.execute(delete(TokenRow).where(TokenRow.id == token_id))
            record(connection, self._now(), by, "token_revoked", token_id, name=name)

    def by_token(self, secret: str, address: str) -> Who | None:
        """Whose token this is, with those of its scopes that the user still has."""
        now = self._now()
        found = self._find(select(TokenRow.__table__), TokenRow.secret == _digest(secret), _valid(now))
        if found is None:
            return None
        row, user = found
        if row["used_at"] is None or now - row["used_at"] >= NOTED:
            with self._database.transaction() as connection:
                connection.execute(update(TokenRow).where(TokenRow.id == row["id"]).values(used_at=now))
        return Who(
            id=row["id"],
            login=user.login,
            name=user.name,
            roles=_granted(row["scopes"], user.roles),
            language=user.language,
            theme=user.theme,
            address=address,
            expires_at=row["expires_at"],
            token=row["name"],
        )

    # Both

    def roles_of(self, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Of these sessions and tokens those that hold, with the roles that they give now."""
        now = self._now()
        sessions = (
            select(SessionRow.id, UserRow.roles).join(UserRow).where(SessionRow.id.in_(ids), _lives(now), _ENABLED)
        )
        tokens = (
            select(TokenRow.id, TokenRow.scopes, UserRow.roles)
            .join(UserRow)
            .where(TokenRow.id.in_(ids), _valid(now), _ENABLED)
        )
        with self._database.reading() as connection:
            found = {row_id: tuple(roles) for row_id, roles in connection.execute(sessions)}
            return found | {row_id: _granted(scopes, roles) for row_id, scopes, roles in connection.execute(tokens)}

    def _find(self, query: Select[Any], *where: ColumnElement[bool]) -> tuple[Any, User] | None:
        with self._database.reading() as connection:
            row = connection.execute(query.where(*where)).mappings().one_or_none()
            if row is None:
                return None
            users = select(UserRow.__table__).where(UserRow.login == row["login"], _ENABLED)
            user = connection.execute(users).mappings().one_or_none()
        return (row, user_of(user)) if user is not None else None


_ENABLED = UserRow.disabled.is_(False)


def _lives(now: datetime) -> ColumnElement[bool]:
    return and_(SessionRow.used_at > now - IDLE, SessionRow.created_at > now - LONGEST)


def _valid(now: datetime) -> ColumnElement[bool]:
    return or_(TokenRow.expires_at.is_(None), TokenRow.expires_at > now)


def _granted(scopes: Sequence[str], roles: Sequence[str]) -> tuple[str, ...]:
    """What a token may: what it was given for, so far as its maker may that."""
    return tuple(sorted(powers(scopes) & powers(roles)))


def _digest(secret: str) -> str:
    """Fast is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any) -> Token:
    return Token(
        **{name: row[name] for name in ("id", "name", "login", "created_at", "expires_at", "used_at")},
        scopes=tuple(row["scopes"]),
    )
