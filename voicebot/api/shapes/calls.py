"""One call, live or past, and who listens to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from voicebot.api.shapes.base import In, ListenMode, Mood, Out, Sdp
from voicebot.api.shapes.board import BoardCall
from voicebot.api.shapes.call_parts import Collected, EarlierCall, Summary, Turn


class Decision(Out):
    """Why the dialog went on as it did. `why` in plain words where there are any; `data` is the record's own."""

    at_s: float
    kind: str
    why: str
    certainty: float | None
    data: dict[str, Any]


class TurnLatency(Out):
    """From the caller's last word to the bot's first, in ms by stage, in order."""

    at_s: float
    stages: dict[str, float]
    total_ms: float


class Listener(Out):
    """A supervisor who is in the call now."""

    id: str
    login: str
    name: str
    mode: ListenMode
    since: datetime


class CallSoFar(Out):
    """What was said and decided in a live call."""

    transcript: list[Turn]
    slots: list[Collected]
    decisions: list[Decision]
    latencies: list[TurnLatency]
    summary: Summary
    refused_recording: bool


class LiveCall(CallSoFar):
    row: BoardCall
    listeners: list[Listener]


class ListenOffer(In):
    sdp: Sdp
    mode: ListenMode = "listen"


class ListenAnswer(Out):
    id: str
    sdp: str


class ListenChange(In):
    mode: ListenMode


class BackToBot(In):
    flow: Annotated[str, Field(max_length=100)] = ""


class PastCallLine(Out):
    """`outcome`: contained, handed_off, callback_promised, abandoned, failed, lost, or empty while it goes on.

    `alerts`: the kinds of those that were raised, each once.
    """

    id: str
    caller: str
    dialled: str
    bot: str
    language: str
    started_at: datetime
    duration_s: float | None
    outcome: str
    queue: str
    handoff_reason: str
    agent: str
    mood: Mood
    why: str
    recorded: bool
    alerts: list[str]


class PastCalls(Out):
    """`more`: what to give as `before` for the next page."""

    calls: list[PastCallLine]
    more: datetime | None


class SoundQuality(Out):
    """How the caller's sound reached us; `loss` 0..1, `mos` 1 to 4.5 (above 4: good, below 3.1: poor)."""

    codec: str
    loss: float
    jitter_ms: float
    delay_ms: float
    mos: float


class PastAlert(Out):
    """One that was raised in a call; `text` is empty where the caller refused the recording."""

    at_s: float
    kind: str
    text: str
    acknowledged_by: str


class PastCall(Out):
    """`sound` is null of calls that were never heard, and of those of earlier releases."""

    line: PastCallLine
    sound: SoundQuality | None
    transcript: list[Turn]
    slots: list[Collected]
    alerts: list[PastAlert]
    decisions: list[Decision]
    latencies: list[TurnLatency]
    summary: Summary | None
    notes: str
    wrap_up_code: str
    earlier: list[EarlierCall]
    recording: Literal["kept", "none", "refused"]


class Voicemail(Out):
    id: str
    call_id: str
    queue: str
    number: str
    left_at: datetime
    duration_s: float
    transcript: str
    heard_by: str
    heard_at: datetime | None


class Passage(Out):
    """What the knowledge says about a question; `source` is the file and heading."""

    title: str
    text: str
    source: str
    score: float
