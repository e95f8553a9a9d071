"""What desk, board and past calls all show of a call."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from voicebot.api.shapes.base import Mood, Out


class Collected(Out):
    """A value that the caller gave. `certainty` 0..1, None where nothing is known of it; `masked`: not to be seen."""

    name: str
    label: str
    value: str
    certainty: float | None = None
    masked: bool = False


class Turn(Out):
    """One utterance. `partial`: the caller is still speaking. `who` may be an agent by name in `name`."""

    who: Literal["caller", "bot", "agent"]
    text: str
    at_s: float
    name: str = ""
    confidence: float | None = None
    step: str | None = None
    interrupted: bool = False
    keys: bool = False
    partial: bool = False


class Summary(Out):
    """What an agent has to know at once."""

    call_id: str
    language: str
    who: str
    why: str
    collected: list[Collected]
    tried: list[str]
    reason: str
    why_stopped: str
    mood: Mood
    mood_words: list[str]
    next_step: str
    told: str
    last_turns: list[Turn]


class EarlierCall(Out):
    """A call of the same caller before this one."""

    id: str
    started_at: datetime
    outcome: str
    why: str
    agent: str
    notes: str
