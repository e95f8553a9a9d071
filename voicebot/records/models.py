"""The tables: calls, events and words, callbacks, verifications, deliveries, versions of bots, who may do what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

LOST = "lost"
"""`outcome` of a call whose process died before the call ended."""


class UtcTime(TypeDecorator[datetime]):
    """Aware times, kept in UTC (SQLite has no time zones)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    # An ordinary mapping: SQLAlchemy wants it so.
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class CallRow(Base):
    """One call. `outcome` is empty while it goes on; `recording` is "kept" or why it was not.

    `version`: the published version of the bot that it ran under; 0 for a bot from a folder. `why`: what the caller
    wanted, in words. `agent` talked with the caller last: a login, the name of a desk phone, or its address in records
    of old releases. `mood` is that of the caller's words.
    """

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(primary_key=True)
    caller: Mapped[str] = mapped_column(default="")
    dialled: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    bot: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    duration_s: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(default="")
    cause: Mapped[str] = mapped_column(default="")
    recording: Mapped[str] = mapped_column(default="kept")
    queue: Mapped[str] = mapped_column(default="")
    handoff_reason: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(default="", server_default="")
    mood: Mapped[str] = mapped_column(default="neutral", server_default="neutral")
    agent: Mapped[str] = mapped_column(default="", server_default="")
    agent_name: Mapped[str] = mapped_column(default="", server_default="")
    wrap_up_code: Mapped[str] = mapped_column(default="", server_default="")
    notes: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (Index("calls_by_time", "started_at"), Index("calls_by_caller", "caller", "started_at"))


class WordsRow(Base):
    """What was said in a call that has ended, folded, for those who look for words. A call without any has no row."""

    __tablename__ = "call_words"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    words: Mapped[str]


class EventRow(Base):
    """One event. `number` puts the events of a call in order; `data` are the event's own fields."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime]
    offset_s: Mapped[float]
    event: Mapped[str]
    data: Mapped[dict[str, Any]]

    __table_args__ = (
        UniqueConstraint("call_id", "number", name="events_once"),
        Index("events_of_alerts", "call_id", sqlite_where=text("event = 'alert_raised'")),
    )


class CallbackRow(Base):
    """A promise to call back. `done_at` is empty until somebody has, or it was given up; `outcome` says which.

    The bot's promises come by their event, those of waiting callers from the queue; of one call and number there is one
    row, whoever tells of it first. `number` as E.164 where it is one. `entry` names it in the queue, empty until the
    queue knows of it; `place` is its order there, `entered_at` the wait that it goes on from.
    """

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    number: Mapped[str]
    promised_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    entry: Mapped[str] = mapped_column(default="", server_default="")
    place: Mapped[int] = mapped_column(default=0, server_default="0")
    language: Mapped[str] = mapped_column(default="", server_default="")
    queue: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    urgency: Mapped[int | None]
    skills: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    knows: Mapped[str] = mapped_column(default="", server_default="")
    entered_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    agent: Mapped[str] = mapped_column(default="", server_default="")
    offers: Mapped[int] = mapped_column(default=0, server_default="0")
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    next_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    talking_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    code: Mapped[str] = mapped_column(default="", server_default="")
    notes: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (UniqueConstraint("call_id", "number", name="callbacks_once"),)


class QueueEntryRow(Base):
    """One place of a call in a queue, or a consult. `place` is the order; `visited` are queues it has overflowed from.

    `state` and `outcome` as in `voicebot.queueing.model`; `lost` when the process died before it ended.
    """

    __tablename__ = "queue_entries"

    id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    place: Mapped[int]
    kind: Mapped[str]
    caller: Mapped[str]
    language: Mapped[str]
    queue: Mapped[str]
    reason: Mapped[str]
    entered_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    state: Mapped[str]
    agent: Mapped[str]
    visited: Mapped[list[str]]
    accepted_at: Mapped[datetime | None]
    talking_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str]
    code: Mapped[str]
    notes: Mapped[str]

    __table_args__ = (Index("queue_entries_by_time", "queued_at"), Index("queue_entries_by_call", "call_id"))


class AgentStateRow(Base):
    """What an agent did last. `profile`: what they could serve."""

    __tablename__ = "agent_states"

    login: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[dict[str, Any]]
    state: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    idle_since: Mapped[datetime]


class VoicemailRow(Base):
    """A message that a caller left. `heard_at` is empty until somebody (`heard_by`, a login) has heard it."""

    __tablename__ = "voicemails"

    id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), index=True)
    queue: Mapped[str]
    number: Mapped[str]
    left_at: Mapped[datetime]
    duration_s: Mapped[float]
    transcript: Mapped[str]
    heard_by: Mapped[str] = mapped_column(default="", server_default="")
    heard_at: Mapped[datetime | None]

    __table_args__ = (Index("voicemails_by_time", "left_at"),)


class VerificationRow(Base):
    """A failed try to be verified, or one that is not decided yet. `fact`: a keyed hash, never the value."""

    __tablename__ = "verifications"

    id: Mapped[str] = mapped_column(primary_key=True)
    fact: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index("verifications_by_fact", "fact", "at"),)


class OutboundRow(Base):
    """Calls made today to numbers outside, by route: its URI in the settings."""

    __tablename__ = "outbound"

    route: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int]


class DeliveryRow(Base):
    """Something to be sent out, or that was. `state`: waiting, done, given_up; once it is finished, `body` is empty."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    target: Mapped[str]
    event: Mapped[str]
    call_id: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    tries: Mapped[int]
    state: Mapped[str]
    trouble: Mapped[str]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("deliveries_by_state", "state", "next_at"),)


