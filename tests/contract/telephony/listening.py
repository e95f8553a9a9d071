"""What tests do with a leg: take the next call, hear for a while, collect its events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from telephony.leg import FRAME_MS, Digit, Ended, Endpoint, Leg, LegEvent

DEADLINE_S = 10.0


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something that tells nobody when it changes is so: a port, a capture, a count."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            now = condition()
            if now if isinstance(now, bool) else await now:
                return
            await asyncio.sleep(0.02)


class Doorbell:
    """Takes the calls of an endpoint, in order."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.legs: asyncio.Queue[Leg] = asyncio.Queue()
        endpoint.on_incoming(self.legs.put_nowait)

    async def ring(self) -> Leg:
        """The next inbound leg."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.legs.get()


async def all_events(leg: Leg) -> list[LegEvent]:
    """Events until the end, which must come."""
    async with asyncio.timeout(DEADLINE_S):
        return [event async for event in leg.events()]


async def ended(leg: Leg) -> Ended:
    """The last event."""
    last = (await all_events(leg))[-1]
    assert isinstance(last, Ended)
    return last


async def digits(leg: Leg, count: int) -> str:
    """The next `count` keys."""
    keys = ""
    async with asyncio.timeout(DEADLINE_S):
        async for event in leg.events():
            keys += event.key if isinstance(event, Digit) else ""
            if len(keys) >= count:
                return keys
    return keys


async def hear(leg: Leg, samples: int) -> bytes:
    """`samples` of received audio, read as the media thread does."""
    pcm = bytearray()
    async with asyncio.timeout(DEADLINE_S):
        while len(pcm) < 2 * samples:
            pcm += leg.read(samples - len(pcm) // 2)
            await asyncio.sleep(FRAME_MS / 1000)
    return bytes(pcm)


async def speak(leg: Leg, samples: NDArray[np.int16]) -> None:
    """Write all of `samples`, as far ahead as the leg takes it."""
    pcm = samples.astype("<i2").tobytes()
    async with asyncio.timeout(DEADLINE_S):
        while pcm:
            pcm = pcm[2 * leg.write(pcm) :]
            await asyncio.sleep(FRAME_MS / 1000)
