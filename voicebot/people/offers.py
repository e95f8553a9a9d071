"""How an offer reaches an agent at a desk phone: ring it, brief, ask, and watch it until it hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from telephony.leg import Leg
from voicebot import events
from voicebot.announce import Span
from voicebot.background import Background
from voicebot.errors import NotReached
from voicebot.events import CallEvent
from voicebot.parts import Services, Voice
from voicebot.people.case import Case
from voicebot.people.phones import Briefing, PhoneLine, StarKeys, ask, ring
from voicebot.queueing.happenings import Accept, Decline, Event, OfferFailed
from voicebot.queueing.model import Offer, Profile
from voicebot.summary import briefing, sip_headers

log = logging.getLogger(__name__)

Apply = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True)
class Offered:
    """What an agent at a desk phone is told of what is offered. `publish` writes into the record of the call."""

    queue: str
    caller: str
    language: str
    voice: Voice
    headers: Callable[[], Mapping[str, str]]
    words: Callable[[], Sequence[Span]]
    publish: Callable[..., None]


def offered_case(case: Case) -> Offered:
    """A caller who waits. What is told of them is asked for when the phone has answered: more may be known by then."""
    caller, context = case.caller, case.caller.context

    def words() -> Sequence[Span]:
        return briefing(caller.summary(), context.language)

    headers = partial(headers_of, case)
    return Offered(caller.queue, context.caller, context.language, caller.voice, headers, words, context.publish)


def headers_of(case: Case) -> Mapping[str, str]:
    """What whoever is rung about a caller is told in the INVITE: headers that came with the caller, and our own."""
    return {**case.caller.context.headers, **sip_headers(case.caller.summary())}


class DeskPhones:
    """One task an offer, from the first ring until the phone hangs up."""

    def __init__(
        self,
        services: Services,
        apply: Apply,
        has: Callable[[str, Offer], bool],
        hung_up: Callable[[str], None],
        pressed: Callable[[str, str], None],
    ) -> None:
        """`has(agent, offer)`: whether the agent has got what was offered. `hung_up(agent)`: who had taken something.

        `pressed(agent, key)`: star and that key, in a talk.
        """
        self._services = services
        self._apply = apply
        self._has = has
        self._hung_up = hung_up
        self._pressed = pressed
        self._lines: dict[str, PhoneLine] = {}  # by agent
        self._offers: dict[str, asyncio.Task[None]] = {}  # by id
        self._background = Background()

    def start(self, offer: Offer, profile: Profile, offered: Offered) -> None:
        task = self._background.begin(self._offer(offer, profile, offered), f"desk phone {offer.id}")
        self._offers[offer.id] = task
        task.add_done_callback(lambda done: self._offers.pop(offer.id))

    def stop(self, offer: Offer) -> None:
        """The offer is withdrawn: stop ringing, or hang up on an agent who is deciding."""
        if (task := self._offers.get(offer.id)) is not None:
            task.cancel()

    async def fetch(self, agent: str, phone: str, caller: str, ring_s: float) -> None:
        """Ring an agent who has taken something and is not on the phone yet; they are when it returns.

        Raises NotReached.
        """
        line = await ring(self._services.outbound, phone, caller=caller, headers={}, timeout_s=ring_s)
        self._lines[agent] = line
        self._background.begin(self._until_gone(agent, line), f"desk phone {agent}")

    def leg(self, agent: str) -> Leg | None:
        """Of a phone whose agent has taken an offer."""
        line = self._lines.get(agent)
        return line.leg if line is not None else None

    async def release(self, agent: str) -> None:
        """The talk is over: hang up, which ends the task."""
        if (line := self._lines.get(agent)) is not None:
            await line.release()

    async def close(self) -> None:
        await self._background.close()

    async def _offer(self, offer: Offer, profile: Profile, offered: Offered) -> None:
        def tell(kind: type[CallEvent], **values: Any) -> None:
            offered.publish(kind, uri=profile.phone, agent=profile.login, name=profile.name, **values)

        tell(events.AgentCalled)
        line: PhoneLine | None = None
        try:
            queue = self._services.config.queue(offered.queue)
            line = await ring(
                *(self._services.outbound, profile.phone),
                caller=offered.caller,
                headers=offered.headers(),
                timeout_s=queue.ring_s,
            )
            tell(events.AgentAnswered)
            told = Briefing(offered.voice, offered.words(), offered.language)
            await ask(line, self._services.media, told, queue.decide_s)
        except NotReached as error:
            if line is not None:
                await line.release()
            tell(events.AgentRefused, cause=error.cause)
            declined = error.cause == "declined"
            await self._apply(Decline(offer.id) if declined else OfferFailed(offer.id, error.cause))
            return
        except asyncio.CancelledError:
            if line is not None:
                await asyncio.shield(line.release())
            raise
        await self._serve(offer, profile.login, line)

    async def _serve(self, offer: Offer, agent: str, line: PhoneLine) -> None:
        """The agent has taken it: connected, until the phone hangs up, which ends the talk if nothing else has."""
        self._lines[agent] = line
        try:
            await self._apply(Accept(offer.id))
        except BaseException:
            del self._lines[agent]
            await asyncio.shield(line.release())
            raise
        if self._has(agent, offer):
            await self._until_gone(agent, line)
        else:
            del self._lines[agent]
            await line.release()

    async def _until_gone(self, agent: str, line: PhoneLine) -> None:
        try:
            await line.gone(StarKeys(lambda key: self._pressed(agent, key)).press)
        finally:
            if self._lines.get(agent) is line:
                del self._lines[agent]
            await asyncio.shield(line.release())
            self._hung_up(agent)
