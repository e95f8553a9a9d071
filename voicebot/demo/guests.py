"""Who may sign in to the demo's pages: users with passwords made for this run."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from voicebot.access.model import Author, NewUser
from voicebot.access.passwords import make_password
from voicebot.access.users import UserStore
from voicebot.records.database import Database


@dataclass(frozen=True)
class Login:
    """What to type into the form."""

    login: str
    password: str = field(repr=False)


def newcomer() -> NewUser:
    """Whoever runs the demo: may do everything, and takes calls if they like."""
    return NewUser("demo", "Demo", make_password(), ("administrator",), language=_language())


def sign_up(data: Path, people: Sequence[NewUser]) -> list[Login]:
    """Add them, or change those who are there from an earlier run; the server may run meanwhile.

    Takes a tenth of a second a user: for a thread. Raises RecordsUnavailable.
    """
    data.mkdir(parents=True, exist_ok=True)
    author = Author(f"{getpass.getuser()} (demo)")
    database = Database(data)
    try:
        users = UserStore(database, lambda: datetime.now(UTC))
        for person in people:
            if users.exists(person.login):
                changes = {name: value for name, value in asdict(person).items() if name not in ("login", "pin")}
                users.change(person.login, {**changes, "disabled": False}, author)
            else:
                users.add(person, author)
    finally:
        database.close()
    return [Login(person.login, person.password) for person in people]


def _language() -> str:
    """Of the pages: that of the terminal."""
    return "pl" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("pl") else "en"
