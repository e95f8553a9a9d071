"""Audio of one baresip call at the one sample rate that the leg promised when it was answered."""

from __future__ import annotations

from baresip import AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from telephony.resample import Resampler


class LegAudio:
    """Non-blocking PCM in and out, 16-bit mono. One thread at a time: the media thread.

    A re-INVITE may replace the stack's streams at any moment, even by streams of another rate (a phone that moves from
    G.711 to Opus). The leg keeps its rate: from then on both directions are resampled. `CallAudio` tells of the
    replacement exactly once, to the operation that meets it first, so no one else may use the call's `CallAudio`.
    """

    def __init__(self, audio: CallAudio, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._audio = audio
        self._tuned = False
        self._inward = _Converter(sample_rate, sample_rate)
        self._outward = _Converter(sample_rate, sample_rate)

    def read(self, max_samples: int) -> bytes:
        """Received audio, at most `max_samples`; b"" when none has come (a peer with DTX sends none in pauses)."""
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
        try:
            self._outward.feed(pcm)
            taken = self._audio.write(self._outward.take_all()) // 2
        except (AudioRestarted, AudioNotActive):
            self._tuned = False
            return 0
        return taken * self.sample_rate // self._outward.to_rate

    def flush(self) -> None:
        """Drop what is queued; the packet being coded (20 ms) still goes out."""
        if self._ready():
            try:
                self._audio.flush_tx()
            except (AudioRestarted, AudioNotActive):
                self._tuned = False

    def _ready(self) -> bool:
        """Bound to the current streams, with converters for their rates. False while there are none."""
        if self._tuned:
            return True
        try:
            info = self._audio.info()
        except AudioNotActive:
            return False
        if not (info.rx_ready and info.tx_ready):
            return False
        self._inward = _Converter(info.rx_sample_rate, self.sample_rate)
        self._outward = _Converter(self.sample_rate, info.tx_sample_rate)
        self._tuned = True
        return True


class _Converter:
    """One direction: audio of one rate in, of another out, nothing done when they are the same."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self.to_rate = to_rate
        self._from_rate = from_rate
        self._resampler = Resampler(from_rate, to_rate) if from_rate != to_rate else None
        self._factor = max(1, from_rate // to_rate)
        self._odd = b""  # input of less than one output sample
        self._done = b""  # less than one read of the stack

    def needed(self, samples: int) -> int:
        """Input samples that make up `samples` of output."""
        missing = samples - len(self._done) // 2
        return max(0, -(-missing * self._from_rate // self.to_rate))

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
