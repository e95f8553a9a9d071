"""What goes to the desk with a caller, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from telephony.member import Member
from telephony.room import Room
from voicebot.parts import CallContext, Voice
from voicebot.queueing.model import Why
from voicebot.records.past_calls import EarlierCall
from voicebot.summary import Summary


@dataclass(frozen=True)
class CallerAtDesk:
    """A call as the desk sees it. `knows`: the agent who has talked with this caller before, or empty.

    `earlier`: calls of the same caller before this one.
    """

    context: CallContext
    room: Room
    member: Member
    voice: Voice
    queue: str
    reason: str
    summary: Callable[[], Summary]
    urgency: int | None = None
    skills: frozenset[str] = frozenset()
    knows: str = ""
    earlier: tuple[EarlierCall, ...] = ()


# How it ended at the desk.


@dataclass(frozen=True)
class Talked:
    """With somebody, until one of the two hung up."""


@dataclass(frozen=True)
class BackToBot:
    """To go on at `flow`, or with whatever the caller wants next."""

    flow: str = ""


@dataclass(frozen=True)
class CallbackWanted:
    """Nobody could take the call (`why`), or the caller did not want to wait. The place since `entered_at` is kept."""

    why: str
    entered_at: datetime


@dataclass(frozen=True)
class VoicemailWanted:
    """Nobody could take the call; the caller may leave a message for those of `queue`."""

    why: str
    queue: str


@dataclass(frozen=True)
class LetGo:
    """A supervisor has taken the caller, or ended the call."""

    why: Why


Handed = Talked | BackToBot | CallbackWanted | VoicemailWanted | LetGo
