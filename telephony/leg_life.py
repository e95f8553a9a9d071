"""State and event stream of one leg: what every adapter of `telephony.leg` shares.

Loop thread only. Moves are checked against `LEG_MOVES`, so that a late or repeated message of the network (a second
BYE, a digit after the end) changes nothing and is never seen by the consumer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator

from telephony.leg import (
    LEG_MOVES,
    Answered,
    Digit,
    EndCause,
    Ended,
    HeardAgain,
    Held,
    LegEvent,
    LegState,
    Ringing,
    Unheard,
)

logger = logging.getLogger(__name__)

# A leg has one Ringing, one Answered, one Ended; the others come in numbers a peer chooses. When nobody takes them, the
# newest of those kinds are dropped and counted: what was keyed first is what was asked for.
MAX_WAITING_EVENTS = 256
_COUNTLESS = (Digit, Held, Unheard, HeardAgain)

DTMF_KEYS = frozenset("0123456789*#ABCD")


class LegLife:
    """Where a leg is in its life, and the events that tell it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = LegState.RINGING
        self.was_up = False
        self.ended: Ended | None = None
        self.dropped_events = 0
        self._waiting: deque[LegEvent] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._rung = False
        self._drained = False
        self._settled = asyncio.Event()
        self._over = asyncio.Event()

    def ring(self) -> None:
        """The far phone rings; told once, and only while it can be true."""
        if self.state is LegState.RINGING and not self._rung:
            self._rung = True
            self._put(Ringing())

    def answer(self) -> bool:
        """Go up. False when the leg is up or over."""
        if not self._move(LegState.UP):
            return False
        self.was_up = True
        self._put(Answered())
        self._settled.set()
        return True

    def press(self, key: str) -> None:
        """A key of the far phone; signs that are no DTMF keys are dropped."""
        key = key.upper()
        if self.state is LegState.UP and key in DTMF_KEYS:
            self._put(Digit(key))

    def hold(self, on_hold: bool) -> None:
        """The far end holds the call, or takes it back."""
        if self.state is LegState.UP:
            self._put(Held(on_hold))

    def hearing(self, change: Unheard | HeardAgain) -> None:
        """The far end is not heard, or is again."""
        if self.state is LegState.UP:
            self._put(change)

    def end(self, cause: EndCause, detail: str = "") -> bool:
        """Be over. False when it was over before: the first cause stands."""
        if not self._move(LegState.ENDED):
            return False
        self.ended = Ended(cause, detail)
        self._put(self.ended)
        self._settled.set()
        self._over.set()
        return True

    async def settled(self) -> LegState:
        """Wait until the leg is no longer ringing; returns the state it is in then."""
        await self._settled.wait()
        return self.state

    async def over(self) -> None:
        """Wait until the leg has ended."""
        await self._over.wait()

    def events(self) -> AsyncIterator[LegEvent]:
        """The one stream of events. A consumer may stop and another go on from there, but not two at once."""
        return _EventStream(self)

    def _move(self, state: LegState) -> bool:
        if state not in LEG_MOVES[self.state]:
            return False
        self.state = state
        return True

    def _put(self, event: LegEvent) -> None:
        if len(self._waiting) >= MAX_WAITING_EVENTS and isinstance(event, _COUNTLESS):
            self.dropped_events += 1
            if self.dropped_events == 1:
                logger.warning("leg %s: nobody takes its events, further digits are dropped", self.name)
            return
        self._waiting.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def take(self) -> LegEvent | None:
        """The next event, None after `Ended` was taken. Raises RuntimeError for a second consumer at the same time."""
        while not self._waiting:
            if self._drained:
                return None
            if self._reader is not None:
                raise RuntimeError(f"the events of leg {self.name} have a consumer already")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        event = self._waiting.popleft()
        self._drained = isinstance(event, Ended)
        return event


class _EventStream(AsyncIterator[LegEvent]):
    def __init__(self, life: LegLife) -> None:
        self._life = life

    async def __anext__(self) -> LegEvent:
        event = await self._life.take()
        if event is None:
            raise StopAsyncIteration
        return event


def checked_keys(keys: str) -> str:
    """`keys` in capitals. Raises ValueError for signs that are no DTMF keys."""
    keys = keys.upper()
    strange = sorted(set(keys) - DTMF_KEYS)
    if strange:
        raise ValueError(f"not DTMF keys: {' '.join(strange)}")
    return keys
