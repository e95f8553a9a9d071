"""Events of the human side: the queue, the agents, the supervisors, and what is told of the call while it goes on.

`agent` is a login, or the name of a desk phone of the configuration; `name` is what people call that person; both are
empty in records of releases that knew only the address that was dialled (`uri`, empty for an agent in a browser).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voicebot.events.base import CallEvent


@dataclass(frozen=True, kw_only=True)
class HandoffStarted(CallEvent):
    queue: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoutingDecided(CallEvent):
    """Why the caller goes to this queue with this priority. `rule` is the rule in words, empty when none held.

    `hand_over`: the rule took the call from the bot.
    """

    rule: str
    queue: str
    priority: float
    hand_over: bool = False


@dataclass(frozen=True, kw_only=True)
class QueueEntered(CallEvent):
    """`entry` is the caller's place: the same one when the caller comes back to it. `position` counts from 1."""

    queue: str
    entry: str
    priority: float = 0.0
    position: int | None = None


@dataclass(frozen=True, kw_only=True)
class QueueLeft(CallEvent):
    """`why`: answered, hung_up, to_bot, callback, voicemail, overflow, transferred, ended_by_supervisor or lost."""

    queue: str
    entry: str
    why: str
    waited_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AgentOffered(CallEvent):
    """The call was offered. `reach` is browser or phone."""

    agent: str
    name: str = ""
    queue: str = ""
    entry: str = ""
    reach: str = "browser"


@dataclass(frozen=True, kw_only=True)
class AgentCalled(CallEvent):
    """A telephone of the agent is dialled."""

    uri: str
    agent: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentAnswered(CallEvent):
    """The telephone was answered, or the offer accepted in the browser."""

    uri: str
    agent: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentRefused(CallEvent):
    """The agent did not take the call: `cause` is declined, busy, no_answer or what the telephone network said."""

    uri: str
    cause: str
    agent: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentJoined(CallEvent):
    """Caller and agent hear each other."""

    uri: str
    agent: str = ""
    name: str = ""
    queue: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentUnheard(CallEvent):
    """No sound has come from the agent since they joined, though they are not muted here; told once for each line."""

    agent: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentLeft(CallEvent):
    """`why`: ended (by the agent), caller_gone, transferred, line_lost, taken_over, to_bot or ended_by_supervisor."""

    agent: str
    why: str
    name: str = ""
    talked_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AgentSaid(CallEvent):
    """One utterance of an agent in a talk, recognised. `confidence` 0..1."""

    agent: str
    text: str
    confidence: float
    decode_ms: float
    audio_s: float
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class CallHeld(CallEvent):
    """The caller hears music. `why`: hold, consulting or line_lost."""

    agent: str
    why: str = "hold"


@dataclass(frozen=True, kw_only=True)
class CallResumed(CallEvent):
    """Caller and agent hear each other again."""

    agent: str


@dataclass(frozen=True, kw_only=True)
class Transferred(CallEvent):
    """The agent gave the call away. `kind` is agent, queue, number or flow; `consulted`: they were asked first."""

    agent: str
    kind: str
    to: str
    consulted: bool = False


@dataclass(frozen=True, kw_only=True)
class PbxCalled(CallEvent):
    """The caller is to go to a PBX. `how` is refer, attended or bridge. A call that ends as transferred has gone."""

    queue: str
    uri: str
    how: str


@dataclass(frozen=True, kw_only=True)
class PbxJoined(CallEvent):
    """The caller talks with the PBX through us."""

    queue: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class PbxFailed(CallEvent):
    """The caller did not get there and is still with us: `cause` is busy, no_answer, not_transferred, ..."""

    queue: str
    uri: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class OutboundRefused(CallEvent):
    """A number was not rung. `why` is not_allowed, limit_reached or not_counted."""

    to: str
    why: str


@dataclass(frozen=True, kw_only=True)
class WrappedUp(CallEvent):
    """What the agent made of the call. `notes` are the agent's own words; they are kept whatever the caller refused.

    It may come after the call has ended.
    """

    agent: str
    code: str
    notes: str = ""
    name: str = ""
    queue: str = ""


@dataclass(frozen=True, kw_only=True)
class CallbackPromised(CallEvent):
    """`queue` and `reason`: who calls back, and why."""

    number: str
    queue: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class VoicemailLeft(CallEvent):
    """The caller left a message for the queue; `voicemail` is its id, `number` whom to call, `text` its words.

    `text` is what was recognised, empty when that failed. It may come just after the caller hung up.
    """

    voicemail: str
    queue: str
    number: str
    duration_s: float
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class SupervisorJoined(CallEvent):
    """`mode` is listen, whisper, barge or taken_over; it comes again when the mode changes. `listen`: which one.

    The agent must not learn of it.
    """

    login: str
    mode: str
    listen: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class SupervisorLeft(CallEvent):
    """`lasted_s`: since the supervisor joined, all modes together. The agent must not learn of it."""

    login: str
    mode: str
    listen: str
    name: str = ""
    lasted_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MoodChanged(CallEvent):
    """`mood` is angry, impatient or neutral, from the caller's words alone: these `words`."""

    mood: str
    words: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class AlertRaised(CallEvent):
    """Somebody should look. `kind` is stable, `text` a sentence; `alert` is what it is acknowledged by."""

    alert: str
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class AlertAcknowledged(CallEvent):
    """`who` has seen to it: a login. It may come after the call has ended."""

    alert: str
    kind: str
    who: str
