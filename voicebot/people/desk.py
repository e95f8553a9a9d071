"""The desk: carries out what the queue decides, and takes what agents do to it. One per worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from telephony.leg import Leg
from voicebot import events
from voicebot.errors import NotPossible, NotToBeRung
from voicebot.live_calls import LiveCalls
from voicebot.parts import Services
from voicebot.people.calling_back import Callbacks
from voicebot.people.carrying_out import CarryingOut
from voicebot.people.case import Case
from voicebot.people.cases import Cases
from voicebot.people.consulting import Consultations
from voicebot.people.handed import CallerAtDesk, Handed
from voicebot.people.lines import BrowserLines, LineState
from voicebot.people.offers import DeskPhones, headers_of
from voicebot.people.overhearing import Overhearing
from voicebot.people.pbx import Pbx
from voicebot.people.phones import ring
from voicebot.people.promises import Promises
from voicebot.people.talk import Reach, Reached, Talk, TalkState, Target, Worker
from voicebot.people.wrap_ups import WrapUps
from voicebot.queueing import happenings as happen
from voicebot.queueing.floor import Floor
from voicebot.queueing.model import STANDING, Agent, AgentState, Entry, EntryState, Kind, Offer, Profile

log = logging.getLogger(__name__)

HOLD_KEY, END_KEY = "1", "0"
"""After a star, on a desk phone in a talk."""


class Queue(Protocol):
    """The floor with its memory, `queueing.store`, which hands the desk its effects."""

    floor: Floor

    async def apply(self, event: happen.Event) -> None: ...


class Desk:
    """`changed(login)` is told when what an agent sees is other than before.

    `calls`: where those whom we call back are put, too. `followed(call_id)`: whether anybody looks at the
    words of a call as they are said.
    """

    def __init__(
        self,
        services: Services,
        queue: Queue,
        lines: BrowserLines,
        changed: Callable[[str], None],
        calls: LiveCalls,
        followed: Callable[[str], bool] = lambda call_id: False,
    ) -> None:
        self.lines = lines
        self._services = services
        self._queue = queue
        self._floor = queue.floor
        self._changed = changed
        self._followed = followed
        self._cases = Cases()
        self._consultations = Consultations(self)
        self._phones = DeskPhones(services, self.apply, self._has, self._phone_hung_up, self._phone_pressed)
        self.promises = Promises(services)
        self._callbacks = Callbacks(services, self, calls, self.promises, changed)
        self._wrap_ups = WrapUps(services.events, self.call_id, lambda agent: self.worker(agent).name)
        self._carrying_out = CarryingOut(
            *(self._floor, self._cases, self._consultations, self._phones, self.promises, self._callbacks),
            *(self._wrap_ups, changed),
        )

    async def close(self) -> None:
        """Whoever is being rung is let go."""
        await self._callbacks.close()
        await self._phones.close()

    async def hand_over(self, caller: CallerAtDesk) -> Handed:
        """Serve a caller until they go on elsewhere. Cancelled when they have hung up."""
        case = Case(self, caller)
        try:
            return await case.run()
        finally:
            self.forget(case)

    def case_of(self, call_id: str) -> Case | None:
        """The call, while it is with people."""
        return self._cases.of_call(call_id)

    async def apply(self, event: happen.Event) -> None:
        """Tell the queue what happened; what follows from it is carried out when this returns."""
        await self._queue.apply(event)

    def carry_out(self, effects: Iterable[happen.Effect]) -> None:
        """For the queue to call, in order."""
        for effect in effects:
            self._carrying_out.carry_out(effect)

    # What a case asks (case.Colleagues)

    def entry(self, entry: str) -> Entry | None:
        return self._floor.entry(entry)

    def new_entry(self, case: Case) -> str:
        return self._cases.new_entry(case)

    def forget(self, case: Case) -> None:
        self._cases.forget(case)

    def worker(self, agent: str) -> Worker:
        leg = self._phones.leg(agent)
        known = self._floor.agent(agent)
        name = known.profile.name if known is not None else agent
        return Worker(agent, name, leg.remote if leg is not None else "")

    def line(self, agent: str) -> Leg | None:
        return self._phones.leg(agent) or self.lines.leg(agent)

    async def fetch_line(self, agent: str, entry: Entry) -> None:
        known = self._floor.agent(agent)
        if known is not None and known.profile.by_phone and self._phones.leg(agent) is None:
            ring_s = self._services.config.queue(entry.queue).ring_s
            await self._phones.fetch(agent, known.profile.phone, entry.caller, ring_s)

    async def free_line(self, agent: str) -> None:
        await self._phones.release(agent)

    def reach_for(self, case: Case) -> Reach:
        async def reach(target: Target) -> Reached:
            if target.kind == "number":
                return await self.reach_number(case, target.name)
            return await self._consultations.reach(case, target)

        return reach

    def follow(self, case: Case, entry: str) -> None:
        self._consultations.becomes_a_call(entry)
        self._cases.follow(case, entry)

    async def reach_number(self, case: Case, number: str) -> Reached:
        context = case.caller.context
        ring_s = self._services.config.queue(case.caller.queue).ring_s
        try:
            # No headers: what the caller told is for the house alone.
            return await ring(self._services.outbound, number, caller=context.caller, headers={}, timeout_s=ring_s)
        except NotToBeRung as error:
            context.publish(events.OutboundRefused, to=number, why=error.cause)
            raise

    def pbx(self, case: Case) -> Pbx | None:
        config, queue = self._services.config, self._services.config.queue(case.caller.queue)
        closed = queue.hours is not None and not queue.hours.are_open(datetime.now(config.timezone))
        if queue.pbx is None or closed:
            return None
        return Pbx(self._services.outbound, queue.pbx, case.caller, headers_of(case))

    def overhear(self, case: Case) -> Overhearing:
        """Who writes down what is said while the bot is silent."""
        context = case.caller.context
        return Overhearing(
            self._services, context, case.caller.room.sample_rate, lambda: self._followed(context.call_id)
        )

    def talks(self, case: Case, talk: Talk) -> None:
        self._changed(talk.worker.id)

    # What is shown

    @property
    def entries(self) -> Iterable[Entry]:
        """Those that have not ended."""
        return self._floor.entries

    @property
    def agents(self) -> Iterable[Agent]:
        return self._floor.agents

    def agent(self, login: str) -> Agent | None:
        return self._floor.agent(login)

    def entry_of(self, login: str) -> Entry | None:
        """What the agent is offered, talks about or wraps up."""
        agent = self.agent(login)
        return self.entry(agent.entry) if agent is not None and agent.entry else None

    def case_about(self, entry: str) -> Case | None:
        """The caller whom an entry is about, be it theirs or a consultation."""
        return self._consultations.case(entry) or self._cases.of(entry)

    def call_id(self, entry: Entry) -> str:
        """Of the call in which its caller is talked with; of a callback that is not made yet, where it was promised."""
        return self._callbacks.call_id(entry)

    def is_called_back(self, login: str) -> bool:
        """Whether the agent talks with somebody whom we called."""
        case = self._cases.served_by(login)
        return case is not None and case.called_back

    def is_by_hand(self, entry: Entry) -> bool:
        """Whether whoever takes this callback has to ring the number on a telephone of theirs."""
        return entry.kind is Kind.CALLBACK and self._callbacks.is_by_hand(entry)

    def position(self, entry: str) -> int | None:
        """Where a waiting caller stands: 1 is next."""
        waiting = self._floor.entry(entry)
        if waiting is None or waiting.state not in STANDING:
            return None
        line = [other.id for other in self._floor.line(waiting.queue, datetime.now(UTC))]
        return line.index(entry) + 1 if entry in line else None

    def serves(self, login: str, call_id: str) -> bool:
        """Whether the agent has to do with the call: it is offered to them, or they talk."""
        entry = self.entry_of(login)
        return entry is not None and call_id in (entry.call_id, self.call_id(entry))

    def notes(self, entry: str) -> str:
        return self._wrap_ups.notes(entry)

    def back_until(self, login: str) -> datetime | None:
        """Until when a broken line is waited for."""
        agent = self.agent(login)
        if agent is None or agent.line_lost_at is None:
            return None
        return agent.line_lost_at + timedelta(seconds=self._services.config.people.line_back_s)

    # What agents do

    async def set_available(self, profile: Profile) -> None:
        """Raises NotPossible where there is no way to ring them."""
        self._check_reachable(profile)
        await self.apply(happen.AgentAvailable(profile))

    def _check_reachable(self, profile: Profile) -> None:
        """Raises NotPossible."""
        if not profile.by_phone and self.lines.state(profile.login) is not LineState.UP:
            raise NotPossible("Your browser has no audio line.", "Connect it first, or take calls on your desk phone.")

    async def set_on_break(self, profile: Profile, reason: str) -> None:
        await self.apply(happen.AgentBreak(profile, reason))

    async def set_offline(self, login: str) -> None:
        await self.apply(happen.AgentOffline(login))

    async def accept(self, login: str, entry: str) -> None:
        """Raises NotPossible when it is not offered to this agent any more."""
        offer = self._offer(login, entry)
        if (case := self._cases.of(entry)) is not None:
            case.caller.context.publish(events.AgentAnswered, uri="", agent=login, name=self.worker(login).name)
        await self.apply(happen.Accept(offer))

    async def decline(self, login: str, entry: str) -> None:
        """Raises NotPossible, see accept."""
        offer = self._offer(login, entry)
        if (case := self._cases.of(entry)) is not None:
            case.tell_refused(login, "declined")
        await self.apply(happen.Decline(offer))

    def talk_of(self, login: str) -> Talk:
        """The talk that an agent is in. Raises NotPossible."""
        if (talk := self._talk_of(login)) is None:
            raise NotPossible("You are not in a call.")
        return talk

    def _talk_of(self, login: str) -> Talk | None:
        case = self._cases.served_by(login)
        return case.talk if case is not None else None

    async def end(self, login: str) -> None:
        """The agent ends the call, or stops being asked. Raises NotPossible."""
        if not self._consultations.leave(login) and not await self._stop_calling_back(login):
            self.talk_of(login).end()

    async def _stop_calling_back(self, login: str) -> bool:
        """It was a try; False when the agent does not call anybody back."""
        entry = self.entry_of(login)
        if entry is None or entry.kind is not Kind.CALLBACK or entry.state is not EntryState.ACCEPTED:
            return False
        if not self._callbacks.give_up(login):
            await self.apply(happen.ConnectFailed(entry.id, "not_reached"))
        return True

    async def take_callback(self, profile: Profile, entry: str) -> None:
        """Without its having been offered. Raises NotPossible."""
        waiting, agent = self.entry(entry), self.agent(profile.login)
        if waiting is None or waiting.kind is not Kind.CALLBACK or waiting.state is not EntryState.WAITING:
            raise NotPossible("This callback is not to be taken any more.", "Somebody else has it, or it is done.")
        if agent is None or agent.state not in (AgentState.AVAILABLE, AgentState.ON_BREAK):
            raise NotPossible("You cannot call anybody now.", "Sign in at the desk, and end what you have first.")
        if not self.is_by_hand(waiting):
            self._check_reachable(profile)
        await self.apply(happen.Take(entry, profile.login))

    async def close_callback(self, entry: str, outcome: Literal["reached", "gave_up"], notes: str = "") -> None:
        """Somebody says how it ended. Raises NotPossible when it has an end already."""
        await self.apply(self._wrap_ups.closed_callback(self.entry(entry), outcome, notes))

    def take_notes(self, login: str, notes: str) -> None:
        """Keep what the agent has written so far. Raises NotPossible without a call."""
        agent = self.agent(login)
        if agent is None or not agent.entry:
            raise NotPossible("There is no call to write about.")
        self._wrap_ups.write(agent.entry, notes)

    async def wrap_up(self, login: str, code: str, notes: str) -> None:
        """Raises NotPossible without something to wrap up."""
        agent = self.agent(login)
        if agent is None or agent.state is not AgentState.WRAP_UP:
            raise NotPossible("There is no call to wrap up.")
        await self.apply(happen.WrapUpDone(agent.entry, code, notes))

    async def line_changed(self, login: str) -> None:
        """The state of a browser's line is another: `BrowserLines.changed`."""
        agent = self.agent(login)
        if agent is not None and not agent.profile.by_phone:
            # What it is now counts, not what it was when this was begun: changes may come faster than they are told.
            leg, talk = self.lines.leg(login), self._talk_of(login)
            if leg is None:
                self._consultations.leave(login)
            if talk is not None:
                talk.line_lost() if leg is None else talk.line_back(leg)
            await self.apply(happen.LineLost(login) if leg is None else happen.LineBack(login))
        self._changed(login)

    def _phone_hung_up(self, agent: str) -> None:
        """Which ends the talk if nothing else has."""
        gone = self._callbacks.give_up(agent) or self._consultations.leave(agent)
        if not gone and (talk := self._talk_of(agent)) is not None:
            talk.end()

    def _phone_pressed(self, agent: str, key: str) -> None:
        """Star and this key, in a talk."""
        talk = self._talk_of(agent)
        if talk is None:
            return
        try:
            if key == HOLD_KEY:
                talk.hold(talk.state is not TalkState.ON_HOLD)
            elif key == END_KEY:
                talk.end()
        except NotPossible as error:
            log.info("%s pressed *%s: %s", agent, key, error)

    def _has(self, login: str, offer: Offer) -> bool:
        agent = self.agent(login)
        return agent is not None and agent.entry == offer.entry and agent.state is AgentState.ON_CALL

    def _offer(self, login: str, entry: str) -> str:
        waiting = self._floor.entry(entry)
        if waiting is None or waiting.offer is None or waiting.offer.agent != login:
            raise NotPossible("This call is not offered to you any more.", "Somebody else has it, or it has ended.")
        return waiting.offer.id
