"""What went over the wire in one call: every RTP packet of both directions, and the audio decoded from them.

Times are Unix seconds of the kernel's receive stamp. Audio is G.711 decoded to 16-bit mono at 8000 Hz and laid out by
RTP timestamp, so loss and discontinuous transmission are silence.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 8000
Direction = Literal["sent", "received"]
Samples = NDArray[np.int16]

_MAX_PACKETS = 30 * 60 * 50  # half an hour of 20 ms packets; later ones are relayed and counted, not kept
_MAX_BYTES = 30 * 60 * 8000
_MAX_SAMPLES = 31 * 60 * SAMPLE_RATE
_REBASE_S = 1.0  # a timestamp further than this from its arrival belongs to a new clock


@dataclass(frozen=True)
class RtpPacket:
    """One received packet (RFC 3550, 5.1)."""

    arrival_ns: int
    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    payload: bytes


def parse_rtp(datagram: bytes, arrival_ns: int) -> RtpPacket | None:
    """The packet, or None when it is RTCP (RFC 5761, 4) or no RTP at all."""
    if len(datagram) < 12 or datagram[0] >> 6 != 2 or 192 <= datagram[1] <= 223:
        return None
    start = 12 + 4 * (datagram[0] & 0x0F)
    if datagram[0] & 0x10:  # header extension
        if len(datagram) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    end = len(datagram)
    if datagram[0] & 0x20:  # padding
        end -= datagram[-1]
    if start > end:
        return None
    return RtpPacket(
        arrival_ns,
        int.from_bytes(datagram[2:4], "big"),
        int.from_bytes(datagram[4:8], "big"),
        int.from_bytes(datagram[8:12], "big"),
        datagram[1] & 0x7F,
        datagram[start:end],
    )


@dataclass(frozen=True)
class StreamStats:
    """One direction in figures. `longest_gap_ms`: longest time between two packets."""

    packets: int
    lost: int
    longest_gap_ms: float


@dataclass(frozen=True)
class CapturedAudio:
    """Decoded audio of one direction. `anchors`: first sample of every packet, in order, and when it was received."""

    start_time: float
    samples: Samples
    anchors: NDArray[np.int64]
    arrivals: NDArray[np.float64]

    @property
    def pcm(self) -> bytes:
        return self.samples.tobytes()

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE

    def time_at(self, sample: int) -> float:
        """When that sample was on the wire: the arrival of its packet and its place in it."""
        if not len(self.anchors):
            return self.start_time + sample / SAMPLE_RATE
        index = max(0, int(np.searchsorted(self.anchors, sample, side="right")) - 1)
        return float(self.arrivals[index]) + (sample - int(self.anchors[index])) / SAMPLE_RATE

    def sample_at(self, time: float) -> int:
        """The sample that was on the wire at that time, within the audio."""
        if not len(self.anchors):
            return 0
        index = max(0, int(np.searchsorted(self.arrivals, time, side="right")) - 1)
        sample = int(self.anchors[index]) + round((time - float(self.arrivals[index])) * SAMPLE_RATE)
        return min(max(sample, 0), len(self.samples))

    def between(self, start_time: float, end_time: float) -> Samples:
        return self.samples[self.sample_at(start_time) : self.sample_at(end_time)]


class PacketLog:
    """The packets of one direction, in columns (about 35 MB for half an hour of G.711)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrival = array("q")
        self._sequence = array("H")
        self._timestamp = array("L")
        self._ssrc = array("L")
        self._type = array("B")
        self._offset = array("L", [0])
        self._payload = bytearray()
        self.codecs: dict[int, str] = {0: "PCMU", 8: "PCMA"}
        self.not_kept = 0

    def __len__(self) -> int:
        return len(self._arrival)

    def add(self, packet: RtpPacket) -> None:
        with self._lock:
            if len(self._arrival) >= _MAX_PACKETS or len(self._payload) + len(packet.payload) > _MAX_BYTES:
                self.not_kept += 1
                return
            self._arrival.append(packet.arrival_ns)
            self._sequence.append(packet.sequence)
            self._timestamp.append(packet.timestamp)
            self._ssrc.append(packet.ssrc)
            self._type.append(packet.payload_type)
            self._payload += packet.payload
            self._offset.append(len(self._payload))

    def name_codecs(self, codecs: Mapping[int, str]) -> None:
        with self._lock:
            self.codecs.update(codecs)

    def packets(self) -> list[RtpPacket]:
        """All of them in order of arrival."""
        with self._lock:
            payload = bytes(self._payload)
            fields = zip(self._arrival, self._sequence, self._timestamp, self._ssrc, self._type, strict=True)
            bounds = pairwise(self._offset)
            return [
                RtpPacket(arrival, sequence, timestamp, ssrc, kind, payload[start:end])
                for (arrival, sequence, timestamp, ssrc, kind), (start, end) in zip(fields, bounds, strict=True)
            ]

    def stats(self) -> StreamStats:
        with self._lock:
            arrival = np.array(self._arrival, dtype=np.int64)
            sequences: dict[int, list[int]] = {}
            for ssrc, sequence in zip(self._ssrc, self._sequence, strict=True):
                sequences.setdefault(ssrc, []).append(sequence)
        lost = sum(_lost(numbers) for numbers in sequences.values())
        gap = float(np.diff(arrival).max()) / 1e6 if len(arrival) > 1 else 0.0
        return StreamStats(len(arrival), lost, gap)

    def audio(self) -> CapturedAudio:
        """G.711 packets decoded and laid out; other payload types (keys, comfort noise) leave silence."""
        with self._lock:
            codecs = dict(self.codecs)
        tables = {kind: _TABLES[name] for kind, name in codecs.items() if name in _TABLES}
        speech = [packet for packet in self.packets() if packet.payload_type in tables and packet.payload]
        return lay_out(speech, tables)


