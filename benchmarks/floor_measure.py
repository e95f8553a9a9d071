"""What the floor benchmark makes of what it has seen. Pure: captures, times and events in, figures out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import numpy as np

from asr.training.channel import decode_a_law
from benchmarks.wire_capture import Datagram
from voicebot.caller.sip import audio_address, parse

LOUD = 3000
"""Of 32768: marks are above it, everything else is below."""

_QUIET_S = 0.5  # before a mark
_LONGEST_DELAY_S = 1.5  # what takes longer than that is another mark, or none
_ALAW = 8
_RTP = 12

GOALS: Mapping[str, float] = {"listener_core_share": 0.02, "listen_delay_p95_ms": 250, "board_delay_p95_ms": 1000}


@dataclass(frozen=True)
class Window:
    """A while (Unix seconds) with so many listeners, and what the server used of a core in it."""

    start: float
    end: float
    listeners: int
    cpu_s: float

    @property
    def core(self) -> float:
        return self.cpu_s / (self.end - self.start)


@dataclass(frozen=True)
class SipEvent:
    """What a caller did, when it was on the wire. `port`: where the bot wants their sound, of an INVITE it answered."""

    at: float
    method: str
    number: str
    port: int = 0


def sip_events(datagrams: Iterable[Datagram]) -> list[SipEvent]:
    """INVITE and BYE of callers, each once (they are sent again when an answer is late, RFC 3261 section 17.1)."""
    found: dict[tuple[str, str], SipEvent] = {}
    for datagram in datagrams:
        message = parse(datagram.payload)
        if message is None or message.method not in ("INVITE", "BYE"):
            continue
        key = (message.method, message.call_id)
        if message.status is None:
            found.setdefault(key, SipEvent(datagram.at, message.method, digits(message.header(b"from"))))
        elif message.has_sdp and key in found and (address := audio_address(message.body)) is not None:
            found[key] = replace(found[key], port=address.port)
    return list(found.values())


def digits(text: str) -> str:
    """Of the user part of an address, or of a number however it is written."""
    user = re.search(r"sips?:([^@>;]*)", text)
    return "".join(re.findall(r"\d", user[1] if user else text))


def sent_marks(datagrams: Iterable[Datagram], port: int) -> list[float]:
    """When the first packet of each mark that goes to this port was on the wire; sipp sends all calls' from one."""
    packets = [
        (datagram.at, bool(np.abs(_decoded(datagram.payload[_RTP:])).max(initial=0) > LOUD))
        for datagram in datagrams
        if datagram.target == port and len(datagram.payload) > _RTP and datagram.payload[1] & 0x7F == _ALAW
    ]
    return onsets(packets)


def _decoded(payload: bytes) -> np.ndarray[Any, np.dtype[np.int32]]:
    return decode_a_law(np.frombuffer(payload, np.uint8)).astype(np.int32)


def onsets(packets: Sequence[tuple[float, bool]]) -> list[float]:
    """Times of the first loud one after a quiet half second."""
    found, loud_at = [], -np.inf
    for at, loud in packets:
        if loud:
            if at - loud_at > _QUIET_S:
                found.append(at)
            loud_at = at
    return found


def delays_ms(causes: Sequence[float], effects: Sequence[float]) -> list[float]:
    """From each cause to the first effect after it; those without one are left out."""
    times = np.array(sorted(effects))
    found = []
    for cause in causes:
        index = int(np.searchsorted(times, cause))
        if index < len(times) and times[index] - cause < _LONGEST_DELAY_S:
            found.append(round(1000 * float(times[index] - cause), 1))
    return found


def board_delays_ms(events: Iterable[SipEvent], told: Mapping[tuple[str, str], float]) -> list[float]:
    """`told`: when the board said that somebody's call was there (INVITE) or gone (BYE), by number."""
    return [
        round(1000 * (told[event.method, event.number] - event.at), 1)
        for event in events
        if (event.method, event.number) in told
    ]


def listener_core_share(windows: Sequence[Window]) -> float | None:
    """Of a core, for one listener: what the server used more of while they listened, by the number of listeners."""
    without = [window.core for window in windows if not window.listeners]
    listened = [window for window in windows if window.listeners]
    if not without or not listened:
        return None
    return round(mean((window.core - mean(without)) / window.listeners for window in listened), 4)


def percentile(values: Sequence[float], share: int) -> float | None:
    return round(float(np.percentile(values, share)), 1) if values else None


def missed(figures: Mapping[str, Any]) -> list[str]:
    """Names of the figures that are above their goal, or could not be measured."""
    found = [name for name, goal in GOALS.items() if figures[name] is None or figures[name] > goal]
    late, without = figures["rtp_lateness_p99_ms"], figures["rtp_lateness_p99_ms_without"]
    if late is None or without is None or late > max(1.5 * without, without + 2):
        found.append("rtp_lateness_p99_ms")
    return found
