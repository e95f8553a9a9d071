"""The live board."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from voicebot.api.shapes.base import AtDesk, Mood, Out


class BoardCall(Out):
    """One line of the board. `flow`/`step`: where the bot is. `alerts`: kinds that are not acknowledged."""

    call_id: str
    caller: str
    bot: str
    language: str
    phase: Literal["bot", "waiting", "offered", "agent", "on_hold", "consulting"]
    started_at: datetime
    phase_since: datetime
    flow: str
    step: str
    mood: Mood
    queue: str
    position: int | None
    agent: str
    alerts: list[str]
    listeners: int
    last_words: str


class BoardAgent(AtDesk):
    """`call_id`: of the call that they have to do with; empty without."""

    call_id: str


class BoardQueue(Out):
    """Of today. `service_level` is the share answered within `service_level_s`, None before the first call."""

    name: str
    waiting: int
    longest_wait_s: float | None
    available: int
    on_call: int
    offered_today: int
    answered_today: int
    abandoned_today: int
    service_level: float | None
    speed_of_answer_s: float | None
    callbacks: int


class Alert(Out):
    id: str
    kind: str
    call_id: str
    text: str
    at: datetime
    acknowledged_by: str
    acknowledged_at: datetime | None


class Board(Out):
    revision: int
    calls: list[BoardCall]
    agents: list[BoardAgent]
    queues: list[BoardQueue]
    alerts: list[Alert]


class BoardChanges(Out):
    """Rows that are new or other than before, whole; None: gone. By call id, login and queue name."""

    revision: int
    calls: dict[str, BoardCall | None] = Field(default_factory=dict)
    agents: dict[str, BoardAgent | None] = Field(default_factory=dict)
    queues: dict[str, BoardQueue | None] = Field(default_factory=dict)
    alerts: dict[str, Alert | None] = Field(default_factory=dict)
