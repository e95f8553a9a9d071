"""Audio of one baresip call at the one sample rate that the leg promised when it was answered."""

from __future__ import annotations

import time
from collections import deque

from baresip import AudioInfo, AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from telephony.arrivals import Arrivals
from telephony.resample import Resampler
from telephony.tone_keys import HEARD_FRAMES

# Held at most while a flush is under way, which takes the stack up to one packet time (20 ms); more means that its
# sending thread stands still, and then taking less is the truth.
MAX_HELD_MS = 200


class LegAudio:
    """Non-blocking PCM in and out, 16-bit mono. One thread at a time: the media thread.

    A re-INVITE may replace the stack's streams at any moment, even by streams of another rate (a phone that moves from
    G.711 to Opus). The leg keeps its rate: from then on both directions are resampled. `CallAudio` tells of the
    replacement exactly once, to the operation that meets it first, so no one else may use the call's `CallAudio`.
    """

    def __init__(self, audio: CallAudio, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.arrivals = Arrivals()
        self.heard: deque[bytes] = deque(maxlen=HEARD_FRAMES)  # for those who listen for keys
        self._audio = audio
        self._tuned = False
        self._inward = _Converter(sample_rate, sample_rate)
        self._outward = _Converter(sample_rate, sample_rate)
        self._flushing = False
        self._held = bytearray()

    def read(self, max_samples: int) -> bytes:
        """Received audio, at most `max_samples`; b"" when none has come (a peer with DTX sends none in pauses)."""
        pcm = self._read(max_samples)
        self.arrivals.note(bool(pcm), time.monotonic())
        if pcm:
            self.heard.append(pcm)
        return pcm

    def _read(self, max_samples: int) -> bytes:
        if max_samples <= 0 or not self._ready():
            return b""
        inward = self._inward
        try:
            wanted = inward.needed(max_samples)
            if wanted:
                inward.feed(self._audio.read(2 * wanted))
        except (AudioRestarted, AudioNotActive):
            self._tuned = False
            return b""
        return inward.take(max_samples)

    def write(self, pcm: bytes) -> int:
        """Queue audio; returns the samples taken. The stack queues up to 2,048 ms and then takes less."""
        if not pcm or not self._ready():
            return 0
        if self._flushing:
            room = 2 * (self.sample_rate * MAX_HELD_MS // 1000) - len(self._held)
            self._held += pcm[:room]
            return min(room, len(pcm)) // 2
        return self._send(pcm)

    def flush(self) -> None:
        """Drop what is queued; the packet being coded (20 ms) still goes out."""
        self._held.clear()
        if not self._ready():
            return
        try:
            if self._probe().tx_buffered:
                self._audio.flush_tx()
                # The stack drops at its next packet time, and then also what was written after the flush. Such audio
                # is the beginning of what the caller shall hear now: it is held back until the drop has happened.
                self._flushing = True
        except (AudioRestarted, AudioNotActive):
            self._tuned = False

    def _send(self, pcm: bytes) -> int:
        try:
            self._outward.feed(pcm)
            taken = self._audio.write(self._outward.take_all()) // 2
        except (AudioRestarted, AudioNotActive):
            self._tuned = False
            return 0
        return taken * self.sample_rate // self._outward.to_rate

    def _ready(self) -> bool:
        """Bound to the current streams, with converters for their rates. False while there are none."""
        if self._tuned and not self._flushing:
            return True
        try:
            info = self._probe()
        except AudioNotActive:
            self._tuned = False
            return False
        if self._flushing and not info.tx_buffered:
            self._flushing = False
            held = bytes(self._held)
            self._held.clear()
            if held:
                self._send(held)
        return self._tuned

    def _probe(self) -> AudioInfo:
        """The streams as they are now. It binds to them, so what it says is adopted at once. Raises AudioNotActive."""
        info = self._audio.info()
        rates = (info.rx_sample_rate, info.tx_sample_rate)
        if not (info.rx_ready and info.tx_ready):
            self._tuned = False
        elif not self._tuned or rates != (self._inward.from_rate, self._outward.to_rate):
            self._inward = _Converter(info.rx_sample_rate, self.sample_rate)
            self._outward = _Converter(self.sample_rate, info.tx_sample_rate)
            self._tuned = True
        return info


class _Converter:
    """One direction: audio of one rate in, of another out, nothing done when they are the same."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self.to_rate = to_rate
        self.from_rate = from_rate
        self._resampler = Resampler(from_rate, to_rate) if from_rate != to_rate else None
        self._factor = max(1, from_rate // to_rate)
        self._odd = b""  # input of less than one output sample
        self._done = b""  # less than one read of the stack

    def needed(self, samples: int) -> int:
        """Input samples that make up `samples` of output."""
        missing = samples - len(self._done) // 2
        return max(0, -(-missing * self.from_rate // self.to_rate))

    def feed(self, pcm: bytes) -> None:
        if self._resampler is None:
            self._done += pcm
            return
        pcm = self._odd + pcm
        whole = len(pcm) - len(pcm) % (2 * self._factor)
        self._odd = pcm[whole:]
        if whole:
            self._done += self._resampler.convert(pcm[:whole])

    def take(self, samples: int) -> bytes:
        pcm, self._done = self._done[: 2 * samples], self._done[2 * samples :]
        return pcm

    def take_all(self) -> bytes:
        pcm, self._done = self._done, b""
        return pcm