class ContentRow(Base):
    """The bytes of a file, once however many versions have it."""

    __tablename__ = "contents"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class VersionRow(Base):
    """A bot as it was published; never changed. `sha256` is that of all its files together."""

    __tablename__ = "versions"

    bot: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    published_at: Mapped[datetime]
    author: Mapped[str]
    note: Mapped[str]

    __table_args__ = (UniqueConstraint("bot", "sha256", name="versions_once"),)


class VersionFileRow(Base):
    """A file of a version, by its path in the bot's folder."""

    __tablename__ = "version_files"

    bot: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("contents.sha256"))

    __table_args__ = (ForeignKeyConstraint(["bot", "version"], ["versions.bot", "versions.number"]),)


class ReleaseRow(Base):
    """That a version was to answer calls from then on. The last one of a bot holds."""

    __tablename__ = "releases"

    id: Mapped[int] = mapped_column(primary_key=True)
    bot: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    author: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(["bot", "version"], ["versions.bot", "versions.number"]),
        Index("releases_by_bot", "bot", "id"),
    )


class UserRow(Base):
    """Somebody who may sign in. `password` and `pin` are argon2id hashes; without a `pin` it is empty."""

    __tablename__ = "users"

    login: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    password: Mapped[str]
    pin: Mapped[str] = mapped_column(default="")
    roles: Mapped[list[str]]
    language: Mapped[str]
    theme: Mapped[str] = mapped_column(default="auto")
    queues: Mapped[list[str]]
    skills: Mapped[list[str]]
    languages: Mapped[list[str]]
    phone: Mapped[str] = mapped_column(default="")
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class SessionRow(Base):
    """A signed-in browser. `secret` is the SHA-256 of what its cookie holds."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str] = mapped_column(unique=True)
    login: Mapped[str] = mapped_column(ForeignKey("users.login", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class TokenRow(Base):
    """A program's way in. `secret` is the SHA-256 of what was shown once."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    login: Mapped[str] = mapped_column(ForeignKey("users.login", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class AuditRow(Base):
    """That somebody did something. Triggers of the database let lines be added, and an open duration be filled in."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    what: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    duration_s: Mapped[float | None]
    detail: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("audit_by_who", "who", "id"),
        Index("audit_by_what", "what", "id"),
        {"sqlite_autoincrement": True},
    )
