"""A simulated person at one end of a call: a mouth, an ear, and the knowledge that the line is dead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from telephony.leg import EndCause, Ended, Leg, LegState
from telephony.media import MediaThread
from telephony.player import PlaybackStarted, PlayerEvent
from voicebot.caller.capture import SAMPLE_RATE
from voicebot.caller.ear import Ear

_HANG_UP_S = 5.0


@dataclass(frozen=True)
class Spoken:
    """When a line was on the wire, Unix seconds."""

    started_at: float
    ended_at: float


class Person:
    """Takes part in the call of `leg`, which is up. A context manager that hangs up at the end."""

    def __init__(self, media: MediaThread, leg: Leg) -> None:
        self.leg = leg
        self.ear = Ear(asyncio.get_running_loop())
        self._room = media.open_room(SAMPLE_RATE)
        self._room.join(leg).tap(self.ear.hear)
        self._mouth = self._room.add_player(self._played)
        self._surroundings = self._room.add_player(lambda event: None)
        self._lines = 0
        self._started_at = 0.0
        self._spoken = asyncio.Event()
        self._ended = asyncio.create_task(self._watch(), name=f"watch {leg.id}")

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            async with asyncio.timeout(_HANG_UP_S):
                await self.leg.hang_up()
        except TimeoutError:
            pass  # the endpoint takes its legs down when it stops
        finally:
            self._ended.cancel()
            await asyncio.wait({self._ended})
            self._room.close()

    async def until_hung_up(self, conversation: Coroutine[Any, Any, None]) -> Ended | None:
        """Hold the conversation. Returns how the other side ended it, or None when it went to its own end."""
        talking = asyncio.create_task(conversation, name=f"talk {self.leg.id}")
        try:
            await asyncio.wait({talking, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                talking.result()
                if self.leg.state is not LegState.ENDED:
                    return None
            # Both can come to their end in the same breath: then it was the other side that ended the call.
            return await self._ended
        finally:
            talking.cancel()
            await asyncio.wait({talking})

    async def hang_up_of_the_other(self) -> Ended:
        """Return when the other side has ended the call."""
        return await asyncio.shield(self._ended)

    async def say(self, pcm: bytes) -> Spoken:
        """Speak (PCM at 8000 Hz) and return when the last of it is on the wire."""
        self._lines += 1
        name = f"line {self._lines}"
        self._spoken.clear()
        self._started_at = time.time()
        self._mouth.play(name, pcm)
        self._mouth.end(name)
        await self._spoken.wait()
        return Spoken(self._started_at, time.time())

    def surround(self, pcm: bytes) -> None:
        """Sound beneath what is said, from now on."""
        name = f"noise {time.monotonic_ns()}"
        self._surroundings.play(name, pcm)
        self._surroundings.end(name)

    def _played(self, event: PlayerEvent) -> None:
        if isinstance(event, PlaybackStarted):
            self._started_at = time.time()
        else:
            self._spoken.set()

    async def _watch(self) -> Ended:
        async for event in self.leg.events():
            if isinstance(event, Ended):
                return event
        return Ended(EndCause.FAILED, "the leg went without a word")
