"""The threads of one kind of voice, and who is served next.

Work comes in steps: a sentence, or a chunk of one. A step that would soon be too late for a caller who is listening
goes first; then what nobody has heard anything of yet, in the order in which it was asked for; then the steps of those
who have enough to listen to, the shortest supply first. So many calls begin early, and none stutters for it as long as
the machine can keep up at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

URGENT_S = 0.2
"""A listener with less sound ahead than this is served before newcomers; a chunk takes about half of it."""


T = TypeVar("T")


class Playback:
    """Until when a caller has something to hear, if it is played as soon as it is there; None before the first."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.dry_at = time.monotonic() + ahead_s if ahead_s > 0 else None

    def heard(self, seconds: float) -> None:
        """So much more has been handed on."""
        now = time.monotonic()
        self.dry_at = max(now, self.dry_at or now) + seconds

    def ahead_s(self) -> float:
        """Sound that was handed on and is still to be heard."""
        return max(0.0, self.dry_at - time.monotonic()) if self.dry_at else 0.0


@dataclass(eq=False)
class _Step:
    work: Callable[[], Any]
    dry_at: float | None
    result: asyncio.Future[Any]
    asked_at: float = field(default_factory=time.monotonic)

    def turn(self, now: float) -> tuple[int, float]:
        if self.dry_at is None:
            return 1, self.asked_at
        return (0 if self.dry_at - now < URGENT_S else 2), self.dry_at


class Lane:
    """`threads` threads. To be used from one event loop."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._queue: list[_Step] = []
        self._running: list[_Step] = []

    async def run(self, work: Callable[[], T], dry_at: float | None = None) -> T:
        """The result of `work`, done on a thread when it is its turn. Cancelled while it waits, it is never done."""
        step = _Step(work, dry_at, asyncio.get_running_loop().create_future())
        self._queue.append(step)
        self._start()
        try:
            result: T = await step.result
            return result
        finally:
            if step in self._queue:
                self._queue.remove(step)

    def waiting(self) -> int:
        """Steps that wait or are under way; also those that nobody waits for any more, as long as they run."""
        return len(self._queue) + len(self._running)

    def oldest_at(self) -> float | None:
        """When the oldest of these was asked for."""
        return min((step.asked_at for step in (*self._queue, *self._running)), default=None)

    def close(self) -> None:
        """Drop what waits; what is under way is left to end by itself."""
        for step in self._queue:
            step.result.cancel()
        self._queue.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        while self._free and self._queue:
            now = time.monotonic()
            step = min(self._queue, key=lambda step: step.turn(now))
            self._queue.remove(step)
            self._free -= 1
            self._running.append(step)
            done = asyncio.get_running_loop().run_in_executor(self._pool, step.work)
            done.add_done_callback(lambda done, step=step: self._ended(step, done))  # type: ignore[misc]

    def _ended(self, step: _Step, done: asyncio.Future[Any]) -> None:
        self._free += 1
        self._running.remove(step)
        error = None if done.cancelled() else done.exception()
        if not step.result.done():
            if done.cancelled():
                step.result.cancel()
            elif error is not None:
                step.result.set_exception(error)
            else:
                step.result.set_result(done.result())
        self._start()
