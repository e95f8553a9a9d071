"""What the capacity benchmark makes of a capture: how each call was served. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from asr.training.channel import decode_a_law
from benchmarks.wire_capture import Datagram
from voicebot.caller.sip import parse

ANSWERED_WITHIN_S = 3.0
"""What comes later is the bot asking again, and no answer."""

_RTP, _ALAW = 12, 8
_FRAME_MS = 20.0
_LOUD = 700  # of 32768; the callers' line is quieter, and so is what voices say between the words
_WORD_ENDS_S = 0.5  # so long is nothing loud after it
_BEGINS_AFTER_S = 0.1  # a sound after so much silence begins something
_PEAKS = np.abs(decode_a_law(np.arange(256, dtype=np.uint8)).astype(np.int32))


@dataclass(frozen=True)
class CallSeen:
    """One call: how late its packets were, and what became of the caller's words. answers_s: from word to answer."""

    lateness_p99_ms: float
    turns: int
    answers_s: tuple[float, ...]

    @property
    def lost(self) -> int:
        return self.turns - len(self.answers_s)

    def held(self, echo_p99_ms: float, allowed_ms: float) -> bool:
        """There were turns, none was lost, and its packets came as those of a machine that does next to nothing."""
        return self.turns > 0 and not self.lost and self.lateness_p99_ms <= echo_p99_ms + allowed_ms


@dataclass
class _Call:
    sent_at: list[float] = field(default_factory=list)
    sent_loud: list[bool] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)
    heard_loud: list[bool] = field(default_factory=list)


def calls_seen(packets: Iterable[Datagram], bot_ports: tuple[int, int], until: float) -> dict[int, CallSeen]:
    """The calls of a bot that has these RTP ports, by port. Words that cannot be answered by `until` do not count."""
    low, high = bot_ports
    calls: dict[int, _Call] = {}
    for packet in packets:
        rtp = packet.payload
        if len(rtp) <= _RTP or rtp[0] >> 6 != 2 or rtp[1] & 0x7F != _ALAW:
            continue
        loud = bool(_PEAKS[np.frombuffer(rtp, np.uint8, offset=_RTP)].max() > _LOUD)
        if low <= packet.source <= high:
            call = calls.setdefault(packet.source, _Call())
            call.sent_at.append(packet.at)
            call.sent_loud.append(loud)
        elif low <= packet.target <= high:
            call = calls.setdefault(packet.target, _Call())
            call.heard_at.append(packet.at)
            call.heard_loud.append(loud)
    return {port: _seen(call, until) for port, call in calls.items() if len(call.sent_at) > 1}


def _seen(call: _Call, until: float) -> CallSeen:
    lateness = np.abs(np.diff(np.array(call.sent_at)) * 1000 - _FRAME_MS)
    begins = _beginnings(call.sent_at, call.sent_loud)
    ends = [end for end in _word_ends(call.heard_at, call.heard_loud) if end + ANSWERED_WITHIN_S <= until]
    delays = [next((begin - end for begin in begins if begin > end), np.inf) for end in ends]
    answers = tuple(float(delay) for delay in delays if delay <= ANSWERED_WITHIN_S)
    return CallSeen(round(float(np.percentile(lateness, 99)), 2), len(ends), answers)


def _beginnings(at: Sequence[float], loud: Sequence[bool]) -> list[float]:
    """Of every sound after silence."""
    found, loud_at = [], -np.inf
    for when, is_loud in zip(at, loud, strict=True):
        if is_loud:
            if when - loud_at > _BEGINS_AFTER_S:
                found.append(when)
            loud_at = when
    return found


def _word_ends(at: Sequence[float], loud: Sequence[bool]) -> list[float]:
    """Of all words that were followed by silence."""
    found: list[float] = []
    loud_at: float | None = None
    for when, is_loud in zip(at, loud, strict=True):
        if is_loud:
            loud_at = when
        elif loud_at is not None and when - loud_at > _WORD_ENDS_S:
            found.append(loud_at)
            loud_at = None
    return found


def lateness_p99_ms(calls: Iterable[CallSeen]) -> float | None:
    """Of the call that was served worst."""
    return max((call.lateness_p99_ms for call in calls), default=None)


def answer_p95_ms(calls: Iterable[CallSeen]) -> float | None:
    delays = [delay for call in calls for delay in call.answers_s]
    return round(1000 * float(np.percentile(delays, 95))) if delays else None


@dataclass(frozen=True)
class SetUp:
    """One INVITE. took_s: until it was answered, None when it was not. sent: how often (RFC 3261, 17.1.1.2)."""

    took_s: float | None
    sent: int


def set_ups(packets: Iterable[Datagram]) -> list[SetUp]:
    """Every INVITE of a capture of signalling."""
    first: dict[str, float] = {}
    sent: dict[str, int] = {}
    answered: dict[str, float] = {}
    for packet in packets:
        message = parse(packet.payload)
        if message is None or message.method != "INVITE":
            continue
        if message.status is None:
            first.setdefault(message.call_id, packet.at)
            sent[message.call_id] = sent.get(message.call_id, 0) + 1
        elif message.status == 200:
            answered.setdefault(message.call_id, packet.at)
    return [SetUp(answered[call] - begun if call in answered else None, sent[call]) for call, begun in first.items()]
