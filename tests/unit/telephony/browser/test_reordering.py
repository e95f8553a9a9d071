"""RTP packets in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.browser.reordering import PATIENCE, Reordering


def order(*sequence: int) -> tuple[list[int], Reordering]:
    buffer = Reordering()
    given_out = [packet for number in sequence for packet in buffer.add(number, number.to_bytes(2, "big"))]
    return [int.from_bytes(packet, "big") for packet in given_out], buffer


def test_what_comes_in_order_is_given_out_at_once() -> None:
    buffer = Reordering()
    assert [buffer.add(number, b"x") for number in (65534, 65535, 0, 1)] == [[b"x"]] * 4


def test_a_packet_that_was_overtaken_is_waited_for() -> None:
    given_out, buffer = order(1, 3, 4, 2, 5)
    assert given_out == [1, 2, 3, 4, 5]
    assert (buffer.lost, buffer.late) == (0, 0)


def test_a_packet_that_does_not_come_is_given_up_after_a_moment_and_delays_nothing_that_follows() -> None:
    buffer = Reordering()
    waits = [bool(buffer.add(number, b"x")) for number in (1, 3, 4, 5, 6, 7, 8)]
    assert waits == [True, *[False] * PATIENCE, True, True, True]
    assert buffer.lost == 1
    assert buffer.add(2, b"x") == []
    assert buffer.late == 1


def test_a_packet_that_comes_twice_is_used_once() -> None:
    assert order(1, 2, 2, 4, 4, 3)[0] == [1, 2, 3, 4]


def test_a_stream_may_begin_anew_anywhere() -> None:
    given_out, buffer = order(5, 6, 40000, 40001)
    assert given_out == [5, 6, 40000, 40001]
    assert buffer.lost == 0


@given(st.integers(0, 65535), st.lists(st.integers(0, 60), min_size=1, max_size=200, unique=True))
def test_whatever_comes_is_given_out_in_order_once(start: int, arrivals: list[int]) -> None:
    buffer = Reordering()
    out = [packet for n in arrivals for packet in buffer.add((start + n) % 65536, n.to_bytes(2, "big"))]
    numbers = [int.from_bytes(packet, "big") for packet in out]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(arrivals)
    assert len(numbers) + buffer.late + len(buffer._waiting) == len(arrivals)
