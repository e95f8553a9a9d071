"""How an offer reaches an agent at a desk phone: ring it, brief, ask, and watch it until it hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telephony.leg import Leg
from tts.text import spoken
from voicebot import events
from voicebot.errors import NotReached
from voicebot.parts import Services
from voicebot.people.case import Case
from voicebot.people.phones import Briefing, PhoneLine, ask, ring
from voicebot.queueing.happenings import Accept, Decline, Event, OfferFailed
from voicebot.queueing.model import Offer, Profile
from voicebot.summary import briefing, sip_headers

log = logging.getLogger(__name__)

Apply = Callable[[Event], Awaitable[None]]


class DeskPhones:
    """One task an offer, from the first ring until the phone hangs up."""

    def __init__(self, services: Services, apply: Apply, has: Callable[[str, Offer], bool]) -> None:
        """`has(agent, offer)`: whether the agent has got what was offered."""
        self._services = services
        self._apply = apply
        self._has = has
        self._lines: dict[str, PhoneLine] = {}  # by agent
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by offer

    def start(self, offer: Offer, profile: Profile, case: Case) -> None:
        task = asyncio.create_task(self._offer(offer, profile, case), name=f"ring {profile.login}")
        self._tasks[offer.id] = task
        task.add_done_callback(lambda done: self._over(offer.id, done))

    def stop(self, offer: Offer) -> None:
        """The offer is withdrawn: stop ringing, or hang up on an agent who is deciding."""
        if (task := self._tasks.get(offer.id)) is not None:
            task.cancel()

    def leg(self, agent: str) -> Leg | None:
        """Of a phone whose agent has taken an offer."""
        line = self._lines.get(agent)
        return line.leg if line is not None else None

    async def release(self, agent: str) -> None:
        """The talk is over: hang up, which ends the task."""
        if (line := self._lines.get(agent)) is not None:
            await line.release()

    async def close(self) -> None:
        tasks = set(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _offer(self, offer: Offer, profile: Profile, case: Case) -> None:
        context = case.caller.context
        who: dict[str, Any] = {"uri": profile.phone, "agent": profile.login, "name": profile.name}
        context.publish(events.AgentCalled, **who)
        line: PhoneLine | None = None
        try:
            queue = self._services.config.queue(case.caller.queue)
            line = await ring(
                *(self._services.endpoint, profile.phone),
                caller=context.caller,
                headers=sip_headers(case.caller.summary()),
                timeout_s=queue.ring_s,
            )
            context.publish(events.AgentAnswered, **who)
            await ask(line, self._services.media, self._briefing(case), queue.decide_s)
        except NotReached as error:
            if line is not None:
                await line.release()
            context.publish(events.AgentRefused, cause=error.cause, **who)
            declined = error.cause == "declined"
            await self._apply(Decline(offer.id) if declined else OfferFailed(offer.id, error.cause))
            return
        except asyncio.CancelledError:
            if line is not None:
                await asyncio.shield(line.release())
            raise
        await self._serve(offer, profile.login, line, case)

    async def _serve(self, offer: Offer, agent: str, line: PhoneLine, case: Case) -> None:
        """The agent has taken it: connected, until the phone hangs up, which ends the talk if nothing else has."""
        self._lines[agent] = line
        try:
            await self._apply(Accept(offer.id))
            if self._has(agent, offer):
                await line.gone()
        finally:
            del self._lines[agent]
            await asyncio.shield(line.release())
            if case.talk is not None and case.talk.worker.id == agent:
                case.talk.end()

    def _briefing(self, case: Case) -> Briefing:
        language = case.caller.context.language
        return Briefing(case.caller.voice, spoken(briefing(case.caller.summary(), language), language), language)

    def _over(self, offer: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(offer, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the offer to a desk phone failed", exc_info=error)
