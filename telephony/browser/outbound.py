"""What a browser hears: a track of Opus packets, and the paced stream that a leg writes to."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import Packet

from telephony.browser.opus import CLOCK_RATE, TICKS_PER_FRAME, OpusEncoder
from telephony.leg import FRAME_MS
from telephony.pcm import frame_samples, silence

MAX_QUEUED_MS = 2000  # as much as is taken from the writer, who must keep what was not taken
_FRAME_S = FRAME_MS / 1000
_CATCH_UP_FRAMES = 5  # after a stall of the event loop that much is sent at once; what is older is dropped
_SETTLED_FRAMES = 5  # of silence, after which its packet says no more than the one before

_TIME_BASE = Fraction(1, CLOCK_RATE)


@dataclass(frozen=True)
class Encoded:
    """The next packet of a source, and how many frames before it were left out."""

    payload: bytes
    skipped: int = 0


class Source(Protocol):
    """Packets of 20 ms that somebody else encodes. Event loop only."""

    async def next(self) -> Encoded | None:
        """The next one, when it is there. None: there will be no more."""

    def close(self) -> None:
        """No more is wanted: a `next` that waits ends. Idempotent."""


class Paced:
    """PCM that a thread writes, as one packet every 20 ms; silence when nothing was written.

    `write` and `flush` belong to the media thread, the rest to the event loop. A browser that is sent silence keeps its
    jitter buffer short; one that is sent nothing has to find its delay anew at every first word.
    """

    def __init__(self, sample_rate: int) -> None:
        self._bytes = 2 * frame_samples(sample_rate)
        self._silence = silence(frame_samples(sample_rate))
        self._capacity = 2 * sample_rate * MAX_QUEUED_MS // 1000
        self._encoder = OpusEncoder(sample_rate)
        self._lock = threading.Lock()
        self._queued = bytearray()
        self._due: float | None = None
        self._silent = 0
        self._last = b""

    def write(self, pcm: bytes) -> int:
        """Queue audio; returns the samples taken."""
        with self._lock:
            taken = min(len(pcm), self._capacity - len(self._queued)) & ~1
            self._queued += pcm[:taken]
        return taken // 2

    def flush(self) -> None:
        """Drop what is queued."""
        with self._lock:
            self._queued.clear()

    def restart(self) -> None:
        """Begin anew: nothing queued, the next packet is due at once."""
        self.flush()
        self._due = None

    async def next(self) -> Encoded:
        """Wait until the next packet is due, and give it."""
        now = asyncio.get_running_loop().time()
        due = now if self._due is None else self._due
        skipped = max(0, int((now - due) / _FRAME_S) - _CATCH_UP_FRAMES)
        for _ in range(skipped):
            self._take()
        due += skipped * _FRAME_S
        self._due = due + _FRAME_S
        if due > now:
            await asyncio.sleep(due - now)
        return Encoded(self._encode(self._take()), skipped)

    def _take(self) -> bytes:
        with self._lock:
            pcm = bytes(self._queued[: self._bytes])
            del self._queued[: self._bytes]
        return pcm + self._silence[len(pcm) :]

    def _encode(self, pcm: bytes) -> bytes:
        self._silent = self._silent + 1 if pcm == self._silence else 0
        if self._silent <= _SETTLED_FRAMES:
            self._last = self._encoder.encode(pcm)
        return self._last


class OutboundTrack(MediaStreamTrack):
    """One RTP stream: what the leg writes or, for a while, what another source gives; its timestamps go on."""

    kind = "audio"

    def __init__(self, paced: Paced) -> None:
        super().__init__()
        self._paced = paced
        self._other: Source | None = None
        self._position = -TICKS_PER_FRAME

    def play(self, source: Source | None) -> None:
        """Send this source until it ends, or with None what the leg writes. The source before is closed."""
        if self._other is not None:
            self._other.close()
        self._other = source
        self._paced.restart()

    def stop(self) -> None:
        """There is nobody to hear it any more."""
        self.play(None)
        super().stop()

    async def recv(self) -> Packet[Any]:
        """The next packet, for aiortc, which sends it as it is."""
        encoded = await self._next()
        self._position += (1 + encoded.skipped) * TICKS_PER_FRAME
        packet: Packet[Any] = Packet(encoded.payload)
        packet.pts = self._position
        packet.time_base = _TIME_BASE
        return packet

    async def _next(self) -> Encoded:
        while self.readyState == "live":
            source = self._other
            encoded = await (self._paced if source is None else source).next()
            if source is self._other:
                if encoded is not None:
                    return encoded
                self.play(None)
        raise MediaStreamError
