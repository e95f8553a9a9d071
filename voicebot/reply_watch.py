"""Never dumb: whoever has said something hears something soon, whatever part of the bot is slow or stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LATE_S = 1.5  # the caller hears that it takes a moment
LOST_S = 12.0  # longer than any part's own deadline: it will not come any more


class ReplyWatch:
    """Follows a turn of the caller through the stages until the bot is heard. Belongs to one conversation.

    on_late(stage) is called once a turn when nothing was heard for LATE_S, on_lost(stage) after LOST_S; `stage` is
    where the turn was by then: recognition, dialog, or speech.
    """

    def __init__(self, on_late: Callable[[str], None], on_lost: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_late, self._on_lost = on_late, on_lost
        self._stage = ""
        self._timers: list[asyncio.TimerHandle] = []

    def begin(self, stage: str) -> None:
        """The caller has said or pressed something, which is in `stage` now."""
        self.done()
        self._stage = stage
        self._timers = [
            self._loop.call_later(LATE_S, lambda: self._on_late(self._stage)),
            self._loop.call_later(LOST_S, lambda: self._on_lost(self._stage)),
        ]

    def reach(self, stage: str) -> None:
        """The turn has come so far."""
        self._stage = stage

    def done(self) -> None:
        """The answer is heard, or none is due. Idempotent."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []
