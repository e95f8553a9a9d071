"""Who is not heard, and who only pauses."""

from __future__ import annotations

from collections.abc import Sequence

from telephony.arrivals import Arrivals, HearingWatch
from telephony.leg import HeardAgain, Unheard

Stretch = tuple[float, bool]  # seconds, and whether audio comes


def told(*stretches: Stretch, held: Sequence[tuple[float, float]] = (), read_until: float = 1e9) -> list[object]:
    """What is told of a call, in ticks of 20 ms, looked at each second; `held`: from, to."""
    arrivals = Arrivals()
    watch = HearingWatch(arrivals, 0.0)
    changes: list[object] = []
    tick = 0
    for seconds, comes in stretches:
        for _ in range(round(seconds * 50)):
            now = tick / 50
            if now < read_until:
                arrivals.note(comes, now)
            if tick % 50 == 0:
                change = watch.look(now, any(start <= now < end for start, end in held))
                changes += [] if change is None else [(now, change)]
            tick += 1
    return changes


def test_a_call_whose_sound_never_comes_is_told_of_once_after_5_s() -> None:
    assert told((60, False)) == [(5.0, Unheard(ever=False))]


def test_sound_that_comes_late_is_told_of_too() -> None:
    assert told((7.5, False), (30, True)) == [(5.0, Unheard(ever=False)), (8.0, HeardAgain(8.0))]


def test_a_phone_that_sends_always_and_stops_is_not_heard() -> None:
    assert told((12, True), (10, False), (20, True)) == [(17.0, Unheard(ever=True)), (22.0, HeardAgain(10.0))]


def test_a_phone_that_pauses_by_itself_is_not_suspected() -> None:
    assert told(*[(3, True), (2, False)] * 4, (4, True), (60, False)) == []


def test_single_losses_do_not_make_a_phone_one_that_pauses() -> None:
    assert told(*[(1, True), (0.1, False)] * 11, (10, False)) == [(17.0, Unheard(ever=True))]


def test_nothing_is_missed_on_hold_and_for_5_s_after_it() -> None:
    assert told((12, True), (40, False), held=[(12.0, 30.0)]) == [(34.0, Unheard(ever=True))]


def test_nobody_knows_while_nobody_reads() -> None:
    assert told((60, False), read_until=2.0) == []