class CallCapture:
    """Both directions of one call: `sent` by the client, `received` by it."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.sent = PacketLog()
        self.received = PacketLog()

    def log(self, direction: Direction) -> PacketLog:
        return self.sent if direction == "sent" else self.received

    def audio(self, direction: Direction) -> CapturedAudio:
        return self.log(direction).audio()


def lay_out(packets: list[RtpPacket], tables: Mapping[int, Samples]) -> CapturedAudio:
    """Place every packet at its RTP timestamp; a new source, or a clock that jumped, is placed by its arrival."""
    if not packets:
        return CapturedAudio(0.0, np.zeros(0, np.int16), np.zeros(0, np.int64), np.zeros(0))
    start_ns = packets[0].arrival_ns
    zero: dict[int, int] = {}  # timestamp that sample 0 would have had, by source
    placed: list[tuple[int, RtpPacket]] = []
    for packet in packets:
        by_arrival = (packet.arrival_ns - start_ns) * SAMPLE_RATE // 1_000_000_000
        known = zero.get(packet.ssrc)
        position = None if known is None else by_arrival + _signed32(packet.timestamp - known - by_arrival)
        if position is None or abs(position - by_arrival) > _REBASE_S * SAMPLE_RATE:
            zero[packet.ssrc] = packet.timestamp - by_arrival
            position = by_arrival
        if 0 <= position < _MAX_SAMPLES:
            placed.append((position, packet))
    end = max(position + len(packet.payload) for position, packet in placed)
    samples = np.zeros(end, np.int16)
    for position, packet in placed:
        decoded = tables[packet.payload_type][np.frombuffer(packet.payload, np.uint8)]
        samples[position : position + len(decoded)] = decoded
    placed.sort(key=lambda item: item[0])
    anchors = np.array([position for position, _ in placed], dtype=np.int64)
    arrivals = np.array([packet.arrival_ns / 1e9 for _, packet in placed])
    return CapturedAudio(start_ns / 1e9, samples, anchors, np.maximum.accumulate(arrivals))


def _signed32(value: int) -> int:
    return (value + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


def _lost(sequences: list[int]) -> int:
    """Packets missing between the first and the last number, wrapping at 65536."""
    highest = first = sequences[0]
    for number in sequences[1:]:
        step = (number - highest + 0x8000) % 0x10000 - 0x8000
        highest = max(highest, highest + step)
    extended = highest - first + 1
    return max(0, extended - len(set(sequences)) if extended < 0x10000 else extended - len(sequences))


def _mu_law() -> Samples:
    """ITU-T G.711 µ-law decoding table."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _a_law() -> Samples:
    """ITU-T G.711 A-law decoding table."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code & 0x70) >> 4
    base = ((code & 0x0F) << 4) + 8
    magnitude = np.where(exponent == 0, base, (base + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_TABLES: Mapping[str, Samples] = {"PCMU": _mu_law(), "PCMA": _a_law()}
