"""What happens to a floor (events), and what is to be done about it (effects)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from voicebot.queueing.model import Entry, Kind, Offer, Profile, Why

# Events. Those about an offer carry its id; whatever is about something that is no more is ignored.


@dataclass(frozen=True)
class Enter:
    """A caller is handed over. `urgency`, when given, instead of the queue's own priority. `entry` is new.

    `entered_at`: an older place that is kept. `only`: for this agent alone; once it is not taken by them, for all, but
    for a consult, which ends then.
    """

    entry: str
    call_id: str
    caller: str
    language: str
    queue: str
    urgency: int | None = None
    skills: frozenset[str] = frozenset()
    reason: str = ""
    knows: str = ""
    only: str = ""
    kind: Literal[Kind.CALL, Kind.CONSULT] = Kind.CALL
    entered_at: datetime | None = None


@dataclass(frozen=True)
class Promise:
    """Somebody is to be called back at `number` (E.164, see `voicebot.phone_numbers`); a promise made twice is one.

    `entered_at`: the place that is kept, that of the wait before; else it is now.
    """

    call_id: str
    number: str
    language: str
    queue: str
    urgency: int | None = None
    skills: frozenset[str] = frozenset()
    reason: str = ""
    knows: str = ""
    entered_at: datetime | None = None


@dataclass(frozen=True)
class Leave:
    """A caller leaves the queue, or the talk. With `Why.CALLBACK`, `number` is to be called back; the place is kept."""

    entry: str
    why: Why
    number: str = ""


@dataclass(frozen=True)
class Accept:
    offer: str


@dataclass(frozen=True)
class Decline:
    offer: str


@dataclass(frozen=True)
class OfferFailed:
    """The agent could not be reached: `cause` is no_answer, busy, unreachable, no_decision ..."""

    offer: str
    cause: str


@dataclass(frozen=True)
class Take:
    """An agent, available or on a break, takes a waiting callback without having been offered it."""

    entry: str
    agent: str


@dataclass(frozen=True)
class Connected:
    """Caller and agent hear each other."""

    entry: str


@dataclass(frozen=True)
class ConnectFailed:
    """They do not, and will not: a call goes to the head of its queue, of a callback it was a try."""

    entry: str
    cause: str


@dataclass(frozen=True)
class TalkEnded:
    """The caller or the agent has hung up."""

    entry: str


@dataclass(frozen=True)
class CallbackDone:
    """An agent says how a callback ended."""

    entry: str
    outcome: Literal["reached", "gave_up"]


@dataclass(frozen=True)
class LineLost:
    """The agent's audio line broke. No calls are offered; after `line_back_s` a talk is given up."""

    agent: str


@dataclass(frozen=True)
class LineBack:
    agent: str


@dataclass(frozen=True)
class AgentAvailable:
    """Signs in, or is back from a break. In a talk or wrap-up it takes back what was asked for after it."""

    profile: Profile


@dataclass(frozen=True)
class AgentBreak:
    """At once, or after the talk and its wrap-up. An offer is withdrawn."""

    profile: Profile
    reason: str


@dataclass(frozen=True)
class AgentOffline:
    """At once, or after the talk (without a wrap-up). An offer is withdrawn."""

    agent: str


@dataclass(frozen=True)
class AgentChanged:
    """What a known agent can serve is other than before."""

    profile: Profile


@dataclass(frozen=True)
class WrapUpDone:
    """Ends the wrap-up of this entry. When its time is over already, code and notes are still kept for an hour."""

    entry: str
    code: str
    notes: str = ""


@dataclass(frozen=True)
class TransferTo:
    """The agent gives the caller away to a queue, or in it to the agent `only`, blind; `as_entry` is the new entry.

    The old one is written up with outcome `transferred`.
    """

    entry: str
    as_entry: str
    queue: str
    only: str = ""
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ConsultDone:
    """The consulted agent gets the caller: the consult becomes the caller's entry, the first agent writes up."""

    entry: str
    consult: str


@dataclass(frozen=True)
class Tick:
    """Time has gone by. Due at `Floor.next_at` at the latest, harmless at any time."""


Event = (
    Enter | Promise | Leave | Accept | Decline | OfferFailed | Take | Connected | ConnectFailed | TalkEnded
    | CallbackDone | LineLost | LineBack | AgentAvailable | AgentBreak | AgentOffline | AgentChanged | WrapUpDone
    | TransferTo | ConsultDone | Tick
)  # fmt: skip


# Effects, in the order in which they are to be carried out.


@dataclass(frozen=True)
class Offered:
    """Ring this agent until `offer.until`."""

    offer: Offer
    entry: Entry


@dataclass(frozen=True)
class Withdrawn:
    """Stop ringing the agent. `why`: timed_out, left (the caller), agent_left (break or sign-out)."""

    offer: Offer
    why: Literal["timed_out", "left", "agent_left"]


@dataclass(frozen=True)
class Connect:
    """Join the agent to the caller, of a callback: dial its number; then tell Connected or ConnectFailed."""

    entry: Entry
    agent: str


@dataclass(frozen=True)
class Returned:
    """The talk is over for the agent, whose line did not come back, and the caller waits again, at the head."""

    entry: Entry
    agent: str


@dataclass(frozen=True)
class Overflow:
    """`to`: callback, voicemail, bot (the entry is at its end), or queue: it waits in `entry.queue` now.

    `why`: closed, longest_wait, longest_queue or nobody. After `callback`, ask for the number and tell Promise with the
    entry's `entered_at`.
    """

    entry: Entry
    to: Literal["callback", "voicemail", "bot", "queue"]
    why: Literal["closed", "longest_wait", "longest_queue", "nobody"]


@dataclass(frozen=True)
class Announce:
    """Tell the caller the position (1: next) and how long it will take; None: it cannot be told."""

    entry: Entry
    position: int
    wait_s: float | None


@dataclass(frozen=True)
class Missed:
    """The agent did not answer; `away`: and is on a break now."""

    agent: str
    entry: str
    away: bool


@dataclass(frozen=True)
class Ended:
    """The entry has come to its end, for whatever reason; its last effect."""

    entry: Entry


@dataclass(frozen=True)
class Changed:
    """Entries and agents, by id and login, that are other than before; for the pages. The last effect of an event."""

    entries: tuple[str, ...]
    agents: tuple[str, ...]


Effect = Offered | Withdrawn | Connect | Returned | Overflow | Announce | Missed | Ended | Changed
