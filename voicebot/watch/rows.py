"""What the board shows: a row for every live call, for every queue, and for every alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    """Where a call is. In `OFFERED` the caller still waits, in `ON_HOLD` and `CONSULTING` they hear music."""

    BOT = "bot"
    WAITING = "waiting"
    OFFERED = "offered"
    AGENT = "agent"
    ON_HOLD = "on_hold"
    CONSULTING = "consulting"


@dataclass(frozen=True)
class CallRow:
    """A live call. What is not known, of a call whose beginning was missed, is empty.

    `flow` and `step`: where the bot is, or was. `agent` is a login (or the address that was dialled) and `agent_name`
    what people call them; in phase offered it is who is asked. `alerts` are kinds that nobody has acknowledged.
    `listeners`: supervisors in the call. `last_words` and who said them (`last_who`: caller, bot, agent) are masked,
    cut to 120 signs, and empty after the caller refused recording.
    """

    call_id: str
    started_at: datetime
    phase: Phase
    phase_since: datetime
    caller: str = ""
    bot: str = ""
    language: str = ""
    flow: str = ""
    step: str = ""
    mood: str = "neutral"
    queue: str = ""
    entry: str = ""
    agent: str = ""
    agent_name: str = ""
    alerts: tuple[str, ...] = ()
    listeners: int = 0
    last_words: str = ""


@dataclass(frozen=True)
class Alert:
    """`text` is a sentence; of the caller's words it holds no more than a configured keyword.

    `call_id` of trouble of the floor is the call in which it showed first. `acknowledged_by` is empty until somebody
    has seen to it.
    """

    id: str
    kind: str
    call_id: str
    text: str
    at: datetime
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


@dataclass(frozen=True)
class QueueRow:
    """A queue now, and its figures of the day that it is in the firm's time zone.

    `waiting_since`: when the one came who has waited longest. `answered`: an agent took the caller, `in_time`: within
    the queue's service level. `abandoned`: the caller hung up while waiting, `hasty`: earlier than that. Who went to
    another queue or the bot, left a message or was promised a callback is counted apart and not in the service level.
    Who wanted a callback and gave no number, or said nothing after the tone, is in `entered` alone.
    `waited_s`: of all who were answered.
    """

    name: str
    waiting: int = 0
    waiting_since: datetime | None = None
    entered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    hasty: int = 0
    callbacks: int = 0
    voicemails: int = 0
    overflowed: int = 0
    waited_s: float = 0.0

    @property
    def service_level(self) -> float | None:
        """The share answered in time of those answered or abandoned, hasty ones left out; None before the first."""
        decided = self.answered + self.abandoned - self.hasty
        return self.in_time / decided if decided else None

    @property
    def speed_of_answer_s(self) -> float | None:
        """How long those waited, on average, who were answered."""
        return self.waited_s / self.answered if self.answered else None
