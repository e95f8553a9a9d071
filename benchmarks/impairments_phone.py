"""Phones on a bad line: they are called, answer, and send what they have to say as a schedule of packets.

The impairment is in the sender, since it needs no rights and no kernel module (`tc netem`): a packet that is lost is
not sent, one that is late is sent late. As in a queue, none overtakes another.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from asr.training.channel import encode_a_law
from voicebot.caller.sip import MediaAddress, audio_address, parse

RATE = 8000
FRAME = 160
FRAME_S = 0.02

Timed = list[tuple[float, bytes]]


@dataclass(frozen=True)
class Line:
    """`loss`: the share of packets that is lost at random. `jitter_ms`: each is up to that late."""

    loss: float
    jitter_ms: float


def packets(sound: np.ndarray[Any, np.dtype[np.int16]], line: Line, seed: int) -> Timed:
    """A-law, 20 ms each, with the times at which they leave."""
    random = np.random.default_rng(seed)
    code = encode_a_law(sound).tobytes()
    timed: Timed = []
    left = 0.0
    for number in range(len(code) // FRAME):
        late = random.uniform(0, line.jitter_ms / 1000)
        lost = random.random() < line.loss
        left = max(left, number * FRAME_S + late)
        if not lost:
            header = struct.pack(">BBHII", 0x80, 8, number & 0xFFFF, number * FRAME, 1)
            timed.append((left, header + code[number * FRAME : (number + 1) * FRAME]))
    return timed


class Phone(asyncio.DatagramProtocol):
    """Answers one call on a SIP port of its own. Its sound goes out when `say` is told to."""

    def __init__(self) -> None:
        self._sip: asyncio.DatagramTransport | None = None
        self._rtp: asyncio.DatagramTransport | None = None
        self._far_end: MediaAddress | None = None

    async def __aenter__(self) -> Phone:
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._rtp, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for transport in (self._sip, self._rtp):
            if transport is not None:
                transport.close()

    @property
    def uri(self) -> str:
        return f"sip:phone@127.0.0.1:{_port(self._sip)}"

    async def say(self, timed: Sequence[tuple[float, bytes]]) -> None:
        """Send the packets at their times, from now on."""
        assert self._rtp is not None
        assert self._far_end is not None
        target = (self._far_end.host, self._far_end.port)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at_s, packet in timed:
            wait_s = began + at_s - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._rtp.sendto(packet, target)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """INVITE and BYE are answered, all else is ignored."""
        message = parse(data)
        if message is None or message.status is not None or message.method not in ("INVITE", "BYE"):
            return
        kept = [
            line + (b";tag=phone" if line.lower().startswith(b"to:") and b"tag=" not in line else b"")
            for line in message.head[1:]
            if line.lower().startswith((b"via:", b"from:", b"to:", b"call-id:", b"cseq:"))
        ]
        body = b""
        if message.method == "INVITE":
            self._far_end = audio_address(message.body)
            body = (
                "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {_port(self._rtp)} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
            ).encode()
            kept += [b"Contact: <" + self.uri.encode() + b">", b"Content-Type: application/sdp"]
        head = [b"SIP/2.0 200 OK", *kept, b"Content-Length: %d" % len(body), b"", b""]
        assert self._sip is not None
        self._sip.sendto(b"\r\n".join(head) + body, addr)


def _port(transport: asyncio.DatagramTransport | None) -> int:
    assert transport is not None
    return cast("int", transport.get_extra_info("sockname")[1])
