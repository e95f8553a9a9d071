"""Counting for `benchmarks.turns`: which turns were cut off, how long after its end a turn was ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """Of some turns. Delays: of those that were ended and not cut off. None where there is nothing to count."""

    turns: int
    cut_off: int
    never_ended: int
    false_cutoff_rate: float | None
    delay_mean_ms: float | None
    delay_p95_ms: float | None


def score(ends: Sequence[int], decided: Sequence[int | None], rate: int) -> Score:
    """ends: the last sample of the caller in each turn. decided: the sample at which it was taken to be over.

    A turn that was ended before the caller's last word was over is cut off. One that was never ended counts among the
    turns, as not cut off, and has no delay.
    """
    delays = sorted(
        (at - end) * 1000 / rate
        for end, at in zip(ends, decided, strict=True)
        if at is not None and at >= end
    )  # fmt: skip
    never = sum(at is None for at in decided)
    cut = len(ends) - len(delays) - never
    return Score(
        turns=len(ends),
        cut_off=cut,
        never_ended=never,
        false_cutoff_rate=round(cut / len(ends), 4) if ends else None,
        delay_mean_ms=round(sum(delays) / len(delays), 1) if delays else None,
        delay_p95_ms=round(delays[min(len(delays) - 1, int(0.95 * len(delays)))], 1) if delays else None,
    )


def best_fixed(curve: Mapping[int, Score], ours: Score) -> int | None:
    """The shortest time-out whose cut-offs are no more than ours; None: none of them is so careful."""
    return min((timeout for timeout, one in curve.items() if one.cut_off <= ours.cut_off), default=None)
