"""The state of a floor: every move goes through its transition table, every change is noted for whoever keeps it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from voicebot.people_settings import QueueSettings
from voicebot.queueing.happenings import Changed, Effect, Ended
from voicebot.queueing.model import (
    AGENT_MOVES,
    ENTRY_MOVES,
    WRAP_UP_KEPT_FOR,
    Agent,
    AgentState,
    Entry,
    EntryState,
    Kind,
    Profile,
)

HANDLED_KEPT = 30
"""Handling times of each queue that an estimate of the wait rests on, the newest."""

PROMISES_KEPT = 1000
"""Callbacks, the newest, that are known when they are promised a second time, kept or not."""


@dataclass(frozen=True)
class Handled:
    """An agent was busy with an entry of the queue for so long, from accepting it to the end of the wrap-up."""

    queue: str
    at: datetime
    took_s: float


@dataclass(frozen=True)
class KeptPlace:
    """The place of a caller who was lost."""

    entered_at: datetime
    until: datetime


@dataclass(frozen=True)
class Restored:
    """What the database knew: callbacks in their order, agents as they were, places of the lost, handling times.

    `over`: callbacks that were made or given up, the oldest first.
    """

    callbacks: tuple[Entry, ...] = ()
    agents: tuple[Agent, ...] = ()
    places: Mapping[tuple[str, str], KeptPlace] = field(default_factory=dict)  # by caller and queue
    handled: tuple[Handled, ...] = ()
    over: tuple[str, ...] = ()
    last_number: int = 0


@dataclass(frozen=True)
class Changes:
    """What is other than before, whole."""

    entries: tuple[Entry, ...]
    agents: tuple[Agent, ...]


class Ledger:
    """Entries that have not ended, and agents. `now` is the time of the event being applied; it never goes back."""

    def __init__(
        self, queues: Mapping[str, QueueSettings], timezone: tzinfo, now: datetime, line_back_s: float, kept: Restored
    ) -> None:
        self.queues = queues
        self.timezone = timezone
        self.line_back = timedelta(seconds=line_back_s)
        self.now = now
        self.entries: dict[str, Entry] = {entry.id: entry for entry in kept.callbacks}
        self.agents: dict[str, Agent] = {agent.login: agent for agent in kept.agents}
        self.places = dict(kept.places)
        self.handled: dict[str, deque[Handled]] = {}
        self.recent: dict[str, Entry] = {}  # ended after a talk, whose code and notes may still come
        self.promised: deque[str] = deque([*kept.over, *(entry.id for entry in kept.callbacks)], maxlen=PROMISES_KEPT)
        self.effects: list[Effect] = []
        self._last_number = max([kept.last_number, *(entry.number for entry in kept.callbacks)])
        self._changed_entries: dict[str, Entry] = {}
        self._changed_agents: dict[str, Agent] = {}
        for one in kept.handled:
            self._note_handled(one)

    def begin(self, now: datetime) -> None:
        """An event is being applied."""
        self.now = max(now, self.now)
        self.effects = []
        self.recent = {
            name: entry
            for name, entry in self.recent.items()
            if entry.ended_at is not None and self.now - entry.ended_at < WRAP_UP_KEPT_FOR
        }

    def finish(self) -> tuple[tuple[Effect, ...], Changes]:
        """The event is applied: its effects, and what to keep."""
        changes = Changes(tuple(self._changed_entries.values()), tuple(self._changed_agents.values()))
        if self._changed_entries or self._changed_agents:
            self.effects.append(Changed(tuple(self._changed_entries), tuple(self._changed_agents)))
        self._changed_entries, self._changed_agents = {}, {}
        return tuple(self.effects), changes

    def settings(self, queue: str) -> QueueSettings:
        """Of a queue; one that nobody configured has no agents of its own."""
        return self.queues.get(queue) or QueueSettings()

    def is_open(self, queue: str) -> bool:
        hours = self.settings(queue).hours
        return hours is None or hours.are_open(self.now.astimezone(self.timezone))

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    # -- entries ------------------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> Entry:
        self.entries[entry.id] = self._changed_entries[entry.id] = entry
        return entry

    def change(self, entry: Entry, **changes: Any) -> Entry:
        return self.add(replace(entry, **changes))

    def move(self, entry: Entry, to: EntryState, **changes: Any) -> Entry:
        if to not in ENTRY_MOVES[entry.state]:
            raise AssertionError(f"an entry cannot go from {entry.state} to {to}")
        return self.change(entry, state=to, **changes)

    def end(self, entry: Entry, to: EntryState, **changes: Any) -> Entry:
        """It goes off the floor. Its agent, if any, has to be moved by the caller."""
        ended = self.move(entry, to, ended_at=self.now, offer=None, **changes)
        del self.entries[entry.id]
        if entry.state is EntryState.WRAP_UP:
            self.recent[ended.id] = ended
            if ended.accepted_at is not None and ended.kind is not Kind.CONSULT:
                took_s = (self.now - ended.accepted_at).total_seconds()
                self._note_handled(Handled(ended.queue, self.now, took_s))
        self.effects.append(Ended(ended))
        return ended

    def correct(self, ended: Entry, **changes: Any) -> None:
        """What is known late of an entry that has ended."""
        self.recent[ended.id] = self._changed_entries[ended.id] = replace(ended, **changes)

    def live(self, *states: EntryState, kind: Kind | None = None) -> Iterator[Entry]:
        """Entries in these states, as they are when asked."""
        for entry in tuple(self.entries.values()):
            if entry.state in states and (kind is None or entry.kind is kind):
                yield entry

    def _note_handled(self, one: Handled) -> None:
        self.handled.setdefault(one.queue, deque(maxlen=HANDLED_KEPT)).append(one)

    # -- agents -------------------------------------------------------------------------------------------------------

    def welcome(self, profile: Profile, state: AgentState, reason: str = "") -> Agent:
        """An agent who was not known."""
        agent = Agent(profile, state, since=self.now, idle_since=self.now, reason=reason)
        self.agents[agent.login] = self._changed_agents[agent.login] = agent
        return agent

    def change_agent(self, agent: Agent, **changes: Any) -> Agent:
        changed = replace(agent, **changes)
        self.agents[agent.login] = self._changed_agents[agent.login] = changed
        return changed

    def move_agent(self, agent: Agent, to: AgentState, **changes: Any) -> Agent:
        """What belongs to the state before (reason, entry, until) is dropped unless given."""
        if to not in AGENT_MOVES[agent.state]:
            raise AssertionError(f"an agent cannot go from {agent.state} to {to}")
        fresh: dict[str, Any] = {"reason": "", "entry": "", "until": None, "since": self.now}
        return self.change_agent(agent, state=to, **(fresh | changes))

    def rest(self, agent: Agent, *, tired: bool = True) -> Agent:
        """Free again, or what the agent asked for meanwhile. `tired`: after a talk, so that others are asked first."""
        idle: dict[str, Any] = {"idle_since": self.now} if tired else {}
        to, reason = agent.then or (AgentState.AVAILABLE, "")
        return self.move_agent(agent, to, reason=reason, then=None, **idle)
