"""The settings of people: queues, agents, routing, alerts, and how they are told. Part of `voicebot.yaml`.

What one value has to look like is checked here, what has to fit together in `people_checks`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from flows.hours import Hours
from voicebot.setting_types import Secret, Section

Language = Literal["pl", "en"]

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PREFIX = re.compile(r"\+?[0-9]+")
_LINK_VALUE = re.compile(r"[a-z][a-z0-9_]*")


def _listed(value: object) -> object:
    """One value may be written without the brackets of a list."""
    return value if isinstance(value, list | tuple) else [value]


def _read_mail(value: str) -> str:
    if not _MAIL.fullmatch(value):
        raise ValueError(f"{value} is no e-mail address. Write one like anna@example.com.")
    return value


def _read_prefix(value: object) -> object:
    text = re.sub(r"[ -]", "", str(value))
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"{value} is not the beginning of a telephone number. Write one like +48601.")
    return text


Mail = Annotated[str, AfterValidator(_read_mail)]
Prefix = Annotated[str, BeforeValidator(_read_prefix)]
Word = Annotated[str, Field(min_length=1, max_length=50)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1)]


class AgentSettings(Section):
    """A person who takes calls on a SIP phone, and who is always there."""

    name: str
    uri: str = Field(pattern=r"^sips?:.+")
    languages: tuple[Language, ...] = ("pl", "en")
    skills: tuple[Word, ...] = ()


class ToQueue(Section):
    """Callers go on to another queue."""

    queue: str


class PbxSettings(Section):
    """A queue that is a PBX's, at `uri`. How callers get there: `refer` sends them, `attended` rings the PBX first,
    `bridge` keeps them on a line through us. `failed`: where they go when they do not.
    """

    uri: str = Field(pattern=r"^sips?:[^\s<>?]+$")
    how: Literal["refer", "attended", "bridge"] = "refer"
    ring_s: float = Field(30.0, gt=0, le=120)
    failed: Literal["queue", "bot"] = "queue"


Overflow = Literal["callback", "voicemail"] | ToQueue
WhenClosed = Literal["callback", "voicemail", "bot"] | ToQueue


def _read_target(*known: str) -> BeforeValidator:
    """Says what may stand here in words of the file, where a union would tell one mistake for each of its kinds."""

    def read(value: object) -> object:
        if isinstance(value, ToQueue) or value in known:
            return value
        if isinstance(value, dict) and set(value) == {"queue"} and isinstance(value["queue"], str):
            return ToQueue(queue=value["queue"])
        raise ValueError(f"{value} is no place to go. Write {', '.join(known)} or {{queue: NAME}}.")

    return BeforeValidator(read)


class QueueSettings(Section):
    """Callers who wait for the same people. `skills`: required of whoever serves it, beside the caller's language.

    `ageing_s`: for each so many seconds waited a caller gets one more point of priority.
    """

    agents: tuple[AgentSettings, ...] = ()
    pbx: PbxSettings | None = None
    ring_s: float = Field(20.0, gt=0)
    decide_s: float = Field(20.0, gt=0)  # on a desk phone, after answering: to press 1 or 2
    skills: tuple[Word, ...] = ()
    preferred_skills: tuple[Word, ...] = ()
    priority: int = Field(0, ge=-100, le=100)
    ageing_s: float = Field(60.0, gt=0)
    wrap_up_s: float = Field(30.0, ge=0, le=3600)
    wrap_up_codes: tuple[Word, ...] = ("solved", "callback", "complaint", "wrong_number")
    service_level_s: float = Field(20.0, gt=0)
    announce_every_s: float = Field(45.0, ge=10)
    longest_wait_s: float = Field(900.0, gt=0)
    longest_queue: int = Field(50, ge=1)
    overflow: Annotated[Overflow, _read_target("callback", "voicemail")] = "callback"
    hours: Hours | None = None
    closed: Annotated[WhenClosed, _read_target("callback", "voicemail", "bot")] = "callback"


class OutboundSettings(Section):
    """Numbers that may be rung: to give a caller to one, and to call back. `uri` holds {number}, as sip:{number}@pbx.

    `allow`: how numbers have to begin, with their country (+48); others are never dialled. `per_day`: calls, at most.
    """

    uri: str = Field(pattern=r"^sips?:[^\s]*\{number\}[^\s]*$")
    allow: Annotated[tuple[Prefix, ...], BeforeValidator(_listed), Field(min_length=1)]
    per_day: int = Field(200, ge=0)

    def allows(self, number: str) -> bool:
        """Whether a number in the form of E.164 may be dialled."""
        return bool(re.fullmatch(r"\+[0-9]{4,15}", number)) and number.startswith(self.allow)

    def address(self, number: str) -> str:
        return self.uri.replace("{number}", number)


class PeopleSettings(Section):
    """What holds for all agents. `service_number`: what agents at desk phones dial to log in and out; empty: none."""

    service_number: str = Field("", pattern=r"^[0-9*#]*$")
    line_back_s: float = Field(30.0, gt=0, le=300)
    break_reasons: tuple[Word, ...] = ("break", "lunch", "training")
    crm_link: str = ""
    outbound: Annotated[tuple[OutboundSettings, ...], BeforeValidator(_listed)] = ()

    def route(self, number: str) -> OutboundSettings | None:
        """How a number of E.164 is rung: the first that allows it; None where it is not allowed."""
        return next((route for route in self.outbound if route.allows(number)), None)

    @field_validator("service_number", mode="before")
    @classmethod
    def _number_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @field_validator("crm_link")
    @classmethod
    def _link_can_be_filled(cls, link: str) -> str:
        if not link:
            return link
        if not re.match(r"https?://[^\s/]+", link):
            raise ValueError("crm_link is an address like https://crm.example/?phone={caller}.")
        try:
            names = [name for _, name, _, _ in Formatter().parse(link) if name is not None]
        except ValueError as error:
            raise ValueError("A brace of crm_link is not closed. Write values as {caller}.") from error
        if wrong := [name for name in names if not _LINK_VALUE.fullmatch(name)]:
            raise ValueError(f"crm_link cannot hold {{{wrong[0]}}}. Write the name of a value, as {{caller}}.")
        return link


class WhenSettings(Section):
    """Conditions of a rule; all that are given have to hold. Lists hold when one of their values does."""

    reason: Words | None = None
    mood: Annotated[
        tuple[Literal["neutral", "impatient", "angry"], ...] | None, BeforeValidator(_listed), Field(min_length=1)
    ] = None
    bot: Words | None = None
    language: Annotated[tuple[Language, ...] | None, BeforeValidator(_listed), Field(min_length=1)] = None
    flow: Words | None = None
    queue: Words | None = None
    interruptions: int | None = Field(None, ge=1)
    no_match: int | None = Field(None, ge=1)
    says: Words | None = None
    caller: Annotated[tuple[Prefix, ...] | None, BeforeValidator(_listed), Field(min_length=1)] = None
    slots: dict[str, str | int | float | bool] | None = None


class RuleSettings(Section):
    """To whom a caller goes, and how urgently. The first rule that fits decides.

    `hand_over`: the bot gives the call away the moment the rule fits, whatever it was doing.
    """

    when: WhenSettings
    queue: str | None = None
    priority: int | None = Field(None, ge=-100, le=100)
    skills: tuple[Word, ...] = ()
    hand_over: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> RuleSettings:
        if self.queue is None and self.priority is None and not self.skills and not self.hand_over:
            raise ValueError("This rule changes nothing. Give it `queue`, `priority`, `skills` or `hand_over: true`.")
        return self


class AlertSettings(Section):
    """What a supervisor is told at once; null turns one off. `loop`: times that the bot asked the same."""

    angry: bool = True
    loop: int | None = Field(3, ge=2)
    silence_s: float | None = Field(25.0, gt=0)
    wait_s: float | None = Field(120.0, gt=0)
    keywords: tuple[Word, ...] = ()
    mail: tuple[Mail, ...] = ()


def _is_local(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class WebhookSettings(Section):
    """Where summaries and alerts are sent, signed with `secret`."""

    url: str
    secret: Secret
    events: tuple[Literal["summary", "alert"], ...] = Field(("summary", "alert"), min_length=1)

    @field_validator("secret")
    @classmethod
    def _is_not_guessed(cls, secret: str) -> str:
        if len(secret) < 16:
            raise ValueError("The secret is too short to sign with. Give it 16 characters or more.")
        return secret

    @field_validator("url")
    @classmethod
    def _is_private(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address. Write one like https://crm.example/hook.")
        if parts.scheme == "http" and not _is_local(parts.hostname):
            raise ValueError("What callers said does not go over the network unencrypted. Write https://.")
        return url


class MailSettings(Section):
    """The server that takes e-mail. `tls`: at once, after STARTTLS, or none (on this machine only)."""

    server: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    user: str = ""
    password: Secret = ""
    sender: Mail
    tls: Literal["starttls", "tls", "none"] = "starttls"

    @model_validator(mode="after")
    def _is_safe(self) -> MailSettings:
        if bool(self.user) != bool(self.password):
            raise ValueError("`user` and `password` go together. Give both or none.")
        if self.tls == "none" and not _is_local(self.server):
            raise ValueError("Without TLS only a server on this machine is used. Write tls: starttls or tls: tls.")
        return self


class HttpSettings(Section):
    """Health, pages and API. `url`: the address that people see, where another server stands before this one.

    `media_addresses`: of this machine, where browsers send their sound; none: all of them.
    """

    address: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    url: str | None = Field(None, pattern=r"^https?://[^\s/]+/?$")
    media_addresses: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> HttpSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("`tls_certificate` and `tls_key` go together. Give both or none.")
        return self

    def anchored(self, base: Path) -> HttpSettings:
        """With its files relative to a folder."""
        files: dict[str, Any] = {
            name: base / file for name in ("tls_certificate", "tls_key") if (file := getattr(self, name)) is not None
        }
        return self.model_copy(update=files)
