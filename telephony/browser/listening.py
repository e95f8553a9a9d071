"""Listening to a room: encoded once, sent to any number of browsers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from telephony.browser.opus import OpusEncoder
from telephony.browser.outbound import Encoded
from telephony.pcm import frame_samples
from telephony.room import Room

# Frames of 20 ms. What the loop or a listener's connection is behind by more than this is left out, the oldest first: a
# listener hears what is said now.
MAX_WAITING_FRAMES = 10


class Listening:
    """The mix of one room for those who only listen. While nobody does, it does nothing.

    Event loop only; the room's tap, on the media thread, hands frames over.
    """

    def __init__(self, room: Room, loop: asyncio.AbstractEventLoop) -> None:
        self._room = room
        self._loop = loop
        self._frame = frame_samples(room.sample_rate)
        self._listeners: list[Subscription] = []
        self._untap: Callable[[], None] | None = None
        self._encoder = OpusEncoder(room.sample_rate)
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=MAX_WAITING_FRAMES)
        self._woken = False
        self._position: int | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def subscribe(self) -> Subscription:
        """One more who listens, from the next frame on, until it is closed."""
        listener = Subscription(self._leave)
        self._listeners.append(listener)
        if self._untap is None:
            self._position = None
            self._untap = self._room.tap(self._take)
        return listener

    def close(self) -> None:
        """The room is no longer to be heard: all subscriptions end. Idempotent."""
        for listener in tuple(self._listeners):
            listener.close()

    def _leave(self, listener: Subscription) -> None:
        self._listeners.remove(listener)
        if not self._listeners and self._untap is not None:
            self._untap()
            self._untap = None
            self._frames.clear()

    def _take(self, first_sample: int, pcm: bytes) -> None:
        """Media thread: hand over a frame; wake the loop unless it is on its way."""
        self._frames.append((first_sample, pcm))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, nobody listens any more
                self._loop.call_soon_threadsafe(self._encode)

    def _encode(self) -> None:
        self._woken = False
        while self._frames:
            first_sample, pcm = self._frames.popleft()
            if not self._listeners:
                continue
            skipped = 0 if self._position is None else (first_sample - self._position) // self._frame
            self._position = first_sample + self._frame
            encoded = Encoded(self._encoder.encode(pcm), skipped)
            for listener in self._listeners:
                listener.put(encoded)


class Subscription:
    """The packets of a `Listening` for one browser: a `Source` for `BrowserLeg.play`."""

    def __init__(self, on_close: Callable[[Subscription], None]) -> None:
        self._on_close = on_close
        self._packets: deque[Encoded] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, encoded: Encoded) -> None:
        """One more packet; the oldest goes when there are too many."""
        if len(self._packets) == MAX_WAITING_FRAMES:
            dropped, oldest = self._packets.popleft(), self._packets.popleft()
            self._packets.appendleft(Encoded(oldest.payload, oldest.skipped + dropped.skipped + 1))
        self._packets.append(encoded)
        self._changed.set()

    async def next(self) -> Encoded | None:
        """The next packet, when it is there. None once it is closed."""
        while not self._closed:
            if self._packets:
                return self._packets.popleft()
            self._changed.clear()
            await self._changed.wait()
        return None

    def close(self) -> None:
        """Listen no more. Idempotent."""
        if not self._closed:
            self._closed = True
            self._changed.set()
            self._on_close(self)
