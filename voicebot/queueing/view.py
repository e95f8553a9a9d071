"""The floor as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voicebot.queueing.floor import Floor
from voicebot.queueing.model import Agent, AgentState, Entry, EntryState, Kind

_WAITING = (EntryState.WAITING, EntryState.OFFERED)


@dataclass(frozen=True)
class EntryView:
    """`position` from 1, None for who does not stand in the queue; `waited_s` of this wait, as far as it has gone."""

    entry: Entry
    position: int | None
    waited_s: float


@dataclass(frozen=True)
class QueueView:
    """`waiting` and `longest_wait_s` are of callers on the line; `callbacks`: promised and not made."""

    name: str
    waiting: int
    longest_wait_s: float | None
    available: int
    on_call: int
    callbacks: int


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment."""

    entries: tuple[EntryView, ...]
    agents: tuple[Agent, ...]
    queues: tuple[QueueView, ...]


def snapshot(floor: Floor, now: datetime) -> Snapshot:
    """Plain values, which stay as they are when the floor goes on."""
    names = [*floor.queues, *sorted({entry.queue for entry in floor.entries} - {*floor.queues})]
    positions = {entry.id: index for name in names for index, entry in enumerate(floor.line(name, now), start=1)}
    entries = tuple(EntryView(entry, positions.get(entry.id), _waited_s(entry, now)) for entry in floor.entries)
    return Snapshot(entries, floor.agents, tuple(_queue(name, entries, floor.agents) for name in names))


def _waited_s(entry: Entry, now: datetime) -> float:
    until = entry.accepted_at or now
    return max(0.0, (until - entry.queued_at).total_seconds())


def _queue(name: str, entries: tuple[EntryView, ...], agents: tuple[Agent, ...]) -> QueueView:
    here = [view for view in entries if view.entry.queue == name]
    waits = [view.waited_s for view in here if view.entry.kind is Kind.CALL and view.entry.state in _WAITING]
    serving = [agent for agent in agents if not agent.profile.queues or name in agent.profile.queues]
    return QueueView(
        name=name,
        waiting=len(waits),
        longest_wait_s=max(waits, default=None),
        available=sum(agent.state is AgentState.AVAILABLE for agent in serving),
        on_call=sum(agent.state is AgentState.ON_CALL for agent in serving),
        callbacks=sum(view.entry.kind is Kind.CALLBACK for view in here),
    )
