"""What the capacity benchmark makes of captured packets."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from asr.training.channel import encode_a_law
from benchmarks.capacity import Level, calls_held, figures
from benchmarks.capacity_wire import ANSWERED_WITHIN_S, CallSeen, calls_seen, set_ups
from benchmarks.wire_capture import Datagram

BOT, CALLER = 12000, 40000
PORTS = (12000, 12999)
QUIET = encode_a_law(np.full(160, 8, dtype=np.int16)).tobytes()
LOUD = encode_a_law(np.full(160, 4000, dtype=np.int16)).tobytes()


def stream(
    source: int, target: int, loud: list[tuple[float, float]], late: dict[int, float] | None = None
) -> list[Datagram]:
    """Twenty seconds of one direction, loud in these times; some packets late by so much."""
    packets = []
    for number in range(1000):
        at = number * 0.02
        payload = LOUD if any(start <= at < end for start, end in loud) else QUIET
        header = struct.pack(">BBHII", 0x80, 8, number, number * 160, 1)
        packets.append(Datagram(at + (late or {}).get(number, 0.0), source, target, header + payload))
    return packets


def seen(words: list[tuple[float, float]], answers: list[tuple[float, float]], until: float = 20.0) -> CallSeen:
    return calls_seen([*stream(CALLER, BOT, words), *stream(BOT, CALLER, answers)], PORTS, until)[BOT]


def test_a_word_that_is_answered_is_a_turn() -> None:
    call = seen([(5.0, 5.4)], [(1.0, 4.0), (6.0, 8.0)])
    assert (call.turns, call.lost) == (1, 0)
    assert call.answers_s == pytest.approx((0.62,))
    assert call.held(0.0, 5.0)


@pytest.mark.parametrize("answers", [[], [(1.0, 4.0)], [(8.5, 9.0)], [(1.0, 12.0)]])
def test_a_turn_is_lost_when_nothing_begins_in_time(answers: list[tuple[float, float]]) -> None:
    call = seen([(5.0, 5.4)], answers)
    assert (call.turns, call.lost) == (1, 1)
    assert not call.held(0.0, 5.0)


def test_words_that_could_not_be_answered_any_more_do_not_count() -> None:
    assert seen([(5.0, 5.4), (18.0, 18.4)], [(6.0, 7.0)], until=18.4 + ANSWERED_WITHIN_S - 0.1).turns == 1


def test_a_call_whose_packets_come_unevenly_is_not_held() -> None:
    late = {number: 0.011 for number in range(0, 1000, 50)}  # 40 gaps of 1000 are 11 ms off
    call = calls_seen(stream(BOT, CALLER, [], late), PORTS, 20.0)[BOT]
    assert call.lateness_p99_ms == pytest.approx(11.0, abs=0.1)
    assert not call.held(6.5, 5.0), "nothing was asked of it"
    call = replace(call, turns=1, answers_s=(0.5,))
    assert call.held(6.5, 5.0)
    assert not call.held(5.5, 5.0)


def test_calls_are_told_apart_and_strangers_left_out() -> None:
    packets = [*stream(BOT, CALLER, []), *stream(BOT + 4, CALLER, []), *stream(50000, CALLER, [])]
    assert set(calls_seen(packets, PORTS, 20.0)) == {BOT, BOT + 4}


def message(at: float, call: str, line: str) -> Datagram:
    return Datagram(at, 5061, 5060, f"{line}\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\r\n".encode())


def test_set_ups_are_timed_and_repeated_invites_counted() -> None:
    invite, ok = "INVITE sip:100@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"
    first, second, third = set_ups(
        [
            message(1.0, "a", invite),
            message(1.2, "a", "SIP/2.0 180 Ringing"),
            message(1.3, "b", invite),
            message(1.4, "a", ok),
            message(1.8, "b", invite),
            message(2.0, "b", ok),
            message(3.0, "c", invite),
        ]
    )
    assert (first.took_s, first.sent) == (pytest.approx(0.4), 1)
    assert (second.took_s, second.sent) == (pytest.approx(0.7), 2)
    assert (third.took_s, third.sent) == (None, 1)


def level(side: str, calls: int, held: int) -> Level:
    good, bad = CallSeen(4.0, 3, (0.5, 0.5, 0.5)), CallSeen(4.0, 3, (0.5, 0.5))
    return Level(side, calls, (good,) * held + (bad,) * (calls - held), 10.0, 1.0, 0.5)


def test_the_level_held_is_the_last_before_the_first_that_was_not() -> None:
    levels = [level("ours", 10, 10), level("ours", 30, 30), level("ours", 20, 19), level("stock", 2, 2)]
    assert calls_held([one for one in levels if one.side == "ours"], 3.5) == 10
    found = figures(levels, 3.5, 8.0)
    assert (found["calls_held"], found["stock_calls_held"], found["calls_held_recognised"]) == (10, 2, None)
    assert (found["lost_turns"], found["rtp_lateness_p99_ms"]) == (0, 4.0)


def test_nothing_that_was_held_is_no_figure() -> None:
    found = figures([level("ours", 10, 9)], 3.5, None)
    assert (found["calls_held"], found["rtp_lateness_p99_ms"]) == (0, None)
