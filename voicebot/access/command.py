"""`voicebot users`: what it does. The server may run meanwhile: it takes up every change within a second."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voicebot.access.model import Author, NewUser
from voicebot.access.passwords import make_password
from voicebot.access.sessions import SessionStore
from voicebot.access.users import UserStore
from voicebot.config import Config
from voicebot.records.database import Database


def add(config: Config, new: Mapping[str, Any], *, generate: bool, console: Console) -> None:
    """Raises WrongUser, WeakPassword, UserExists, RecordsUnavailable."""
    password = _new_password(generate)
    with _database(config.data) as database:
        user = _users(database).add(NewUser(**new, password=password), _author())
    console.print(f"User {user.login} was added: {', '.join(user.roles)}.")
    _show_password(password if generate else "")


def set_password(config: Config, login: str, *, generate: bool, console: Console) -> None:
    """Raises UserNotFound, WeakPassword, RecordsUnavailable."""
    with _database(config.data) as database:
        users = _users(database)
        users.get(login)  # told before a password is asked for
        password = _new_password(generate)
        users.change(login, {"password": password}, _author())
    console.print(f"{login} has a new password, and was signed out everywhere.")
    _show_password(password if generate else "")


def disable(config: Config, login: str, *, disabled: bool, console: Console) -> None:
    """Raises UserNotFound, LastAdministrator, RecordsUnavailable."""
    with _database(config.data) as database:
        _users(database).change(login, {"disabled": disabled}, _author())
    console.print(f"{login} {'was signed out and can sign in no more' if disabled else 'can sign in again'}.")


def remove(config: Config, login: str, *, console: Console) -> None:
    """Raises UserNotFound, LastAdministrator, RecordsUnavailable."""
    with _database(config.data) as database:
        _users(database).remove(login, _author())
    console.print(f"{login} was removed. The audit log keeps what they did.")


def show(config: Config, *, as_json: bool, console: Console) -> None:
    """Raises RecordsUnavailable."""
    with _database(config.data) as database:
        users = _users(database).all()
    if as_json:
        print(json.dumps([asdict(user) for user in users], ensure_ascii=False, default=_text))
        return
    if not users:
        console.print("There are no users. Add the first: voicebot users add LOGIN --role administrator")
        return
    table = _table("login", "name", "roles", "queues", "phone", "seen", "")
    for user in users:
        seen = _at(user.seen_at, config) if user.seen_at else "never"
        lists = (", ".join(user.roles), ", ".join(user.queues) or "all")
        table.add_row(
            *map(escape, (user.login, user.name, *lists, user.phone, seen, "disabled" if user.disabled else ""))
        )
    console.print(table)


def issue_token(
    config: Config, name: str, scopes: Sequence[str], login: str, days: int | None, *, console: Console
) -> None:
    """Raises WrongUser, UserNotFound, RecordsUnavailable."""
    with _database(config.data) as database:
        token, secret = _sessions(database).issue(name, scopes, days, login, _author())
    console.print(f"Token {token.id} acts for {login}: {', '.join(token.scopes)}. It is shown this once:")
    print(secret)


def revoke_token(config: Config, token_id: str, *, console: Console) -> None:
    """Raises TokenNotFound, RecordsUnavailable."""
    with _database(config.data) as database:
        _sessions(database).revoke(token_id, _author())
    console.print(f"Token {token_id} was revoked.")


def show_tokens(config: Config, *, as_json: bool, console: Console) -> None:
    """Raises RecordsUnavailable."""
    with _database(config.data) as database:
        tokens = _sessions(database).tokens()
    if as_json:
        print(json.dumps([asdict(token) for token in tokens], ensure_ascii=False, default=_text))
        return
    table = _table("id", "name", "scopes", "acts for", "expires", "used")
    for token in tokens:
        expires = _at(token.expires_at, config) if token.expires_at else "never"
        used = _at(token.used_at, config) if token.used_at else "never"
        table.add_row(*map(escape, (token.id, token.name, ", ".join(token.scopes), token.login, expires, used)))
    console.print(table)


@contextmanager
def _database(data: Path) -> Iterator[Database]:
    database = Database(data)
    try:
        yield database
    finally:
        database.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _users(database: Database) -> UserStore:
    return UserStore(database, _now)


def _sessions(database: Database) -> SessionStore:
    return SessionStore(database, _now)


def _author() -> Author:
    """The user of this machine; not a login of ours, which has no blanks."""
    return Author(f"{getpass.getuser()} (command)")


def _new_password(generate: bool) -> str:
    """Asked for twice at a terminal, else the first line of what is piped in."""
    if generate:
        return make_password()
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt="Once more"))
    return sys.stdin.readline().rstrip("\r\n")


def _show_password(password: str) -> None:
    if password:
        print(password)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _at(at: datetime, config: Config) -> str:
    return f"{at.astimezone(config.timezone):%Y-%m-%d %H:%M}"


def _text(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()
