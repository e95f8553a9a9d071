"""What the overload benchmark makes of the windows that it has seen."""

from __future__ import annotations

from benchmarks.capacity_wire import CallSeen
from benchmarks.overload import figures

GOOD, SLOW, LOST = CallSeen(4.0, 3, (0.5, 0.5, 0.5)), CallSeen(9.0, 3, (0.5, 0.5, 1.5)), CallSeen(4.0, 3, (0.5, 0.5))


def test_the_worst_window_counts_and_calls_that_went_are_lost() -> None:
    found = figures(3, [GOOD, GOOD, GOOD], [{1: GOOD, 2: GOOD, 3: SLOW}, {1: GOOD, 2: LOST}], 4, 90)
    assert (found["lateness_p99_ms"], found["lateness_p99_ms_without"]) == (9.0, 4.0)
    assert found["answer_p95_ms"] > 1000 > found["answer_p95_ms_without"]
    assert (found["calls_lost"], found["lost_turns"], found["lost_turns_without"]) == (1, 1, 0)
    assert (found["turns"], found["taken"], found["refused"]) == (15, 4, 90)


def test_calls_that_never_came_up_are_lost_and_an_empty_window_is_no_good_one() -> None:
    found = figures(3, [GOOD, GOOD], [{1: GOOD, 2: GOOD}, {}], 0, 90)
    assert found["calls_lost"] == 3
    assert (found["lateness_p99_ms"], found["answer_p95_ms"]) == (None, None)
    assert figures(3, [GOOD, GOOD], [{1: GOOD, 2: GOOD}], 0, 90)["calls_lost"] == 1
