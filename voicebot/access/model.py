"""Users, roles, and who is behind a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from voicebot.access.errors import WrongUser

Role = Literal["agent", "supervisor", "operator", "administrator"]

POWERS: Mapping[str, frozenset[str]] = {
    "agent": frozenset({"agent"}),
    "supervisor": frozenset({"agent", "supervisor"}),
    "operator": frozenset({"operator"}),
    "administrator": frozenset({"agent", "supervisor", "operator", "administrator"}),
}
"""What each role may: a supervisor all that an agent may, the operator stands beside them, an administrator all."""

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class User:
    """`queues`: empty for all. `skills`, `languages`: what they can serve. `phone`: a SIP URI, or empty."""

    login: str
    name: str
    roles: tuple[str, ...]
    language: str
    theme: str
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    phone: str
    disabled: bool
    created_at: datetime
    seen_at: datetime | None

    @property
    def powers(self) -> frozenset[str]:
        return powers(self.roles)


@dataclass(frozen=True)
class NewUser:
    """A user to be made; `password` and `pin` in clear."""

    login: str
    name: str
    password: str = field(repr=False)
    roles: Sequence[str]
    language: str = "pl"
    queues: Sequence[str] = ()
    skills: Sequence[str] = ()
    languages: Sequence[str] = ("pl", "en")
    phone: str = ""
    pin: str = field(default="", repr=False)


@dataclass(frozen=True)
class Author:
    """Who does something, and from where; `token`: the name of the token that does it on the user's behalf."""

    login: str
    address: str = ""
    token: str = ""


@dataclass(frozen=True)
class Who:
    """Who is behind a request: a user by a session, or by a token (`token`: its name) with fewer powers.

    `id` is that of the session or token. `csrf` is empty for a token, which needs none.
    """

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    language: str
    theme: str
    address: str
    expires_at: datetime | None
    csrf: str = field(default="", repr=False)
    token: str = ""

    def may(self, role: Role) -> bool:
        return role in powers(self.roles)

    @property
    def author(self) -> Author:
        return Author(self.login, self.address, self.token)


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit log. `what` is a stable word, `about` a call's id, a login or the like."""

    id: int
    at: datetime
    who: str
    what: str
    about: str
    address: str
    duration_s: float | None
    detail: Mapping[str, Any]


def powers(roles: Iterable[str]) -> frozenset[str]:
    """All roles that these roles include."""
    return frozenset().union(*(POWERS.get(role, frozenset()) for role in roles))


def checked_login(login: str) -> str:
    """The login as it is kept. Raises WrongUser."""
    if not _LOGIN.fullmatch(login):
        raise WrongUser(
            f"{login!r} cannot be a login.",
            "Use up to 64 of a-z, 0-9, dot, hyphen and underscore, a letter or digit first.",
        )
    return login


def checked_roles(roles: Iterable[str]) -> list[str]:
    """Each role once, in the order of POWERS. Raises WrongUser."""
    given = set(roles)
    unknown = sorted(given - set(POWERS))
    if unknown or not given:
        what = f"There is no role {unknown[0]}." if unknown else "A user needs a role."
        raise WrongUser(what, f"Choose among {', '.join(POWERS)}.")
    return [role for role in POWERS if role in given]
