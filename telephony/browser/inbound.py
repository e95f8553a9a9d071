"""What a browser's microphone sends, on its way into the memory that the media thread reads."""

from __future__ import annotations

from telephony.browser.opus import CLOCK_RATE, OpusDecoder
from telephony.browser.reordering import Reordering
from telephony.browser.shared_sound import SAMPLE_RATE, SharedSound
from telephony.pcm import frame_samples
from telephony.resample import Resampler

_FRAME_BYTES = 2 * frame_samples(SAMPLE_RATE)


class Inbound:
    """Received Opus packets as PCM. While nobody reads nothing is decoded, so a line that waits or listens is cheap."""

    def __init__(self, sound: SharedSound) -> None:
        self._sound = sound
        self._order = Reordering()
        self._decoder = OpusDecoder()
        self._resampler = Resampler(CLOCK_RATE, SAMPLE_RATE)
        self._received = 0
        self._jitter_s = 0.0
        self._last: tuple[float, int] | None = None

    def add(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """A packet has come: its RTP sequence number, timestamp and payload, and the time in seconds."""
        self._received += 1
        self._time(timestamp, now)
        for packet in self._order.add(sequence, payload):
            self._hear(packet)
        self._sound.tell(self._received, self._order.lost, self._order.late, round(1e6 * self._jitter_s))

    def _hear(self, packet: bytes) -> None:
        ring = self._sound.said
        if ring.room >= _FRAME_BYTES:
            pcm = self._resampler.convert(self._decoder.decode(packet))
            if ring.write(pcm) == len(pcm):
                return
        ring.miss()

    def _time(self, timestamp: int, now: float) -> None:
        """Interarrival jitter (RFC 3550 section 6.4.1)."""
        if self._last is not None:
            then, before = self._last
            sent_s = ((timestamp - before + 0x80000000) % 0x100000000 - 0x80000000) / CLOCK_RATE
            self._jitter_s += (abs(now - then - sent_s) - self._jitter_s) / 16
        self._last = (now, timestamp)
