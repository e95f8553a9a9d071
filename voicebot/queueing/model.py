"""Entries (callers in a queue, and callbacks) and agents: their states and moves.

All times are aware, in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TRIES = 3
"""How often somebody who wants to be called back is called."""

RETRY_AFTER = (timedelta(minutes=10), timedelta(hours=1))
"""After the first try of a callback that nobody answered, after the second."""

WRAP_UP_KEPT_FOR = timedelta(hours=1)
"""Code and notes that come after the time of the wrap-up are taken for so long."""

DECLINED_FOR = timedelta(seconds=30)
"""An agent who did not take an entry is not offered it again for so long, while somebody else may take it."""

DECLINED_ALONE_FOR = timedelta(seconds=5)
"""The same where nobody else is there who could."""

MISSED_IN_A_ROW = 2
"""After so many offers without an answer an agent is taken to be away."""

ALWAYS_BACK_AFTER = timedelta(seconds=60)
"""A desk phone that is always there, and did not answer, is tried again after this."""

SHOWN_WITHIN = timedelta(minutes=2)
"""Agents whose line broke, or whose state is from before a restart, have so long to show themselves; then they are
offline."""

PLACE_KEPT_FOR = timedelta(minutes=15)
"""Who was lost in a restart and rings again within gets the old place."""

NO_ANSWER = "no_answer"
LINE_LOST = "line_lost"
RESTARTED = "restarted"
"""Reasons of breaks that nobody chose."""


class EntryState(StrEnum):
    """Where an entry stands. The last six are the end of it."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"  # an agent has taken it; of a callback: it is being dialled
    TALKING = "talking"
    WRAP_UP = "wrap_up"  # the caller is gone, the agent writes it up
    DONE = "done"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"
    CALLBACK = "callback"  # the caller left and will be called back: a callback entry goes on from here
    TO_BOT = "to_bot"
    LOST = "lost"  # the program died


STANDING = (EntryState.WAITING, EntryState.OFFERED)
"""States of those who stand in a queue: no agent has them yet."""

_LEFT = {EntryState.ABANDONED, EntryState.OVERFLOWED, EntryState.CALLBACK, EntryState.TO_BOT, EntryState.DONE}

ENTRY_MOVES: dict[EntryState, frozenset[EntryState]] = {
    EntryState.WAITING: frozenset({*_LEFT, EntryState.OFFERED, EntryState.ACCEPTED, EntryState.LOST}),
    EntryState.OFFERED: frozenset({*_LEFT, EntryState.WAITING, EntryState.ACCEPTED, EntryState.LOST}),
    EntryState.ACCEPTED: frozenset({*_LEFT, EntryState.WAITING, EntryState.TALKING, EntryState.LOST}),
    EntryState.TALKING: frozenset({EntryState.WAITING, EntryState.WRAP_UP, EntryState.LOST}),
    EntryState.WRAP_UP: frozenset({EntryState.DONE, EntryState.LOST}),
    EntryState.DONE: frozenset(),
    EntryState.ABANDONED: frozenset(),
    EntryState.OVERFLOWED: frozenset(),
    EntryState.CALLBACK: frozenset(),
    EntryState.TO_BOT: frozenset(),
    EntryState.LOST: frozenset(),
}


