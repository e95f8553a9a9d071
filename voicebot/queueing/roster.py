"""Agents who come, go, take breaks, and whose lines break."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicebot.people_settings import QueueSettings
from voicebot.queueing.happenings import (
    AgentAvailable,
    AgentBreak,
    AgentChanged,
    AgentOffline,
    LineBack,
    LineLost,
    Returned,
)
from voicebot.queueing.ledger import Ledger
from voicebot.queueing.model import (
    LINE_LOST,
    RESTARTED,
    SHOWN_WITHIN,
    Agent,
    AgentState,
    Entry,
    EntryState,
    Kind,
    Profile,
)
from voicebot.queueing.offers import end_wrap_up, not_taken, withdraw

BUSY = (AgentState.ON_CALL, AgentState.WRAP_UP)


def configured(queues: Mapping[str, QueueSettings]) -> Iterable[Profile]:
    """The desk phones of the settings, each once, whatever number of queues it serves."""
    found: dict[str, Profile] = {}
    for name, queue in queues.items():
        for agent in queue.agents:
            known = found.get(agent.uri) or Profile(agent.uri, agent.name, languages=frozenset())
            found[agent.uri] = Profile(
                agent.uri,
                known.name,
                queues=known.queues | {name},
                skills=known.skills | {*agent.skills},
                languages=known.languages | {*agent.languages},
                phone=agent.uri,
                always=True,
            )
    return found.values()


def on_available(ledger: Ledger, event: AgentAvailable) -> None:
    agent = _known(ledger, event.profile)
    if agent is None:
        ledger.welcome(event.profile, AgentState.AVAILABLE)
    elif agent.state in BUSY:
        ledger.change_agent(agent, then=None)
    elif agent.state in (AgentState.OFFLINE, AgentState.ON_BREAK):
        lost_at = agent.line_lost_at and ledger.now  # a broken line has its time again to come back
        ledger.move_agent(agent, AgentState.AVAILABLE, missed=0, line_lost_at=lost_at, idle_since=ledger.now)


def on_break(ledger: Ledger, event: AgentBreak) -> None:
    agent = _known(ledger, event.profile)
    if agent is None:
        ledger.welcome(event.profile, AgentState.ON_BREAK, event.reason)
    elif agent.state in BUSY:
        ledger.change_agent(agent, then=(AgentState.ON_BREAK, event.reason))
    elif agent.state is AgentState.ON_BREAK:
        ledger.change_agent(agent, reason=event.reason, until=None)
    else:
        _leave_offer(ledger, agent)
        ledger.move_agent(agent, AgentState.ON_BREAK, reason=event.reason)


def on_offline(ledger: Ledger, event: AgentOffline) -> None:
    agent = ledger.agents.get(event.agent)
    if agent is None or agent.state is AgentState.OFFLINE:
        return
    if agent.state in BUSY:
        agent = ledger.change_agent(agent, then=(AgentState.OFFLINE, ""))
        if agent.state is AgentState.WRAP_UP:
            end_wrap_up(ledger, ledger.entries[agent.entry])
    else:
        _leave_offer(ledger, agent)
        ledger.move_agent(agent, AgentState.OFFLINE, line_lost_at=None)


def on_changed(ledger: Ledger, event: AgentChanged) -> None:
    _known(ledger, event.profile)


def _known(ledger: Ledger, profile: Profile) -> Agent | None:
    """The agent, with what they can serve now."""
    agent = ledger.agents.get(profile.login)
    return ledger.change_agent(agent, profile=profile) if agent is not None and agent.profile != profile else agent


def _leave_offer(ledger: Ledger, agent: Agent) -> None:
    """Its entry waits on. The agent said why, so nothing was missed."""
    if agent.state is AgentState.OFFERED:
        entry = ledger.entries[agent.entry]
        withdraw(ledger, entry, "agent_left")
        not_taken(ledger, entry, agent, "agent_left")


def on_line_lost(ledger: Ledger, event: LineLost) -> None:
    agent = ledger.agents.get(event.agent)
    if agent is not None and agent.state is not AgentState.OFFLINE and agent.line_lost_at is None:
        ledger.change_agent(agent, line_lost_at=ledger.now)


def on_line_back(ledger: Ledger, event: LineBack) -> None:
    agent = ledger.agents.get(event.agent)
    if agent is not None and agent.line_lost_at is not None:
        ledger.change_agent(agent, line_lost_at=None)


def line_stays_lost(ledger: Ledger, agent: Agent) -> None:
    """It did not come back in time: a talk goes to the head of its queue, the agent on a break, and soon offline."""
    if agent.state is AgentState.ON_CALL:
        entry = ledger.entries[agent.entry]
        waiting = _broken(ledger, entry)
        ledger.effects.append(Returned(waiting, agent.login))
    to, reason = agent.then or (AgentState.ON_BREAK, LINE_LOST)
    until = ledger.now + SHOWN_WITHIN if reason == LINE_LOST else None
    ledger.move_agent(agent, to, reason=reason, until=until, then=None, line_lost_at=None, idle_since=ledger.now)


def _broken(ledger: Ledger, entry: Entry) -> Entry:
    if entry.kind is Kind.CONSULT:
        if entry.state is EntryState.TALKING:
            entry = ledger.move(entry, EntryState.WRAP_UP)
        return ledger.end(entry, EntryState.DONE, outcome=LINE_LOST)
    return ledger.move(
        entry, EntryState.WAITING, agent="", first=True, queued_at=ledger.now, announce_at=None, accepted_at=None
    )


def until_over(ledger: Ledger, agent: Agent) -> None:
    """A break that ends by itself: of a desk phone that is always there, or of an agent who has not shown up again."""
    if agent.reason in (LINE_LOST, RESTARTED):
        ledger.move_agent(agent, AgentState.OFFLINE)
    else:
        ledger.move_agent(agent, AgentState.AVAILABLE, idle_since=ledger.now)
