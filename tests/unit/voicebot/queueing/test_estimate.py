"""What waiting callers are told: it holds in about four of five cases, and is not said where nobody can know."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import pytest

from voicebot.queueing.estimate import ENOUGH, told_wait


def test_nothing_is_told_without_evidence_or_without_agents() -> None:
    assert told_wait(0, [120.0] * (ENOUGH - 1), 3) is None
    assert told_wait(0, [120.0] * ENOUGH, 0) is None


def test_nothing_is_told_when_the_times_say_nothing() -> None:
    wild = [5.0] * 9 + [3600.0]
    assert told_wait(0, wild, 2) is None
    assert told_wait(20, wild, 2) is not None  # of many, the sum is known better than each


def test_more_callers_ahead_take_longer_and_more_agents_shorter() -> None:
    times = [100.0, 140.0] * 10
    waits = [told_wait(ahead, times, agents) for ahead, agents in ((0, 2), (3, 2), (3, 8))]
    assert all(wait is not None for wait in waits)
    assert waits[1] > waits[0] > 0  # type: ignore[operator]
    assert waits[2] < waits[1]  # type: ignore[operator]


def _held(handling: Callable[[random.Random], float], agents: int, seed: int) -> tuple[float, float, int]:
    """A busy afternoon, simulated: the share of told waits that held, told over waited, how many were told."""
    chance = random.Random(seed)
    free = [0.0] * agents
    done: list[tuple[float, float]] = []  # when, how long: of those served
    starts: list[float] = []
    held, ratio, told_times, now = 0, 0.0, 0, 0.0
    for _ in range(4000):
        now += chance.expovariate(agents / 190.0)
        ahead = sum(start > now for start in starts)
        known = [took for end, took in sorted(done) if end <= now][-30:]
        start = max(now, free[0])
        took = handling(chance)
        heapq.heapreplace(free, start + took)
        done = [*done[-200:], (start + took, took)]
        starts = [*starts[-200:], start]
        told = told_wait(ahead, known, agents) if start > now else None
        if told is not None:
            held += start - now <= told
            ratio += told / max(start - now, 1.0) <= 4
            told_times += 1
    return held / told_times, ratio / told_times, told_times


@pytest.mark.parametrize("agents", [1, 3, 10])
@pytest.mark.parametrize(
    ("name", "handling"),
    [
        ("even", lambda chance: chance.uniform(120, 240)),
        ("lognormal", lambda chance: chance.lognormvariate(5.06, 0.5)),
        ("exponential", lambda chance: chance.expovariate(1 / 180)),
    ],
)
def test_told_waits_hold(name: str, handling: Callable[[random.Random], float], agents: int) -> None:
    held, near, told = _held(handling, agents, seed=7)
    print(f"{name}, {agents} agents: {told} told, {held:.0%} held, {near:.0%} at most four times the wait")
    assert told > 500
    assert held >= 0.72
    assert near >= 0.6