class AgentState(StrEnum):
    """What an agent does."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    ON_BREAK = "on_break"
    OFFERED = "offered"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"


_RESTING = {AgentState.AVAILABLE, AgentState.ON_BREAK, AgentState.OFFLINE}

AGENT_MOVES: dict[AgentState, frozenset[AgentState]] = {
    AgentState.OFFLINE: frozenset({AgentState.AVAILABLE, AgentState.ON_BREAK}),
    AgentState.AVAILABLE: frozenset({AgentState.OFFERED, AgentState.ON_CALL, AgentState.ON_BREAK, AgentState.OFFLINE}),
    AgentState.ON_BREAK: frozenset({AgentState.AVAILABLE, AgentState.ON_CALL, AgentState.OFFLINE}),
    AgentState.OFFERED: frozenset({*_RESTING, AgentState.ON_CALL}),
    AgentState.ON_CALL: frozenset({*_RESTING, AgentState.WRAP_UP}),
    AgentState.WRAP_UP: frozenset(_RESTING),
}


class Kind(StrEnum):
    """What waits."""

    CALL = "call"
    CALLBACK = "callback"
    CONSULT = "consult"  # an agent who asks another one: offered to that one only


class Why(StrEnum):
    """Why a caller leaves a queue."""

    HUNG_UP = "hung_up"
    TO_BOT = "to_bot"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    ENDED_BY_SUPERVISOR = "ended_by_supervisor"
    TAKEN_OVER = "taken_over"  # by a supervisor


LEFT_AS: dict[Why, EntryState] = {
    Why.HUNG_UP: EntryState.ABANDONED,
    Why.TO_BOT: EntryState.TO_BOT,
    Why.CALLBACK: EntryState.CALLBACK,
    Why.VOICEMAIL: EntryState.OVERFLOWED,
    Why.ENDED_BY_SUPERVISOR: EntryState.DONE,
    Why.TAKEN_OVER: EntryState.DONE,
}
"""How an entry ends whose caller leaves before a talk. After one it is written up and done; `outcome` says why."""


@dataclass(frozen=True)
class Offer:
    """An entry offered to an agent. `id` tells it from earlier ones: answers to those are stale."""

    id: str
    entry: str
    agent: str
    until: datetime


@dataclass(frozen=True)
class Entry:
    """One place in one queue. `number` puts entries in the order in which they came.

    `caller`: the number, of a callback where to call. `entered_at` is the place: a callback, a transfer and a caller
    who was lost keep the one they had. `queued_at`: when this wait began. `urgency`: points of priority, None: those of
    the queue. `skills`, `preferred`: beside those of the queue. `knows`: the agent who has talked with this caller
    before. `only`: it is for this agent alone. `declined`: who did not take it, until when they are spared. `first`: it
    goes before all others, because its talk was broken. `visited`: queues it has overflowed from. `tries` and `next_at`
    are of callbacks. `outcome`: how it ended, in a word. `code`, `notes`: of the wrap-up.
    """

    id: str
    number: int
    kind: Kind
    call_id: str
    caller: str
    language: str
    queue: str
    urgency: int | None
    entered_at: datetime
    queued_at: datetime
    skills: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    reason: str = ""
    knows: str = ""
    only: str = ""
    state: EntryState = EntryState.WAITING
    agent: str = ""
    offer: Offer | None = None
    offers: int = 0
    declined: tuple[tuple[str, datetime], ...] = ()
    first: bool = False
    visited: tuple[str, ...] = ()
    announce_at: datetime | None = None
    tries: int = 0
    next_at: datetime | None = None
    accepted_at: datetime | None = None
    talking_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""
    code: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Profile:
    """What an agent can serve. `login`: of a user, or the SIP URI of a configured phone. `queues` empty: all.

    `phone`: the SIP URI of the desk phone on which they are rung, where after answering there is time to press a key;
    empty: in the browser. `always`: configured, never signed out.
    """

    login: str
    name: str
    queues: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset({"pl", "en"})
    phone: str = ""
    always: bool = False

    @property
    def by_phone(self) -> bool:
        return bool(self.phone)

    def serves(self, queue: str) -> bool:
        return not self.queues or queue in self.queues


@dataclass(frozen=True)
class Agent:
    """`since`: when the state began. `idle_since`: when the last talk was over, or the agent came.

    `missed`: offers in a row without an answer. `entry`: what the state is about. `until`: when it ends by itself.
    `line_lost_at`: the audio line is broken since then. `then`: what the agent asked for in a talk and gets after it,
    with the reason of a break.
    """

    profile: Profile
    state: AgentState
    since: datetime
    idle_since: datetime
    reason: str = ""
    entry: str = ""
    until: datetime | None = None
    missed: int = 0
    line_lost_at: datetime | None = None
    then: tuple[AgentState, str] | None = None

    @property
    def login(self) -> str:
        return self.profile.login

    @property
    def working(self) -> bool:
        """Takes calls: now, or as soon as the present one is over."""
        return self.state not in (AgentState.OFFLINE, AgentState.ON_BREAK) and self.then is None
