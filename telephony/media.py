"""The media thread: the only clock that the wire depends on.

One thread per worker moves 20 ms of audio for every room at every tick of its own monotonic clock. The event loop may
stall for hundreds of milliseconds, calls may fail, taps may raise: the other calls do not hear it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from telephony.leg import Leg
from telephony.player import PlayerEvent
from telephony.port import FRAME_S, MAX_LEAD_S, Port
from telephony.room import Room

logger = logging.getLogger(__name__)

_CATCH_UP_TICKS = round(MAX_LEAD_S / FRAME_S)  # more at once would be written too far ahead
_PARKED_S = 1.0
_STOP_DEADLINE_S = 2.0
_KEPT_TICKS = 3000  # one minute
_CALM_TICKS = 500
_CALM_S = 0.010
# How long a thread that computes in Python may keep the media thread from waking up (5 ms by default; a thread that
# reads and writes 100 legs gives the GIL away many times a tick). Measured in docs/adr/0003-media-thread.md.
_SWITCH_INTERVAL_S = 0.001
_PRIORITY = 1
_NICE = -11


@dataclass(frozen=True)
class LatenessStats:
    """How late ticks began in the last minute, in milliseconds, and how many were left out since the start."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    ticks_skipped: int


class TickClock:
    """Absolute deadlines every 20 ms. Pure: the caller brings the time (seconds, monotonic)."""

    def __init__(self, start: float) -> None:
        self.deadline = start
        self.skipped = 0
        self._late_s = np.zeros(_KEPT_TICKS, dtype=np.float32)
        self._ticks = 0
        self._disturbed_at = 0

    def due(self, now: float) -> int:
        """Ticks to be run at `now`; after a stall no more than the wire can take, the others are skipped."""
        late = now - self.deadline
        if late < 0:
            return 0
        ticks = 1 + int(late / FRAME_S)
        overdue = np.arange(max(0, ticks - _KEPT_TICKS), ticks)  # each tick of a stall is late, by ever less
        self._late_s[(self._ticks + overdue) % _KEPT_TICKS] = late - overdue * FRAME_S
        self._ticks += ticks
        if late > _CALM_S:
            self._disturbed_at = self._ticks
        self.deadline += ticks * FRAME_S
        excess = max(0, ticks - _CATCH_UP_TICKS)
        self.skipped += excess
        return ticks - excess

    @property
    def calm(self) -> bool:
        """No tick was more than 10 ms late in the last 10 s."""
        return self._ticks - self._disturbed_at > _CALM_TICKS

    def late_p95_ms(self, seconds: float) -> float:
        """Of the last seconds, at most of the last minute; 0 before the first tick."""
        late_ms = self._newest_ms(round(seconds / FRAME_S))
        return float(np.percentile(late_ms, 95)) if len(late_ms) else 0.0

    def stats(self) -> LatenessStats:
        """Of the last minute."""
        late_ms = self._newest_ms(_KEPT_TICKS)
        if not len(late_ms):
            return LatenessStats(0.0, 0.0, 0.0, 0)
        p50, p99, worst = np.percentile(late_ms, (50, 99, 100))
        return LatenessStats(float(p50), float(p99), float(worst), self.skipped)

    def _newest_ms(self, ticks: int) -> npt.NDArray[np.float32]:
        places = self._ticks - 1 - np.arange(min(ticks, self._ticks, _KEPT_TICKS))
        return 1000 * self._late_s[places % _KEPT_TICKS]


class MediaThread:
    """Runs all rooms of a worker. `start` and `stop` are idempotent; once stopped it stays so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clock = TickClock(self.now())
        self._commands: deque[Callable[[], None]] = deque()
        self._rooms: list[Room] = []
        self._parked: dict[Leg, tuple[Port, float]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._switch_interval_s = 0.0

    def start(self) -> None:
        """Begin to tick, with real-time priority where the system allows it, and a short GIL interval meanwhile."""
        if self._thread is not None or self._stopping.is_set():
            return
        self._switch_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_interval_s, _SWITCH_INTERVAL_S))
        self._clock = TickClock(self.now() + FRAME_S)
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for it for at most 2 s."""
        if self._thread is not None and not self._stopping.is_set():
            sys.setswitchinterval(self._switch_interval_s)
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_STOP_DEADLINE_S)
            if self._thread.is_alive():
                logger.error("the media thread did not end within %s s", _STOP_DEADLINE_S)
        self._commands.clear()

    def open_room(self, sample_rate: int) -> Room:
        """A new, empty room."""
        room = Room(sample_rate, self)
        self.submit(lambda: self._rooms.append(room))
        return room

    @property
    def lateness(self) -> LatenessStats:
        """Punctuality of the last minute."""
        return self._clock.stats()

    def late_p95_ms(self, seconds: float) -> float:
        """How late ticks began in the last seconds, at the 95th percentile, or how long one is overdue by now."""
        return max(self._clock.late_p95_ms(seconds), 1000 * (self.now() - self._clock.deadline))

    def now(self) -> float:
        """Seconds on the clock of the ticks (monotonic)."""
        return time.monotonic()

    def submit(self, command: Callable[[], None]) -> None:
        """Run `command` on the media thread at the start of the next tick, in the order of submission."""
        if not self._stopping.is_set():
            self._commands.append(command)

    def post(self, callback: Callable[[PlayerEvent], None], event: PlayerEvent) -> None:
        """Run `callback(event)` on the event loop; a loop that is gone needs no events."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, event)

    def borrow(self, leg: Leg, sample_rate: int) -> Port:
        """Media thread: the port of a leg; one that changes rooms keeps what it has received and written."""
        parked = self._parked.pop(leg, None)
        if parked is None:
            return Port(leg, sample_rate)
        parked[0].retune(sample_rate)
        return parked[0]

    def give_back(self, port: Port) -> None:
        """Media thread: keep the port for a moment, its leg may be on its way to another room."""
        self._parked[port.leg] = (port, self.now() + _PARKED_S)

    def remove(self, room: Room) -> None:
        """Media thread: forget a room."""
        if room in self._rooms:
            self._rooms.remove(room)

    def tick(self, now: float) -> None:
        """Carry out commands and move 20 ms in every room. The thread calls it; nobody else may while it runs."""
        for _ in range(len(self._commands)):
            try:
                self._commands.popleft()()
            except Exception:
                logger.exception("a command to the media thread failed")
        calm = self._clock.calm
        for room in tuple(self._rooms):
            try:
                room.tick(now, calm)
            except Exception:
                logger.exception("a room failed and is closed")
                self._rooms.remove(room)
                room.close()
        if self._parked:
            self._parked = {leg: kept for leg, kept in self._parked.items() if kept[1] > now}

    def _run(self) -> None:
        _raise_priority()
        while not self._stopping.is_set():
            wait_s = self._clock.deadline - self.now()
            if wait_s > 0:
                time.sleep(wait_s)
            now = self.now()
            for _ in range(self._clock.due(now)):
                self.tick(now)


def _raise_priority() -> None:
    """Ask for real-time scheduling of this thread, else for a better nice value, else go on without."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        return
    except (OSError, AttributeError):
        logger.debug("no real-time priority for the media thread")
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    except (OSError, AttributeError):
        logger.info("the media thread runs with normal priority: the process may not raise it")
