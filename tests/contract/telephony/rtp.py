"""The media side of a sipp peer: G.711 A-law over RTP from and to a UDP port of the test."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

FRAME = 160
EVENT_PAYLOAD_TYPE = 101
KEYS = "0123456789*#ABCD"


def alaw(samples: NDArray[np.int16]) -> bytes:
    """ITU-T G.711 A-law, one byte a sample."""
    pcm = samples.astype(np.int32) >> 3
    negative = pcm < 0
    pcm = np.where(negative, -pcm - 1, pcm)
    exponent = np.zeros_like(pcm)
    for shift in range(1, 8):
        exponent = np.where(pcm >= (16 << shift), shift, exponent)
    mantissa = np.where(exponent == 0, pcm >> 1, pcm >> exponent) & 0x0F
    code = (exponent << 4) | mantissa
    return (np.where(negative, code, code | 0x80) ^ 0x55).astype(np.uint8).tobytes()


def from_alaw(data: bytes) -> NDArray[np.int16]:
    """Back to 16-bit samples."""
    code = np.frombuffer(data, np.uint8).astype(np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    value = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, value, -value).astype(np.int16)


def tone(hz: float, seconds: float, sample_rate: int = 8000, amplitude: int = 8000) -> NDArray[np.int16]:
    """A sine."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def pitch_of(pcm: bytes, sample_rate: int) -> float:
    """Frequency of the strongest component in Hz, 0.0 for silence."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    if samples.size < sample_rate // 10 or np.abs(samples).max() < 500:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(spectrum.argmax()) * sample_rate / samples.size


def rtp(
    payload_type: int, sequence: int, timestamp: int, payload: bytes, *, marker: bool = False, ssrc: int = 7
) -> bytes:
    """One packet (RFC 3550, 5.1)."""
    kind = payload_type | (0x80 if marker else 0)
    return struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def speech_packets(
    samples: NDArray[np.int16], sequence: int = 0, timestamp: int = 0, *, size: int = FRAME, ssrc: int = 7
) -> list[bytes]:
    """A-law packets of 20 ms, or of `size` samples."""
    data = alaw(samples)
    return [
        rtp(8, sequence + index, timestamp + index * size, data[index * size : (index + 1) * size], ssrc=ssrc)
        for index in range(len(data) // size)
    ]


def digit_packets(keys: str, sequence: int = 0, timestamp: int = 0) -> list[bytes]:
    """RFC 4733 events of 100 ms, the end sent three times, 100 ms between them; one packet each 20 ms, "" for none."""
    packets: list[bytes] = []
    for key in keys:
        for step in range(1, 8):
            end = step >= 5
            event = struct.pack(">BBH", KEYS.index(key), (0x80 if end else 0) | 10, min(step, 5) * FRAME)
            packets.append(rtp(EVENT_PAYLOAD_TYPE, sequence, timestamp, event, marker=step == 1))
            sequence += 1
        packets += [b""] * 5
        timestamp += 12 * FRAME
    return packets


def write_pcap(path: Path, packets: Sequence[bytes], interval_s: float = 0.02) -> Path:
    """A capture (libpcap format, Ethernet, IPv4, UDP) with one RTP packet each interval; "" leaves a gap."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for index, packet in enumerate(packets):
        if not packet:
            continue
        udp = struct.pack(">HHHH", 40000, 40000, 8 + len(packet), 0) + packet
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\x01", b"\x7f\0\0\x01")
        frame = b"\0" * 12 + b"\x08\0" + ip + udp
        at = index * interval_s
        out += struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame
    path.write_bytes(out)
    return path


class RtpPeer(asyncio.DatagramProtocol):
    """A UDP port that sends what it is told to the far end and keeps what comes."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[tuple[float, bytes]] = []
        self.far_end: tuple[str, int] | None = None  # where the sound comes from
        self._known = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._sequence = 0
        self._timestamp = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.far_end = addr
        self._known.set()
        self.received.append((asyncio.get_running_loop().time(), data))

    async def send(self, packets: Sequence[bytes]) -> None:
        """One packet each 20 ms to where the far end sends from (it sends always, silence too)."""
        await self.send_at([(0.02 * index, packet) for index, packet in enumerate(packets)])

    async def send_at(self, timed: Sequence[tuple[float, bytes]]) -> None:
        """Packets at their times, in seconds from now; "" is none."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            await self._known.wait()
        assert self._transport is not None
        begin = loop.time()
        for at_s, packet in sorted(timed, key=lambda one: one[0]):
            await asyncio.sleep(max(0.0, begin + at_s - loop.time()))
            if packet:
                self._transport.sendto(packet, self.far_end)

    def send_to(self, data: bytes, address: tuple[str, int]) -> None:
        """One datagram, whatever is in it."""
        assert self._transport is not None
        self._transport.sendto(data, address)

    async def say(self, samples: NDArray[np.int16]) -> None:
        """Send speech; a second call goes on with the numbering of the first."""
        packets = speech_packets(samples, self._sequence, self._timestamp)
        self._sequence += len(packets)
        self._timestamp += len(packets) * FRAME
        await self.send(packets)

    def pause(self, frames: int) -> None:
        """Discontinuous transmission: time passes without packets, timestamps go on, sequence numbers do not."""
        self._timestamp += frames * FRAME

    async def press(self, keys: str) -> None:
        """Send RFC 4733 digits."""
        packets = digit_packets(keys, self._sequence, self._timestamp)
        self._sequence += sum(1 for packet in packets if packet)
        self._timestamp += len(packets) * FRAME
        await self.send(packets)

    def heard(self) -> bytes:
        """PCM of the A-law received so far, 8000 Hz."""
        audio = b"".join(data[12:] for _, data in self.received if data[1] & 0x7F == 8)
        return from_alaw(audio).tobytes()

    def keys_heard(self) -> str:
        """RFC 4733 keys received so far; an event is told by its timestamp."""
        events = {data[4:8]: KEYS[data[12]] for _, data in self.received if data[1] & 0x7F == EVENT_PAYLOAD_TYPE}
        return "".join(events.values())


@asynccontextmanager
async def rtp_peer() -> AsyncIterator[RtpPeer]:
    """An `RtpPeer` on a free port."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(RtpPeer, local_addr=("127.0.0.1", 0))
    try:
        yield peer
    finally:
        transport.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.sleep(0)
