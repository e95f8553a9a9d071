"""When the bot takes a caller's turn to be over: how often too soon, and how long after the last word.

Callers answer the questions of a bot (a generated corpus, see `benchmarks.turns_corpus`): they pause, hesitate, dictate
numbers in groups; a third of them on a clean line, a third in noise 10 to 15 dB under the speech, a third with 5 % of
the frames lost and concealed. Ours is the product's `Listener` with its turn-taking, dialog and recogniser, in audio
time. From the same voice activity: fixed time-outs of 200 to 2500 ms, and Pipecat's smart-turn alone.

A turn is cut off when it is ended before the caller's last word is over; a delay runs from there to the decision, over
the turns that were not cut off. `best_fixed`: the shortest fixed time-out that cuts off no more turns than ours does.
Turns in which voice activity found no speech at all are `unheard` and counted nowhere else.

    python -m benchmarks.turns [--turns 600] [--seed 2] [--plot P.svg] [--cut-off] [--json]

Whoever tunes the turn-taking does it on seed 1; what is reported comes from another. Both share sentence shapes and
voices; words drawn, numbers, pauses and noise differ. The voices are synthetic (none that the recogniser was trained
on) and their intonation is rule-made: the figures say nothing about people. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.activity import ActivityService
from benchmarks.machine import machine
from benchmarks.turns_corpus import turns
from benchmarks.turns_ours import DECODE_S, Ended, Ours
from benchmarks.turns_rivals import TIMEOUTS_MS, SmartTurn, fixed, listen
from benchmarks.turns_score import Score, best_fixed, score
from benchmarks.turns_sound import RATE, Spoken, render
from voicebot import charts

TUNING_SEED, REPORT_SEED = 1, 2
TOLD_EVERY_S = 30.0


@dataclass(frozen=True)
class Judged:
    """One turn that was heard, and when each way of ending it did so."""

    spoken: Spoken
    ours: Ended
    smart_turn: int | None
    fixed: Mapping[int, int | None]


def judge(corpus: Sequence[Spoken]) -> list[Judged]:
    """Unheard turns are left out."""
    activity = ActivityService()
    ours, smart_turn = Ours(activity), SmartTurn()
    judged: list[Judged] = []
    told_at = time.monotonic()
    for number, spoken in enumerate(corpus, start=1):
        told = listen(activity, spoken.audio)
        if told:
            timeouts = {timeout: fixed(told, timeout) for timeout in TIMEOUTS_MS}
            judged.append(Judged(spoken, ours.end(spoken), smart_turn.end(told, spoken.audio), timeouts))
        if time.monotonic() > told_at + TOLD_EVERY_S:
            told_at = time.monotonic()
            print(f"{number} of {len(corpus)} turns", file=sys.stderr, flush=True)
    smart_turn.close()
    return judged


def scored(judged: Iterable[Judged], decided: Callable[[Judged], int | None]) -> Score:
    of = list(judged)
    return score([one.spoken.end for one in of], [decided(one) for one in of], RATE)


def by_ours(one: Judged) -> int | None:
    return one.ours.at


def by_smart_turn(one: Judged) -> int | None:
    return one.smart_turn


def after(timeout: int) -> Callable[[Judged], int | None]:
    return lambda one: one.fixed[timeout]


def groups(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """By what the flow waits for, by the way of saying it, by the line."""
    found: dict[str, list[Judged]] = {}
    for aspect in ("kind", "shape", "condition", "language"):
        for name in dict.fromkeys(sorted(getattr(one.spoken.turn, aspect) for one in judged)):
            found[f"{aspect} {name}"] = [one for one in judged if getattr(one.spoken.turn, aspect) == name]
    return found


def figures(corpus: Sequence[Spoken], judged: Sequence[Judged], seed: int) -> dict[str, Any]:
    curve = {timeout: scored(judged, after(timeout)) for timeout in TIMEOUTS_MS}
    ours, smart_turn = scored(judged, by_ours), scored(judged, by_smart_turn)
    best = best_fixed(curve, ours)
    best_delay = curve[best].delay_mean_ms if best is not None else None
    return {
        "seed": seed,
        "tuning_seed": TUNING_SEED,
        "turns": len(corpus),
        "unheard": len(corpus) - len(judged),
        "decode_ms": round(DECODE_S * 1000),
        **asdict(ours),
        "best_fixed_ms": best,
        "best_fixed_false_cutoff_rate": curve[best].false_cutoff_rate if best is not None else None,
        "best_fixed_delay_mean_ms": best_delay,
        "delay_of_best_fixed": round(ours.delay_mean_ms / best_delay, 3) if ours.delay_mean_ms and best_delay else None,
        "smart_turn": asdict(smart_turn),
        "groups": {name: asdict(scored(group, by_ours)) for name, group in groups(judged).items()},
        "fixed": {timeout: asdict(one) for timeout, one in curve.items()},
    }


def table(judged: Sequence[Judged], best: int | None) -> str:
    ways: dict[str, Callable[[Judged], int | None]] = {"ours": by_ours, "smart-turn": by_smart_turn}
    if best is not None:
        ways[f"fixed {best} ms"] = after(best)
    rows = [" " * 22 + "turns" + "".join(name.rjust(20) for name in ways)]
    for name, group in {"all": list(judged), **groups(judged)}.items():
        cells = "".join(_cell(scored(group, way)) for way in ways.values())
        rows.append(f"{name:22}{len(group):5}{cells}")
    return "\n".join([*rows, "Cut off, mean delay in ms; in brackets the turns that were never ended."])


def _cell(one: Score) -> str:
    delay = "-" if one.delay_mean_ms is None else f"{one.delay_mean_ms:.0f}"
    never = f" ({one.never_ended})" if one.never_ended else ""
    return f"{100 * (one.false_cutoff_rate or 0):.1f} %  {delay}{never}".rjust(20)


def draw(path: Path, told: Mapping[str, Any]) -> None:
    def point(one: Mapping[str, Any]) -> list[tuple[float, float]]:
        measured = one["false_cutoff_rate"] is not None and one["delay_mean_ms"] is not None
        return [(100 * one["false_cutoff_rate"], one["delay_mean_ms"])] if measured else []

    curves = {
        "fixed time-outs": [corner for one in told["fixed"].values() for corner in point(one)],
        "smart-turn alone": point(told["smart_turn"]),
        "ours": point(told),
    }
    title = f"Ends of {told['turns']} turns, synthetic voices"
    charts.lines(path, title, "% of turns cut off", "ms after the last word, mean", curves)


def tell_cut_off(judged: Sequence[Judged]) -> None:
    for one in judged:
        if one.ours.at is None:
            print(f"never ended: {one.spoken.turn}")
        elif one.ours.at < one.spoken.end:
            after_piece = sum(end <= one.ours.at for end in one.spoken.ends)
            print(f"cut off behind piece {after_piece}, heard {one.ours.text!r}: {one.spoken.turn}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=600)
    parser.add_argument("--seed", type=int, default=REPORT_SEED, help=f"{TUNING_SEED} is for tuning")
    parser.add_argument("--plot", type=Path, help="draws the trade-off (SVG)")
    parser.add_argument("--cut-off", action="store_true", help="tells every turn that ours cuts off or never ends")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    corpus = render(turns(options.turns, options.seed))
    judged = judge(corpus)
    told, described = figures(corpus, judged, options.seed), machine()
    if options.cut_off:
        tell_cut_off(judged)
    print(table(judged, told["best_fixed_ms"]))
    for name, value in told.items():
        if not isinstance(value, dict):
            print(f"{name}: {'not measured' if value is None else value}")
    if options.seed == TUNING_SEED:
        print("This is the seed for tuning: no result.")
    print(f"Synthetic voices only; on {described}")
    if options.plot:
        draw(options.plot, told)
    if options.json:
        print(json.dumps({"figures": told, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
