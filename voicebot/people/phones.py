"""Agents at desk phones: rung, briefed in a few words, asked; who presses 1 gets the caller."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from telephony.errors import TelephonyError
from telephony.leg import Digit, Ended, Leg, LegEvent
from telephony.media import MediaThread
from voicebot.announce import Span, announce
from voicebot.errors import NotReached
from voicebot.outbound import Outbound
from voicebot.parts import Voice

log = logging.getLogger(__name__)

TAKE, DECLINE = "1", "2"


@dataclass(frozen=True)
class Briefing:
    """What an agent hears after answering."""

    voice: Voice
    words: Sequence[Span]
    language: str


class PhoneLine:
    """A desk phone that has answered. Its signals are read here to the end, so that it is known when it hangs up."""

    def __init__(self, leg: Leg, signals: AsyncIterator[LegEvent]) -> None:
        self.leg = leg
        self._signals = signals

    async def decision(self) -> None:
        """Returns when the agent takes the call. Raises NotReached: declined, or why the phone is gone."""
        async for signal in self._signals:
            match signal:
                case Digit(key) if key == TAKE:
                    return
                case Digit(key) if key == DECLINE:
                    raise NotReached("declined")
                case Ended(cause):
                    raise NotReached(str(cause))
        raise NotReached("ended")

    async def gone(self, pressed: Callable[[str], None] = lambda key: None) -> None:
        """Returns when the phone has hung up. `pressed` is told of its keys."""
        async for signal in self._signals:
            match signal:
                case Ended():
                    return
                case Digit(key):
                    pressed(key)

    async def release(self) -> None:
        """Hang up. Idempotent; never raises."""
        await hang_up(self.leg)


class StarKeys:
    """Keys that mean something in a talk begin with a star; `told` gets the one after it."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._after_star = False

    def press(self, key: str) -> None:
        if self._after_star and key != "*":
            self._told(key)
        self._after_star = key == "*"


async def ring(outbound: Outbound, to: str, *, caller: str, headers: Mapping[str, str], timeout_s: float) -> PhoneLine:
    """See Outbound.dial."""
    leg = await outbound.dial(to, caller=caller, headers=headers, timeout_s=timeout_s)
    return PhoneLine(leg, leg.events())


async def ask(line: PhoneLine, media: MediaThread, briefing: Briefing, decide_s: float) -> None:
    """Brief the agent in a room of their own until a key is pressed. Raises NotReached: declined, no_decision, ..."""
    room = media.open_room(line.leg.sample_rate)
    member = room.join(line.leg)
    announcing = announce(room, briefing.voice, briefing.words, briefing.language)
    speaking = asyncio.create_task(announcing, name="briefing")
    try:
        async with asyncio.timeout(decide_s):
            await line.decision()
    except TimeoutError:
        raise NotReached("no_decision") from None
    finally:
        speaking.cancel()
        (outcome,) = await asyncio.gather(speaking, return_exceptions=True)
        if isinstance(outcome, Exception):
            log.error("the briefing failed", exc_info=outcome)
        room.leave(member)
        room.close()


async def hang_up(leg: Leg) -> None:
    """End a leg; trouble is logged."""
    try:
        await leg.hang_up()
    except TelephonyError as error:
        log.warning("hanging up %s failed: %s", leg.remote, error)
