"""Running services kept for the next question: bounded, each for one language, closed when they rest for long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from pipecat.services.ai_service import AIService

from voicebot.background import Background
from voicebot.engines.running import RunningService
from voicebot.errors import ServiceBusy, ServiceFailed

log = logging.getLogger(__name__)

REST_S = 60.0
GIVEN_BACK_S = 5.0


class Pool:
    """At most `limit` services, made by `make(language)`. `mend` brings one that was left in mid-question to rest."""

    def __init__(
        self,
        make: Callable[[str], AIService],
        limit: int,
        sample_rate: int,
        mend: Callable[[RunningService], Awaitable[None]] | None = None,
    ) -> None:
        self._make = make
        self._limit = limit
        self._sample_rate = sample_rate
        self._mend = mend
        self._resting: dict[RunningService, tuple[str, asyncio.TimerHandle]] = {}  # in the order they came to rest
        self._count = 0  # resting, in use, being opened or mended
        self._none = asyncio.Event()
        self._none.set()
        self._background = Background()
        self._closed = False

    @contextlib.asynccontextmanager
    async def lease(self, language: str) -> AsyncIterator[RunningService]:
        """A service for one question. Raises ServiceBusy, and ServiceFailed when it cannot be opened."""
        running = self._rested(language) or await self._open(language)
        try:
            yield running
        finally:
            self._take_back(running, language)

    def warm(self, language: str) -> None:
        """Have one ready before the first question."""
        ready = any(running.usable for running, (known, _) in self._resting.items() if known == language)
        if not self._closed and not ready:
            self._background.begin(self._prepare(language), "open a service")

    async def close(self) -> None:
        """All end; idempotent. Those in use are awaited for a while: their users have been told to give them back."""
        self._closed = True
        for running in list(self._resting):
            self._retire(running)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVEN_BACK_S):
                await self._none.wait()
        await self._background.done()

    def _rested(self, language: str) -> RunningService | None:
        for running, (known, timer) in reversed(self._resting.items()):
            if known == language and running.usable:
                timer.cancel()
                del self._resting[running]
                return running
        return None

    async def _open(self, language: str) -> RunningService:
        if self._closed:
            raise ServiceFailed("The service is closed.")
        if self._count >= self._limit and self._resting:
            self._retire(next(iter(self._resting)))
        if self._count >= self._limit:
            raise ServiceBusy(f"All {self._limit} connections to the service are in use.")
        self._counted(+1)
        running: RunningService | None = None
        try:
            running = RunningService(self._make(language), self._sample_rate)
            await running.open()
        except BaseException as error:
            self._counted(-1)
            if running is not None:
                self._background.begin(running.close(), "close a service")
            if isinstance(error, Exception) and not isinstance(error, ServiceFailed):
                raise ServiceFailed(f"The service cannot be made: {error}") from error
            raise
        return running

    async def _prepare(self, language: str) -> None:
        try:
            self._take_back(await self._open(language), language)
        except ServiceFailed as error:
            log.warning("a service could not be opened ahead: %s", error)

    def _take_back(self, running: RunningService, language: str) -> None:
        if running.usable and not self._closed:
            timer = asyncio.get_running_loop().call_later(REST_S, self._retire, running)
            self._resting[running] = (language, timer)
        elif running.spoilt and self._mend is not None and not self._closed:
            self._background.begin(self._mended(running, language, self._mend), "mend a service")
        else:
            self._end(running)

    async def _mended(
        self, running: RunningService, language: str, mend: Callable[[RunningService], Awaitable[None]]
    ) -> None:
        try:
            await mend(running)
        except (ServiceFailed, TimeoutError):
            self._end(running)
        else:
            self._take_back(running, language)

    def _retire(self, running: RunningService) -> None:
        _, timer = self._resting.pop(running)
        timer.cancel()
        self._end(running)

    def _end(self, running: RunningService) -> None:
        self._counted(-1)
        self._background.begin(running.close(), "close a service")

    def _counted(self, change: int) -> None:
        self._count += change
        if self._count:
            self._none.clear()
        else:
            self._none.set()
