"""Consultations: an agent asks a colleague about a caller who hears music meanwhile; offered as calls are offered."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Protocol

from telephony.leg import Leg
from voicebot.errors import NotReached
from voicebot.people.case import Case
from voicebot.people.talk import Reached, Target, Worker
from voicebot.queueing.happenings import Connected, Enter, Event, Leave, TalkEnded
from voicebot.queueing.model import Kind, Why


class Colleagues(Protocol):
    """What consultations need of the desk."""

    async def apply(self, event: Event) -> None: ...
    def line(self, agent: str) -> Leg | None: ...
    def worker(self, agent: str) -> Worker: ...
    async def free_line(self, agent: str) -> None: ...


@dataclass
class _Asking:
    """For whom, who has accepted, and whether they have gone."""

    case: Case
    answered: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def is_with(self, agent: str) -> bool:
        done = self.answered.done() and not self.answered.cancelled() and self.answered.exception() is None
        return done and self.answered.result() == agent


class Consultations:
    """Those that are asked for or go on, by entry."""

    def __init__(self, desk: Colleagues) -> None:
        self._desk = desk
        self._asking: dict[str, _Asking] = {}

    async def reach(self, case: Case, target: Target) -> Reached:
        """Offer it to an agent, or to whoever serves a queue; returns when it is accepted. Raises NotReached."""
        context, entry = case.caller.context, uuid.uuid4().hex
        asking = self._asking[entry] = _Asking(case)
        to_agent = target.kind == "agent"
        queue, only = (case.caller.queue, target.name) if to_agent else (target.name, "")
        who = (entry, context.call_id, context.caller, context.language, queue)
        try:
            await self._desk.apply(Enter(*who, only=only, kind=Kind.CONSULT))
            agent = await asking.answered
            leg = self._desk.line(agent)
            if leg is None:
                raise NotReached("line_lost")
            await self._desk.apply(Connected(entry))
        except BaseException:
            del self._asking[entry]
            await asyncio.shield(self._desk.apply(Leave(entry, Why.HUNG_UP)))
            raise
        return _Colleague(self, asking, entry, self._desk.worker(agent), leg)

    def case(self, entry: str) -> Case | None:
        """The caller whom a consultation is about."""
        asking = self._asking.get(entry)
        return asking.case if asking is not None else None

    def accepted(self, entry: str, agent: str) -> bool:
        """The queue connects the agent; whether the entry is a consultation."""
        asking = self._asking.get(entry)
        if asking is not None and not asking.answered.done():
            asking.answered.set_result(agent)
        return asking is not None

    def ended(self, entry: str, outcome: str) -> None:
        """The queue is done with the entry; nobody accepted it, where it was a consultation that waited."""
        asking = self._asking.get(entry)
        if asking is not None and not asking.answered.done():
            asking.answered.set_exception(NotReached(outcome or "no_answer"))

    def becomes_a_call(self, entry: str) -> None:
        """The colleague has got the caller."""
        self._asking.pop(entry, None)

    def leave(self, agent: str) -> bool:
        """The agent who was asked goes; whether there was such a consultation."""
        for asking in self._asking.values():
            if asking.is_with(agent):
                asking.gone.set()
                return True
        return False

    async def done(self, entry: str, agent: str) -> None:
        """The agent who was asked is not needed any more."""
        if self._asking.pop(entry, None) is not None:
            await self._desk.apply(TalkEnded(entry))
            await self._desk.free_line(agent)


@dataclass(frozen=True)
class _Colleague:
    """An agent who has accepted; implements case.Asked."""

    consultations: Consultations
    asking: _Asking
    entry: str
    worker: Worker
    leg: Leg

    async def gone(self) -> None:
        await self.asking.gone.wait()

    async def release(self) -> None:
        await self.consultations.done(self.entry, self.worker.id)
