"""A media thread without a thread: the test moves the clock, and scripted legs show what reached the wire and when."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from telephony.leg import Leg, LegEvent, LegState, MediaStats
from telephony.media import MediaThread
from telephony.player import PlayerEvent
from telephony.room import Room

FRAME_S = 0.020


def tone(seconds: float, sample_rate: int = 8000, hz: float = 440.0, peak: int = 8000) -> bytes:
    at = np.arange(int(seconds * sample_rate)) / sample_rate
    return np.rint(peak * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes()


def ramp(n_samples: int, start: int = 1) -> bytes:
    """Samples that name their own place."""
    return (np.arange(start, start + n_samples) % 30000).astype("<i2").tobytes()


def level(n_samples: int, value: int) -> bytes:
    return np.full(n_samples, value, dtype="<i2").tobytes()


def values(pcm: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.frombuffer(pcm, dtype="<i2")


class ScriptedLeg(Leg):
    """`incoming` holds what each read gives (nothing when it is empty, or an error to raise); `wire` what was sent."""

    def __init__(self, clock: Callable[[], float], sample_rate: int = 8000, name: str = "leg") -> None:
        self.id = name
        self.direction = "inbound"
        self.remote = self.remote_number = self.dialled = ""
        self.headers = {}
        self.incoming: deque[bytes | Exception] = deque()
        self.up = LegState.UP
        self.write_error: Exception | None = None
        self.taking = True  # False: on hold
        self.wire = bytearray()
        self.buffered = bytearray()
        self.deepest_ms = 0.0
        self.flushes = 0
        self._rate = sample_rate
        self._clock = clock
        self._sent_until: float | None = None

    @property
    def state(self) -> LegState:
        return self.up

    @property
    def sample_rate(self) -> int:
        return self._rate

    def read(self, max_samples: int) -> bytes:
        if not self.incoming:
            return b""
        item = self.incoming.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    def write(self, pcm: bytes) -> int:
        if self.write_error is not None:
            raise self.write_error
        self.settle()
        if not self.taking:
            self.buffered.clear()
            return 0
        if self._sent_until is None:
            self._sent_until = self._clock()
        self.buffered += pcm
        self.deepest_ms = max(self.deepest_ms, len(self.buffered) / 2 / self._rate * 1000)
        return len(pcm) // 2

    def flush(self) -> None:
        self.settle()
        self.buffered.clear()
        self.flushes += 1

    def settle(self) -> None:
        """Send what is due by now: audio, or silence where there is none."""
        if self._sent_until is None:
            return
        due = round((self._clock() - self._sent_until) * self._rate) * 2
        sent = self.buffered[:due]
        self.wire += sent + bytes(due - len(sent))
        del self.buffered[:due]
        self._sent_until += due / 2 / self._rate

    def events(self) -> AsyncIterator[LegEvent]:
        raise NotImplementedError

    async def answer(self) -> None: ...

    async def reject(self) -> None: ...

    async def hang_up(self) -> None: ...

    async def send_digits(self, keys: str) -> None: ...

    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None: ...

    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        raise NotImplementedError

    def media_stats(self) -> MediaStats:
        return MediaStats("pcma", 0, 0, 0, 0.0)


class InstantLoop:
    """Runs callbacks where they are posted."""

    def call_soon_threadsafe(self, callback: Callable[..., None], *args: object) -> None:
        callback(*args)


class Rig(MediaThread):
    """A media thread whose clock stands still until `run` or `stall` moves it."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.time = 1000.0
        super().__init__(loop or InstantLoop())  # type: ignore[arg-type]
        self._clock.deadline = self.time + FRAME_S - 1e-4
        self.events: list[PlayerEvent] = []

    def now(self) -> float:
        return self.time

    def leg(self, sample_rate: int = 8000, name: str = "leg") -> ScriptedLeg:
        return ScriptedLeg(self.now, sample_rate, name)

    def room_with(self, *legs: ScriptedLeg, sample_rate: int = 8000) -> Room:
        room = self.open_room(sample_rate)
        for leg in legs:
            room.join(leg)
        return room

    def run(self, ticks: int) -> None:
        """Let that many tick intervals pass, punctually."""
        for _ in range(ticks):
            self._advance(FRAME_S)

    def stall(self, seconds: float) -> None:
        """Nothing runs for that long, then the thread catches up as it does in life."""
        self._advance(seconds)

    def _advance(self, seconds: float) -> None:
        self.time = round(self.time + seconds, 6)
        for _ in range(self._clock.due(self.time)):
            self.tick(self.time)
