"""How long a caller will wait, told honestly: a time that holds in about four of five cases, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

ENOUGH = 8
"""Handling times that an estimate needs at least."""

_HELD = 0.84  # standard deviations above the mean: four of five values of a normal distribution are below


def told_wait(ahead: int, handling_s: Sequence[float], agents: int) -> float | None:
    """Seconds that a caller can be told who has `ahead` others before them, or None: it cannot be told.

    `handling_s`: how long agents were busy with recent entries of this queue, wrap-up included. `agents`: those who
    work now and may serve this caller; all are taken to be busy, else nobody would wait.

    The rule. `ahead + 1` agents have to become free. Busy agents that each take `m` seconds, give or take `s`, become
    free at `agents / m` in a second, so that takes `(ahead + 1) * m / agents` on average, with a spread of about
    `sqrt(ahead + 1) * s / agents`. Told is the average and 0.84 of the spread, which four of five waits do not exceed.
    Nothing is told when nobody works, when there are fewer than 8 handling times, or when the spread is as large as the
    average: then any figure would be a guess. Nobody knows who will come with more urgency, or who will go to lunch; so
    it is an upper figure of what is known, not a promise.
    """
    if agents < 1 or len(handling_s) < ENOUGH:
        return None
    steps = ahead + 1
    average = steps * fmean(handling_s) / agents
    margin = _HELD * steps**0.5 * pstdev(handling_s) / agents
    if margin >= average:
        return None
    return float(average + margin)
