"""A floor driven by hand, for tests: time goes on when told; what has to hold is checked after every event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from voicebot.people_settings import QueueSettings
from voicebot.queueing.choosing import fits, is_free, is_spared
from voicebot.queueing.floor import Floor
from voicebot.queueing.happenings import Effect, Enter, Event, Tick
from voicebot.queueing.ledger import Changes
from voicebot.queueing.model import AgentState, EntryState, Kind, Profile

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, at 11 in Warsaw

E = TypeVar("E")


def profile(login: str, **more: frozenset[str] | bool) -> Profile:
    return Profile(login, login.capitalize(), **more)  # type: ignore[arg-type]


def entering(entry: str, queue: str = "service", **more: object) -> Enter:
    values: dict[str, object] = {"call_id": f"call-{entry}", "caller": "+48601234567", "language": "pl"} | more
    return Enter(entry, queue=queue, **values)  # type: ignore[arg-type]


class DrivenFloor:
    """`do` applies an event now; `wait` lets time go by, with every Tick that is due."""

    def __init__(
        self,
        queues: Mapping[str, QueueSettings],
        timezone: tzinfo = UTC,
        keep: Callable[[Changes], None] = lambda changes: None,
    ) -> None:
        """`keep` gets what has to be kept, before the effects are noted."""
        self.now = BEGAN
        self.floor = Floor(queues, timezone, BEGAN)
        self._keep = keep
        self.log: list[Effect] = []

    def do(self, *events: Event) -> tuple[Effect, ...]:
        """The effects of all of them."""
        effects: list[Effect] = []
        for event in events:
            more, changes = self.floor.step(event, self.now)
            self._keep(changes)
            effects += more
            check(self.floor, self.now)
        self.log += effects
        return tuple(effects)

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        """Ticks exactly when they are due."""
        until = self.now + timedelta(seconds=seconds)
        effects: list[Effect] = []
        while (due := self.floor.next_at()) is not None and due <= until:
            self.now = max(due, self.now)
            effects += self.do(Tick())
            after = self.floor.next_at()
            assert after is None or after > self.now, f"a Tick at {self.now} leaves what was due at {after}"
        self.now = until
        effects += self.do(Tick())
        return tuple(effects)

    def found(self, kind: type[E]) -> list[E]:
        """All effects of a kind so far."""
        return [effect for effect in self.log if isinstance(effect, kind)]

    def offer_id(self, login: str) -> str:
        """Of what is offered to the agent now."""
        entry = self.floor.offer_to(login)
        assert entry is not None, f"nothing is offered to {login}"
        assert entry.offer is not None
        return entry.offer.id

    def state(self, entry: str) -> EntryState | None:
        found = self.floor.entry(entry)
        return found.state if found is not None else None


_WITH_AGENT = {
    EntryState.OFFERED: AgentState.OFFERED,
    EntryState.ACCEPTED: AgentState.ON_CALL,
    EntryState.TALKING: AgentState.ON_CALL,
    EntryState.WRAP_UP: AgentState.WRAP_UP,
}


def check(floor: Floor, now: datetime) -> None:
    """What has to hold at every moment. Raises AssertionError."""
    by_agent: dict[str, str] = {}
    for entry in floor.entries:
        wanted = _WITH_AGENT.get(entry.state)
        assert (wanted is not None) == bool(entry.agent), f"{entry.id} is {entry.state} with {entry.agent!r}"
        assert (entry.state is EntryState.OFFERED) == (entry.offer is not None), f"{entry.id}: {entry.offer}"
        if wanted is not None:
            assert entry.agent not in by_agent, f"{entry.agent} has {entry.id} and {by_agent[entry.agent]}"
            by_agent[entry.agent] = entry.id
            agent = floor.agent(entry.agent)
            assert agent is not None
            assert (agent.state, agent.entry) == (wanted, entry.id), f"{entry}: {agent}"
    for agent in floor.agents:
        assert agent.entry == by_agent.get(agent.login, ""), f"{agent} without its entry"
    waiting = [entry for entry in floor.entries if entry.state is EntryState.WAITING and entry.kind is Kind.CALL]
    for entry in waiting:
        for agent in floor.agents:
            able = is_free(agent) and fits(agent, entry, floor.queues) and not is_spared(agent, entry, now)
            assert not able, f"{entry.id} waits, {agent.login} is free"
