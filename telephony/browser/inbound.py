"""What a browser's microphone sends, on its way from the event loop to the media thread."""

from __future__ import annotations

import threading

from telephony.browser.opus import CLOCK_RATE, OpusDecoder
from telephony.browser.reordering import Reordering
from telephony.leg import MediaStats
from telephony.resample import Resampler

# More than this unread means that nobody reads: it is all dropped, the oldest with the rest, and nothing is decoded
# until somebody reads again. So a line that waits between two calls, or only listens, costs no decoding.
MAX_UNREAD_MS = 400


class Inbound:
    """Received Opus packets as PCM at `sample_rate`. `add` belongs to the event loop, `read` to the media thread."""

    def __init__(self, sample_rate: int) -> None:
        self._order = Reordering()
        self._decoder = OpusDecoder()
        self._resampler = Resampler(CLOCK_RATE, sample_rate)
        self._capacity = 2 * sample_rate * MAX_UNREAD_MS // 1000
        self._lock = threading.Lock()
        self._pcm = bytearray()
        self._unread = True
        self._received = 0
        self._jitter_s = 0.0
        self._last: tuple[float, int] | None = None

    def add(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """A packet has come: its RTP sequence number, timestamp and payload, and the time in seconds."""
        self._received += 1
        self._time(timestamp, now)
        packets = self._order.add(sequence, payload)
        if self._unread:
            return
        for packet in packets:
            pcm = self._resampler.convert(self._decoder.decode(packet))
            with self._lock:
                self._pcm += pcm
                if len(self._pcm) > self._capacity:
                    self._pcm.clear()
                    self._unread = True

    def read(self, max_samples: int) -> bytes:
        """At most `max_samples`, less or nothing when they have not come. What came before the first read is gone."""
        self._unread = False
        with self._lock:
            pcm = bytes(self._pcm[: 2 * max_samples])
            del self._pcm[: 2 * max_samples]
        return pcm

    def stats(self) -> MediaStats:
        """Of what came so far."""
        return MediaStats("opus", self._received, self._order.lost, self._order.late, 1000 * self._jitter_s)

    def _time(self, timestamp: int, now: float) -> None:
        """Interarrival jitter (RFC 3550 section 6.4.1)."""
        if self._last is not None:
            then, before = self._last
            sent_s = ((timestamp - before + 0x80000000) % 0x100000000 - 0x80000000) / CLOCK_RATE
            self._jitter_s += (abs(now - then - sent_s) - self._jitter_s) / 16
        self._last = (now, timestamp)
