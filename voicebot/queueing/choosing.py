"""Who gets which: the order of those who wait, and who of the available agents suits best. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from voicebot.people_settings import QueueSettings
from voicebot.queueing.model import Agent, AgentState, Entry, Kind, Profile

Settings = Mapping[str, QueueSettings]
_UNKNOWN_QUEUE = QueueSettings()


def _settings(queues: Settings, entry: Entry) -> QueueSettings:
    return queues.get(entry.queue, _UNKNOWN_QUEUE)


def urgency(entry: Entry, queues: Settings, now: datetime) -> float:
    """Points of priority, with what was gained by waiting."""
    settings = _settings(queues, entry)
    base = settings.priority if entry.urgency is None else entry.urgency
    return base + (now - entry.entered_at).total_seconds() / settings.ageing_s


def place(entry: Entry, queues: Settings, now: datetime) -> tuple[Any, ...]:
    """Sorts entries into the order in which they are served: broken talks, then urgency, then the earlier place."""
    return (not entry.first, -urgency(entry, queues, now), entry.entered_at, entry.number)


def in_order(entries: Iterable[Entry], queues: Settings, now: datetime) -> list[Entry]:
    """Whom to serve first, first."""
    return sorted(entries, key=lambda entry: place(entry, queues, now))


def fits(agent: Agent, entry: Entry, queues: Settings) -> bool:
    """Whether the agent can serve it, whatever the agent is doing now."""
    return can_serve(agent.profile, entry, queues)


def can_serve(profile: Profile, entry: Entry, queues: Settings) -> bool:
    """Whether such an agent could. Who is asked for by name may be anybody."""
    if entry.only:
        return profile.login == entry.only
    return (
        profile.serves(entry.queue)
        and (not entry.language or entry.language in profile.languages)
        and profile.skills >= {*entry.skills, *_settings(queues, entry).skills}
    )


def is_spared(agent: Agent, entry: Entry, now: datetime) -> bool:
    """Whether the agent has not taken this entry a moment ago."""
    return any(login == agent.login and until > now for login, until in entry.declined)


def is_free(agent: Agent) -> bool:
    """Whether an offer can reach the agent now."""
    return agent.state is AgentState.AVAILABLE and agent.line_lost_at is None


def match(
    entries: Iterable[Entry], agents: Iterable[Agent], queues: Settings, now: datetime
) -> list[tuple[Entry, Agent]]:
    """Pairs to offer at once, each entry and each agent once. `entries` wait and may be offered.

    Entries choose in their order. Of the free agents that fit: who knows the caller, then who has more of the preferred
    skills, then who has been idle for longest; by login where even that is equal.
    """
    free = {agent.login: agent for agent in agents if is_free(agent)}
    pairs: list[tuple[Entry, Agent]] = []
    for entry in in_order(entries, queues, now):
        wanted = entry.preferred | {*_settings(queues, entry).preferred_skills}
        able = [agent for agent in free.values() if fits(agent, entry, queues) and not is_spared(agent, entry, now)]
        best = min(able, key=lambda agent: _suits(agent, entry, wanted), default=None)
        if best is not None:
            pairs.append((entry, best))
            del free[best.login]
    return pairs


def _suits(agent: Agent, entry: Entry, wanted: frozenset[str]) -> tuple[Any, ...]:
    missing = len(wanted - agent.profile.skills)
    return (agent.login != entry.knows, missing, agent.idle_since, agent.login)


def line(entries: Iterable[Entry], queue: str, queues: Settings, now: datetime) -> list[Entry]:
    """Those who stand in a queue, in order; consults stand in none."""
    standing = [entry for entry in entries if entry.queue == queue and entry.kind is not Kind.CONSULT]
    return in_order(standing, queues, now)
