"""Giving a call to people: one agent after another is rung, briefed and asked; who presses 1 gets the caller.

RINGING -> BRIEFING   the agent's phone was answered
RINGING -> REFUSED    busy, declined, no answer, unreachable
BRIEFING -> JOINED    key 1
BRIEFING -> REFUSED   key 2, hung up, or no key in time
JOINED -> DONE        one of the two has hung up
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from enum import StrEnum

from telephony.errors import DialFailed, TelephonyError
from telephony.leg import Digit, Ended, Leg, LegEvent
from telephony.music import HoldMusic
from telephony.room import Room
from voicebot import events
from voicebot.announce import announce
from voicebot.parts import CallContext, RunningBot, Services
from voicebot.people_settings import AgentSettings, QueueSettings

log = logging.getLogger(__name__)

TAKE, DECLINE = "1", "2"


class Offer(StrEnum):
    """Where the offer to one agent stands."""

    RINGING = "ringing"
    BRIEFING = "briefing"
    JOINED = "joined"
    REFUSED = "refused"
    DONE = "done"


OFFER_MOVES: dict[Offer, frozenset[Offer]] = {
    Offer.RINGING: frozenset({Offer.BRIEFING, Offer.REFUSED}),
    Offer.BRIEFING: frozenset({Offer.JOINED, Offer.REFUSED}),
    Offer.JOINED: frozenset({Offer.DONE}),
    Offer.REFUSED: frozenset(),
    Offer.DONE: frozenset(),
}


class HandoffToPeople:
    """One handoff of one caller, who waits in `room`. Cancelling it frees the agent."""

    def __init__(
        self,
        services: Services,
        bot: RunningBot,
        context: CallContext,
        room: Room,
        queue: QueueSettings,
        briefing: Callable[[], str],
    ) -> None:
        """`briefing` gives what an agent hears, as it is when they have answered."""
        self._services = services
        self._bot = bot
        self._context = context
        self._room = room
        self._queue = queue
        self._briefing = briefing

    async def run(self) -> bool:
        """True when an agent has talked with the caller until one hung up, False when nobody took the call."""
        self._room.set_music(HoldMusic(self._room.sample_rate))
        try:
            for agent in self._queue.agents:
                if self._context.language in agent.languages and await self._offer(agent) is Offer.DONE:
                    return True
        finally:
            self._room.set_music(None)
        return False

    async def _offer(self, agent: AgentSettings) -> Offer:
        state = Offer.RINGING
        self._context.publish(events.AgentCalled, uri=agent.uri)
        try:
            leg = await self._services.endpoint.dial(
                agent.uri,
                caller=self._context.caller,
                headers={"X-Voicebot-Call": self._context.call_id},
                timeout_s=self._queue.ring_s,
            )
        except DialFailed as error:
            self._context.publish(events.AgentRefused, uri=agent.uri, cause=str(error.cause))
            return _move(state, Offer.REFUSED)
        state = _move(state, Offer.BRIEFING)
        self._context.publish(events.AgentAnswered, uri=agent.uri)
        try:
            signals = leg.events()
            cause = await self._ask(leg, signals)
            if cause is not None:
                self._context.publish(events.AgentRefused, uri=agent.uri, cause=cause)
                return _move(state, Offer.REFUSED)
            state = _move(state, Offer.JOINED)
            await self._talk(agent, leg, signals)
            return _move(state, Offer.DONE)
        finally:
            await asyncio.shield(_hang_up(leg))

    async def _ask(self, leg: Leg, signals: AsyncIterator[LegEvent]) -> str | None:
        """Brief the agent in a room of their own. None: taken; else why not."""
        room = self._services.media.open_room(leg.sample_rate)
        member = room.join(leg)
        voice = self._services.voice_for(self._context, self._bot)
        announcing = announce(room, voice, self._briefing(), self._context.language)
        speaking = asyncio.create_task(announcing, name="briefing")
        try:
            async with asyncio.timeout(self._queue.decide_s):
                return await _decision(signals)
        except TimeoutError:
            return "no_decision"
        finally:
            speaking.cancel()
            (outcome,) = await asyncio.gather(speaking, return_exceptions=True)
            if isinstance(outcome, Exception):
                log.error("the briefing failed", exc_info=outcome)
            room.leave(member)
            room.close()

    async def _talk(self, agent: AgentSettings, leg: Leg, signals: AsyncIterator[LegEvent]) -> None:
        self._room.set_music(None)
        member = self._room.join(leg)
        self._context.publish(events.AgentJoined, uri=agent.uri)
        try:
            async for signal in signals:
                if isinstance(signal, Ended):
                    return
        finally:
            self._room.leave(member)


async def _decision(signals: AsyncIterator[LegEvent]) -> str | None:
    async for signal in signals:
        match signal:
            case Digit(key) if key == TAKE:
                return None
            case Digit(key) if key == DECLINE:
                return "declined"
            case Ended(cause):
                return str(cause)
    return "ended"


async def _hang_up(leg: Leg) -> None:
    try:
        await leg.hang_up()
    except TelephonyError as error:
        log.warning("hanging up %s failed: %s", leg.remote, error)


def _move(state: Offer, to: Offer) -> Offer:
    if to not in OFFER_MOVES[state]:
        raise AssertionError(f"an offer cannot go from {state} to {to}")
    return to
