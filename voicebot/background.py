"""Tasks that nobody waits for, kept until they end or are to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def tell_watch_ended(watching: asyncio.Task[None]) -> None:
    """When it is done: what ended a task that was to go on is told in the log."""
    if not watching.cancelled() and (error := watching.exception()) is not None:
        log.error("the task to %s has ended", watching.get_name(), exc_info=error)


class Background:
    """Of one owner, who closes it. What a task raises is told in the log. Belongs to the event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def done(self) -> None:
        """Wait until all have ended, and those that they began."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancel all of them, and wait."""
        for task in self._tasks:
            task.cancel()
        await self.done()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
