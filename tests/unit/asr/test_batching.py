"""Batches only where they win: for the last caller, and not against the average one."""

from __future__ import annotations

from collections.abc import Callable

from asr.batching import BatchPlan, plan


def model(single_s: float, gain: float, fixed_s: float = 0.0) -> Callable[[int], float]:
    """A device on which a batch of n takes `fixed_s` and n / gain single decodes."""
    return lambda size: single_s if size == 1 else fixed_s + single_s * size / gain


def test_a_device_that_computes_side_by_side_gets_batches() -> None:
    assert plan(model(0.01, gain=6)).limit == 8


def test_a_batch_that_is_as_fast_as_one_after_the_other_is_none() -> None:
    chosen = plan(model(0.01, gain=1))
    assert chosen.limit == 1
    assert [size for size, _ in chosen.tried] == [2, 4]  # the third is not tried any more


def test_a_batch_must_not_make_the_average_caller_wait() -> None:
    """1.5 times the throughput: the last one of eight gains, the average one loses."""
    assert plan(model(0.01, gain=1.5)).limit == 2


def test_two_may_lose_where_four_win() -> None:
    assert plan(model(0.01, gain=10, fixed_s=0.016)).limit == 8


def test_a_slow_model_is_not_measured_for_long() -> None:
    asked: list[int] = []

    def trial_s(size: int) -> float:
        asked.append(size)
        return 5.0 * size

    assert plan(trial_s) == BatchPlan(1, 5.0)
    assert asked == [1]


def test_the_time_is_bounded() -> None:
    spent = 0.0

    def trial_s(size: int) -> float:
        nonlocal spent
        spent += 0.1 * size / 4
        return 0.1 * size / 4

    plan(trial_s, (2, 4, 8, 16, 32), budget_s=2.0)
    assert spent <= 2.5


def test_it_tells_what_it_found() -> None:
    assert str(plan(model(0.01, gain=6), (2,))) == "batches of up to 2 (1: 10 ms, 2: 3 ms)"
    assert str(BatchPlan(1, 2.0)) == "no batches (1: 2000 ms)"
