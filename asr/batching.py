"""Whether several calls' speech is decoded faster together than one after the other: measured at start-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

CPU_SIZES = (2, 4, 8)
CUDA_SIZES = (2, 4, 8, 16)
BUDGET_S = 2.0
WIN = 0.9  # what is not a tenth better is noise


@dataclass(frozen=True)
class BatchPlan:
    """limit: the most requests decoded at once, 1 for no batches. single_s: one answer of two seconds.

    tried: size and seconds of each batch that was measured. Empty when the model is too slow to try.
    """

    limit: int
    single_s: float
    tried: tuple[tuple[int, float], ...] = ()

    def __str__(self) -> str:
        rows = [
            f"1: {1000 * self.single_s:.0f} ms",
            *(f"{size}: {1000 * seconds:.0f} ms" for size, seconds in self.tried),
        ]
        return (
            f"batches of up to {self.limit} ({', '.join(rows)})"
            if self.limit > 1
            else f"no batches ({', '.join(rows)})"
        )


def plan(trial_s: Callable[[int], float], sizes: Sequence[int] = CPU_SIZES, budget_s: float = BUDGET_S) -> BatchPlan:
    """Tries growing batches until one loses or the time is spent. `trial_s(n)`: seconds that a batch of n takes.

    One after the other, n callers wait (n + 1) / 2 decodes on average, all of a batch wait for its end: a batch wins
    when it ends before that. So the last caller gains from it and the average one does not lose.
    """
    first = trial_s(1)
    if first > budget_s / 4:
        return BatchPlan(1, first)
    single = min(first, trial_s(1), trial_s(1))
    spent, limit, tried = 3 * first, 1, list[tuple[int, float]]()
    for size in sizes:
        if spent + 2 * size * single > budget_s:
            break
        seconds = min(trial_s(size), trial_s(size))
        spent += 2 * seconds
        tried.append((size, seconds))
        if seconds <= WIN * single * (size + 1) / 2:
            limit = size
        elif size > sizes[0]:  # two hardly gain where many do
            break
    return BatchPlan(limit, single, tuple(tried))
