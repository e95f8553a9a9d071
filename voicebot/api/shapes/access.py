"""Sessions, users, tokens, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from voicebot.api.shapes.base import In, Language, Login, Out, Password, Role, Theme


class SignIn(In):
    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Password


class Session(Out):
    """The signed-in user. `csrf` goes back in the header X-CSRF-Token of everything that changes something."""

    login: str
    name: str
    roles: list[Role]
    language: Language
    theme: Theme
    csrf: str
    expires_at: datetime


class Preferences(In):
    language: Language | None = None
    theme: Theme | None = None


class NewPassword(In):
    old: Password
    new: Password


class User(Out):
    """`skills` and `languages`: what the user can serve; `queues` empty: all. `phone`: the SIP URI of a desk phone."""

    login: str
    name: str
    roles: list[Role]
    language: Language
    queues: list[str]
    skills: list[str]
    languages: list[Language]
    phone: str
    disabled: bool
    created_at: datetime
    seen_at: datetime | None


class NewUser(In):
    login: Login
    name: Annotated[str, Field(min_length=1, max_length=100)]
    password: Password
    roles: list[Role] = Field(min_length=1)
    language: Language = "pl"
    queues: list[str] = Field(default_factory=list)
    skills: list[str] = Field(default_factory=list)
    languages: list[Language] = Field(default=["pl", "en"])
    phone: Annotated[str, Field(max_length=200, pattern=r"^(sips?:.+)?$")] = ""
    pin: Annotated[str, Field(max_length=12, pattern=r"^(\d{4,12})?$")] = ""


class UserChanges(In):
    """What is left out stays as it is."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    password: Password | None = None
    roles: list[Role] | None = None
    language: Language | None = None
    queues: list[str] | None = None
    skills: list[str] | None = None
    languages: list[Language] | None = None
    phone: Annotated[str, Field(max_length=200, pattern=r"^(sips?:.+)?$")] | None = None
    pin: Annotated[str, Field(max_length=12, pattern=r"^(\d{4,12})?$")] | None = None
    disabled: bool | None = None


class Token(Out):
    id: str
    name: str
    scopes: list[Role]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class NewToken(In):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: list[Role] = Field(min_length=1)
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class IssuedToken(Token):
    """`secret` is shown this once."""

    secret: str


class AuditLine(Out):
    """`what` is a stable word: signed_in, sign_in_failed, listened, whispered, barged, took_over, read_call, played."""

    id: int
    at: datetime
    who: str
    what: str
    about: str
    address: str
    duration_s: float | None
    detail: dict[str, Any]
