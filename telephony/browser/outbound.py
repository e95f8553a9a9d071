"""What a browser hears: one RTP stream of Opus packets, a packet every 20 ms but in long silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from aiortc.mediastreams import MediaStreamTrack
from av import Packet

from telephony.browser.opus import CLOCK_RATE, TICKS_PER_FRAME, OpusEncoder
from telephony.leg import FRAME_MS
from telephony.pcm import frame_samples, silence

_FRAME_S = FRAME_MS / 1000
_CATCH_UP_FRAMES = 5  # after a stall of the event loop that much is sent at once; what is older is dropped
_SETTLED_FRAMES = 5  # of silence, after which nothing changes any more
_DTX_FRAMES = 20  # in silence one packet in 400 ms tells that the stream goes on, as libopus has it

_TIME_BASE = Fraction(1, CLOCK_RATE)


class OutboundTrack(MediaStreamTrack):
    """`read(size)` gives at most so many bytes of PCM at `sample_rate`; what is missing is silence.

    Digital silence is sent as Opus does it with DTX (RFC 6716 section 2.1.9, RFC 7587 section 3.1.3): hardly at all, by
    packets without a frame. So a line that waits between two calls costs next to nothing.
    """

    kind = "audio"

    def __init__(self, read: Callable[[int], bytes], sample_rate: int) -> None:
        super().__init__()
        self._read = read
        self._silence = silence(frame_samples(sample_rate))
        self._encoder = OpusEncoder(sample_rate)
        self._silent = 0
        self._no_frame = b""
        self._due: float | None = None
        self._position = -TICKS_PER_FRAME

    async def recv(self) -> Packet[Any]:
        """The next packet when it is due, for aiortc, which sends it as it is."""
        while True:
            skipped = await self._until_due()
            for _ in range(skipped):
                self._take()
            self._position += (1 + skipped) * TICKS_PER_FRAME
            payload = self._encoded(self._take())
            if payload:
                break
        packet: Packet[Any] = Packet(payload)
        packet.pts = self._position
        packet.time_base = _TIME_BASE
        return packet

    async def _until_due(self) -> int:
        """Returns how many frames are to be left out, because it is too late for them."""
        now = asyncio.get_running_loop().time()
        due = now if self._due is None else self._due
        skipped = max(0, int((now - due) / _FRAME_S) - _CATCH_UP_FRAMES)
        due += skipped * _FRAME_S
        self._due = due + _FRAME_S
        if due > now:
            await asyncio.sleep(due - now)
        return skipped

    def _take(self) -> bytes:
        pcm = self._read(len(self._silence))
        return pcm + self._silence[len(pcm) :]

    def _encoded(self, pcm: bytes) -> bytes:
        """The packet for these 20 ms, or none."""
        self._silent = self._silent + 1 if pcm == self._silence else 0
        if self._silent <= _SETTLED_FRAMES:
            payload = self._encoder.encode(pcm)
            self._no_frame = bytes((payload[0] & 0b11111100,))  # its TOC byte, for one frame, which is left out
            return payload
        return self._no_frame if (self._silent - _SETTLED_FRAMES) % _DTX_FRAMES == 1 else b""
