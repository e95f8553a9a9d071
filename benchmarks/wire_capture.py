"""What the caller's side saw: RTP of a bot in a capture of the loopback."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_PCAP_HEADER, _RECORD_HEADER = 24, 16
_ETHERNET, _UDP, _RTP = 14, 8, 12
_FRAME_MS = 20.0
_ALAW_QUIET = (0xD5, 0x55)  # the two smallest amplitudes


@dataclass(frozen=True)
class Phase:
    """A part of the run by the wall clock (the capture's clock), in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass
class _Stream:
    at: list[float]
    numbers: list[int]
    silent: int


def phase_figures(file: Path, bot_ports: tuple[int, int], phase: Phase) -> dict[str, Any]:
    """Gaps between consecutive packets of each stream that the bot sent, and what was in them.

    `deviation_ms` is |gap - 20 ms|. `silent_percent` counts packets that carry (nearly) nothing: the sound that the
    callers send has no pauses, so they are audio that the bot did not have in time, or loss.
    """
    streams, received = _read(file, bot_ports, phase)
    gaps, sent, lost, silent = [], 0, 0, 0
    for stream in streams.values():
        at, numbers = np.array(stream.at), np.array(stream.numbers)
        gaps.append(np.diff(at) * 1000)
        sent += len(at)
        lost += int((((np.diff(numbers) & 0xFFFF) - 1) & 0xFFFF).clip(max=1000).sum())
        silent += stream.silent
    all_gaps = np.concatenate(gaps) if gaps else np.zeros(0)
    deviation = np.abs(all_gaps - _FRAME_MS)
    percentiles = np.percentile(deviation, (50, 95, 99, 100)) if len(deviation) else np.full(4, np.nan)
    return {
        "streams": len(streams),
        "packets_sent": sent,
        "packets_expected": round(len(streams) * phase.seconds * 1000 / _FRAME_MS),
        "packets_received": received,
        "sequence_gaps": lost,
        "silent_percent": round(100 * silent / sent, 3) if sent else 100.0,
        "gaps_over_100_ms": int((all_gaps > 100).sum()),
        "deviation_ms": dict(zip(("p50", "p95", "p99", "max"), np.round(percentiles, 2).tolist(), strict=True)),
    }


@dataclass(frozen=True)
class Datagram:
    """One of UDP, as much as was kept of it. `at`: Unix seconds, by the kernel."""

    at: float
    source: int
    target: int
    payload: bytes


def datagrams(file: Path, phase: Phase | None = None) -> Iterator[Datagram]:
    """What was captured, in its order; only that of a phase where one is given."""
    data = file.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    per_s = 1e9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
    record = struct.Struct(order + "IIII")
    position = _PCAP_HEADER
    while position + _RECORD_HEADER <= len(data):
        seconds, fraction, kept, _ = record.unpack_from(data, position)
        start = position + _RECORD_HEADER + _ETHERNET
        position += _RECORD_HEADER + kept
        at = seconds + fraction / per_s
        if position > len(data) or (phase is not None and not phase.start <= at < phase.end):
            continue
        udp = start + 4 * (data[start] & 0x0F)
        source, target = struct.unpack_from(">HH", data, udp)
        yield Datagram(at, source, target, data[udp + _UDP : position])


def _read(file: Path, bot_ports: tuple[int, int], phase: Phase) -> tuple[dict[tuple[int, int], _Stream], int]:
    """Streams from the bot, and the number of packets to it."""
    streams: dict[tuple[int, int], _Stream] = {}
    received = 0
    low, high = bot_ports
    for datagram in datagrams(file, phase):
        rtp = datagram.payload
        if len(rtp) < _RTP or rtp[0] >> 6 != 2 or rtp[1] & 0x7F != 8:
            continue
        if low <= datagram.target <= high:
            received += 1
            continue
        if not low <= datagram.source <= high:
            continue
        stream = streams.setdefault((datagram.source, datagram.target), _Stream([], [], 0))
        stream.at.append(datagram.at)
        stream.numbers.append(struct.unpack_from(">H", rtp, 2)[0])
        payload = rtp[_RTP:]
        if sum(payload.count(value) for value in _ALAW_QUIET) > len(payload) // 2:
            stream.silent += 1
    return streams, received
