"""Carries out what the queue decides: offers reach agents, callers reach who has taken them, news reach callers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from voicebot import events
from voicebot.people.calling_back import Callbacks
from voicebot.people.case import Case
from voicebot.people.cases import Cases
from voicebot.people.consulting import Consultations
from voicebot.people.offers import DeskPhones, offered_case
from voicebot.people.promises import Promises
from voicebot.people.wrap_ups import WrapUps
from voicebot.queueing import happenings as happen
from voicebot.queueing.floor import Floor
from voicebot.queueing.model import Agent, Entry, Kind, Offer


class CarryingOut:
    """By the parts of the desk. `changed(login)`: what an agent sees is other than before."""

    def __init__(
        self,
        floor: Floor,
        cases: Cases,
        consultations: Consultations,
        phones: DeskPhones,
        promises: Promises,
        callbacks: Callbacks,
        wrap_ups: WrapUps,
        changed: Callable[[str], None],
    ) -> None:
        self._floor = floor
        self._cases = cases
        self._consultations = consultations
        self._phones = phones
        self._promises = promises
        self._callbacks = callbacks
        self._wrap_ups = wrap_ups
        self._changed = changed

    def carry_out(self, effect: happen.Effect) -> None:
        match effect:
            case happen.Offered(offer, entry):
                self._offered(offer, entry)
            case happen.Withdrawn(offer, why):
                if why == "timed_out" and (case := self._cases.of(offer.entry)) is not None:
                    case.tell_refused(offer.agent, "no_answer")
                self._phones.stop(offer)
            case happen.Connect(entry, agent):
                self._connect(effect, entry, agent)
            case happen.Returned(entry):
                if (case := self._cases.of(entry.id)) is not None and case.talk is not None:
                    case.talk.end("line_lost")
            case happen.Overflow(entry):
                if (case := self._cases.of(entry.id)) is not None:
                    case.tell(effect)
            case happen.Announce(entry, position, wait_s):
                if (case := self._cases.of(entry.id)) is not None:
                    case.announce(position, wait_s)
            case happen.Ended(entry):
                self._wrap_ups.ended(entry)
                self._consultations.ended(entry.id, entry.outcome)
                self._callbacks.ended(entry)
            case happen.Missed():
                pass  # the agent's new state tells it
            case happen.Changed(entries, agents):
                self._tell_changed(entries, agents)
            case _:
                assert_never(effect)

    def _offered(self, offer: Offer, entry: Entry) -> None:
        agent = self._floor.agent(offer.agent)
        assert agent is not None
        by_phone = agent.profile.by_phone
        if entry.kind is Kind.CALLBACK:
            self._callbacks.show(entry, agent.login)
            if by_phone:
                self._phones.start(offer, agent.profile, self._promises.offered(entry))
        elif (case := self._consultations.case(entry.id) or self._cases.of(entry.id)) is not None:
            if entry.kind is Kind.CALL:
                _tell_offered(case, entry, agent)
            if by_phone:
                self._phones.start(offer, agent.profile, offered_case(case))

    def _tell_changed(self, entries: Iterable[str], agents: Iterable[str]) -> None:
        """An entry is shown to whoever has it, and how many wait to everybody at the desk."""
        for login in {*agents} if not entries else {agent.login for agent in self._floor.agents}:
            self._changed(login)

    def _connect(self, effect: happen.Connect, entry: Entry, agent: str) -> None:
        if self._consultations.accepted(entry.id, agent):
            return
        if (case := self._cases.of(entry.id)) is not None:
            case.tell(effect)
        elif entry.kind is Kind.CALLBACK:
            self._callbacks.start(entry, agent)


def _tell_offered(case: Case, entry: Entry, agent: Agent) -> None:
    case.caller.context.publish(
        events.AgentOffered,
        agent=agent.login,
        name=agent.profile.name,
        queue=entry.queue,
        entry=entry.id,
        reach="phone" if agent.profile.by_phone else "browser",
    )
