"""The floor: everybody who waits, and everybody who serves. Events go in, effects come out; no clock, no I/O.

Rules that hold after every event: an entry is offered to one agent at most, an agent has one entry at most, and who
waits and fits a free agent is offered. Events about what is no more are ignored, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from voicebot.people_settings import QueueSettings
from voicebot.queueing import callers, offers, roster
from voicebot.queueing.choosing import fits, in_order, line, match
from voicebot.queueing.estimate import told_wait
from voicebot.queueing.happenings import (
    Accept,
    AgentAvailable,
    AgentBreak,
    AgentChanged,
    AgentOffline,
    Announce,
    CallbackDone,
    Connected,
    ConnectFailed,
    ConsultDone,
    Decline,
    Effect,
    Enter,
    Event,
    Leave,
    LineBack,
    LineLost,
    OfferFailed,
    Promise,
    Take,
    TalkEnded,
    Tick,
    TransferTo,
    WrapUpDone,
)
from voicebot.queueing.ledger import Changes, Ledger, Restored
from voicebot.queueing.model import STANDING, Agent, AgentState, Entry, EntryState, Kind

_HANDLERS: dict[type[Any], Callable[[Ledger, Any], None]] = {
    Enter: callers.on_enter,
    Promise: callers.promise,
    Leave: callers.on_leave,
    TransferTo: callers.on_transfer,
    ConsultDone: callers.on_consult_done,
    Accept: offers.on_accept,
    Decline: offers.on_decline,
    OfferFailed: offers.on_offer_failed,
    Take: offers.on_take,
    Connected: offers.on_connected,
    ConnectFailed: offers.on_connect_failed,
    TalkEnded: offers.on_talk_ended,
    CallbackDone: offers.on_callback_done,
    WrapUpDone: offers.on_wrap_up_done,
    AgentAvailable: roster.on_available,
    AgentBreak: roster.on_break,
    AgentOffline: roster.on_offline,
    AgentChanged: roster.on_changed,
    LineLost: roster.on_line_lost,
    LineBack: roster.on_line_back,
    Tick: lambda ledger, event: None,
}

_NEEDS_LINE = (AgentState.AVAILABLE, AgentState.ON_CALL)


class Floor:
    """One for all queues. Not for several threads at once."""

    def __init__(
        self,
        queues: Mapping[str, QueueSettings],
        timezone: tzinfo,
        now: datetime,
        *,
        line_back_s: float = 30.0,
        restored: Restored | None = None,
    ) -> None:
        """`timezone`: of the hours. `restored`: what the database knew. Configured phones are available at once."""
        self._ledger = Ledger(queues, timezone, now, line_back_s, restored or Restored())
        for profile in roster.configured(queues):
            self._ledger.agents.pop(profile.login, None)
            self._ledger.welcome(profile, AgentState.AVAILABLE)

    def apply(self, event: Event, now: datetime) -> tuple[Effect, ...]:
        """What is to be done about it, in order. Never raises on an event that comes late or twice."""
        effects, _ = self.step(event, now)
        return effects

    def step(self, event: Event, now: datetime) -> tuple[tuple[Effect, ...], Changes]:
        """Like `apply`, with what has to be kept before the effects are carried out."""
        ledger = self._ledger
        ledger.begin(now)
        _HANDLERS[type(event)](ledger, event)
        self._expire()
        self._move_on()
        self._offer()
        self._announce()
        return ledger.finish()

    # -- what can be seen ---------------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those that have not ended, in the order in which they came."""
        return tuple(sorted(self._ledger.entries.values(), key=lambda entry: entry.number))

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Everybody who was ever signed in since the start, and configured phones, by login."""
        return tuple(self._ledger.agents[login] for login in sorted(self._ledger.agents))

    @property
    def queues(self) -> Mapping[str, QueueSettings]:
        return self._ledger.queues

    def entry(self, name: str) -> Entry | None:
        """None: there is none, or it has ended."""
        return self._ledger.entries.get(name)

    def agent(self, login: str) -> Agent | None:
        return self._ledger.agents.get(login)

    def offer_to(self, login: str) -> Entry | None:
        """What is offered to the agent now; `entry.offer.id` is what Accept and Decline want."""
        agent = self._ledger.agents.get(login)
        return self._ledger.entries.get(agent.entry) if agent and agent.state is AgentState.OFFERED else None

    def line(self, queue: str, now: datetime) -> list[Entry]:
        """Who stands in a queue, in order: callers, and callbacks that may be made now."""
        return line(self._standing(), queue, self._ledger.queues, max(now, self._ledger.now))

    def told_wait(self, entry: Entry, now: datetime) -> float | None:
        """Seconds that its caller can be told honestly (see `estimate`); None: it cannot be told."""
        ledger = self._ledger
        able = [agent for agent in ledger.agents.values() if agent.working and fits(agent, entry, ledger.queues)]
        ahead = 0
        for other in in_order(self._standing(), ledger.queues, max(now, ledger.now)):
            if other.id == entry.id:
                break
            ahead += any(fits(agent, other, ledger.queues) for agent in able)
        handling_s = [one.took_s for one in ledger.handled.get(entry.queue, ())]
        return told_wait(ahead, handling_s, len(able))

    def next_at(self) -> datetime | None:
        """When a Tick is due; None: nothing is waited for."""
        return min(self._deadlines(), default=None)

    def _deadlines(self) -> Iterable[datetime]:
        ledger = self._ledger
        for agent in ledger.agents.values():
            if agent.until is not None:
                yield agent.until
            if agent.line_lost_at is not None and agent.state in _NEEDS_LINE:
                yield agent.line_lost_at + ledger.line_back
        for entry in ledger.live(EntryState.WAITING):
            yield from (until for _, until in entry.declined if until > ledger.now)
            if entry.kind is Kind.CALL:
                settings = ledger.settings(entry.queue)
                yield entry.queued_at + timedelta(seconds=settings.longest_wait_s)
                yield entry.announce_at or ledger.now
            elif entry.next_at is not None and entry.next_at > ledger.now:
                yield entry.next_at
            elif (opening := self._opening(entry.queue)) is not None:
                yield opening

    def _opening(self, queue: str) -> datetime | None:
        """When a queue that is closed opens again."""
        hours, now = self._ledger.settings(queue).hours, self._ledger.now
        if hours is None or self._ledger.is_open(queue):
            return None
        return hours.next_opening(now.astimezone(self._ledger.timezone))

    # -- after every event --------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """What ends by itself."""
        ledger = self._ledger
        for login in tuple(ledger.agents):
            agent = ledger.agents[login]
            if agent.until is not None and agent.until <= ledger.now:
                if agent.state is AgentState.OFFERED:
                    offers.time_out(ledger, ledger.entries[agent.entry])
                elif agent.state is AgentState.WRAP_UP:
                    offers.end_wrap_up(ledger, ledger.entries[agent.entry])
                else:
                    roster.until_over(ledger, agent)
            agent = ledger.agents[login]
            lost_for_good = agent.line_lost_at is not None and agent.line_lost_at + ledger.line_back <= ledger.now
            if lost_for_good and agent.state in _NEEDS_LINE:
                roster.line_stays_lost(ledger, agent)

    def _move_on(self) -> None:
        """Who cannot wait here any longer, and who asked for an agent that is not there."""
        ledger = self._ledger
        for entry in ledger.live(EntryState.WAITING):
            if entry.only:
                entry = self._ask_for(entry) or entry
            if entry.kind is not Kind.CALL or entry.state is not EntryState.WAITING:
                continue
            waited = (ledger.now - entry.queued_at).total_seconds()
            if waited >= ledger.settings(entry.queue).longest_wait_s:
                callers.overflow(ledger, entry, "longest_wait")
            elif callers.nobody_is_there(ledger, entry):
                callers.overflow(ledger, entry, "nobody")

    def _ask_for(self, entry: Entry) -> Entry | None:
        """A caller waits for an agent who is in a talk; a consult does not. The entry where it has changed."""
        ledger = self._ledger
        agent = ledger.agents.get(entry.only)
        if entry.kind is Kind.CONSULT:
            if agent is None or agent.state is not AgentState.AVAILABLE:
                return ledger.end(entry, EntryState.DONE, outcome="not_available")
        elif agent is None or not agent.working:
            return ledger.change(entry, only="")
        return None

    def _ready(self, entry: Entry) -> bool:
        """Callbacks are made at their time, within the hours of their queue."""
        if entry.kind is not Kind.CALLBACK or entry.state is EntryState.OFFERED:
            return True
        return (entry.next_at is None or entry.next_at <= self._ledger.now) and self._ledger.is_open(entry.queue)

    def _standing(self) -> list[Entry]:
        return [entry for entry in self._ledger.live(*STANDING) if self._ready(entry)]

    def _offer(self) -> None:
        ledger = self._ledger
        waiting = [entry for entry in ledger.live(EntryState.WAITING) if self._ready(entry)]
        for entry, agent in match(waiting, ledger.agents.values(), ledger.queues, ledger.now):
            offers.offer(ledger, entry, agent)

    def _announce(self) -> None:
        ledger = self._ledger
        for entry in ledger.live(EntryState.WAITING, kind=Kind.CALL):
            if entry.announce_at is not None and entry.announce_at > ledger.now:
                continue
            every = timedelta(seconds=ledger.settings(entry.queue).announce_every_s)
            entry = ledger.change(entry, announce_at=ledger.now + every)
            position = [other.id for other in self.line(entry.queue, ledger.now)].index(entry.id) + 1
            ledger.effects.append(Announce(entry, position, self.told_wait(entry, ledger.now)))
