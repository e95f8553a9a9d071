"""Opus as browsers speak it (RFC 6716, RFC 7587): mono, packets of 20 ms."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from av import AudioCodecContext, AudioFrame, CodecContext, Packet
from av.error import FFmpegError

from telephony.leg import FRAME_MS
from telephony.pcm import frame_samples

CLOCK_RATE = 48000  # of RTP timestamps, whatever the sound's rate is (RFC 7587 section 4.1)
TICKS_PER_FRAME = frame_samples(CLOCK_RATE)

_BIT_RATE = 24000
# On a 2-core machine 0.1 ms a frame at 16 kHz, half of the default's; what the default adds is not heard in speech.
_COMPLEXITY = 5


class OpusEncoder:
    """One stream of PCM at 8, 12, 16, 24 or 48 kHz into packets."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = frame_samples(sample_rate)
        self._rate = sample_rate
        self._position = 0
        self._time_base = Fraction(1, sample_rate)
        self._codec = _codec("w")
        self._codec.bit_rate = _BIT_RATE
        self._codec.sample_rate = sample_rate
        self._codec.time_base = self._time_base
        self._codec.options = {
            "application": "voip",
            "frame_duration": str(FRAME_MS),
            "compression_level": str(_COMPLEXITY),
        }

    def encode(self, pcm: bytes) -> bytes:
        """The packet of exactly 20 ms of PCM."""
        frame = AudioFrame(format="s16", layout="mono", samples=self._frame)
        frame.planes[0].update(pcm)
        frame.sample_rate = self._rate
        frame.time_base = self._time_base
        frame.pts = self._position
        self._position += self._frame
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class OpusDecoder:
    """One stream of packets into PCM at 48 kHz."""

    def __init__(self) -> None:
        self._codec = _codec("r")

    def decode(self, payload: bytes) -> bytes:
        """The sound of a packet, b"" when it is none: what comes from a network may be anything."""
        if not payload:  # would tell the codec that the stream is over
            return b""
        try:
            frames = self._codec.decode(Packet(payload))
        except FFmpegError:
            return b""
        return b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames)


def _codec(mode: Literal["r", "w"]) -> AudioCodecContext:
    codec = CodecContext.create("libopus", mode)
    codec.format = "s16"
    codec.layout = "mono"
    return codec
