"""From the start to the end of whatever serves calls, as signals want it."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass, field
from typing import Any, Protocol

from voicebot.background import cancelled

log = logging.getLogger(__name__)


class Served(Protocol):
    """What answers calls: `App`, or several workers."""

    failed: asyncio.Future[None]

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reload(self) -> None: ...
    def hurry(self) -> None: ...


@dataclass(frozen=True)
class Wishes:
    """What whoever runs it wants: an end after the calls, an end at once, the bots anew (`serve` clears that one)."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)

    def follow_signals(self) -> None:
        """SIGTERM and SIGINT end it, the second one at once; SIGHUP loads the bots anew."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.end)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)

    def end(self) -> None:
        (self.hurry if self.stop.is_set() else self.stop).set()


async def serve(served: Served, wishes: Wishes) -> None:
    """Start it, and serve until it is to end. Raises what start raises, and EndpointLost."""
    stopping = asyncio.create_task(wishes.stop.wait(), name="until stopped")
    starting = asyncio.create_task(served.start(), name="start")
    hurrying = asyncio.create_task(_hurry(served, wishes.hurry), name="hurry")
    reloading: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            waited: set[asyncio.Future[Any]] = {stopping, served.failed}
            reloading = asyncio.create_task(_reload(served, wishes.reload), name="reload")
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*(task for task in (starting, stopping, reloading) if task is not None))
        await served.stop()
        await cancelled(hurrying)
    if served.failed.done():
        served.failed.result()


async def _hurry(served: Served, wanted: asyncio.Event) -> None:
    await wanted.wait()
    log.warning("told to end at once")
    served.hurry()


async def _reload(served: Served, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await served.reload()
