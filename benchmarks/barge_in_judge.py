"""From a call that was tapped to what each of its events came to, and from those to the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.barge_in_caller import AFTER_S, CallLog, Made
from benchmarks.barge_in_wire import Text, clicks, ducking, follow, place
from voicebot.caller.capture import SAMPLE_RATE, CapturedAudio, Samples
from voicebot.caller.measure import best_match, percentile

GOALS = {"stop_p50_ms": None, "stop_p95_ms": 250.0, "false_stop_rate": 0.05, "missed_rate": 0.05, "clicks": 0.0}
MISSED_AFTER_S = 1.5  # the bot may be heard so long after the last sound of an interruption
_LOOK_S = 1.0  # around the noted time
_LEAD = SAMPLE_RATE // 2
_GAP_S = 0.1  # between packets of 20 ms: not the voice was held, the machine stood still
_SENT = 0.6  # normalised correlation of a sound and itself on the wire


@dataclass(frozen=True)
class Result:
    """What became of an event. `flaw`: why it says nothing; then the rest is not to be read.

    `stop_ms` is None where the bot did not stop, or where its silence had begun before the sound did.
    """

    number: int
    interrupts: bool
    kind: str
    condition: str
    said: str
    text: str = ""
    into_text_s: float = 0.0
    stopped: bool = False
    missed: bool = False
    stop_ms: float | None = None
    held_ms: tuple[float, ...] = ()
    duck_after_ms: float | None = None
    duck_db: float | None = None
    clicks: int = 0
    glitches: int = 0
    flaw: str = ""

    @property
    def false_stop(self) -> bool:
        return not self.interrupts and self.stopped


def judge(log: CallLog, texts: Sequence[Text]) -> list[Result]:
    """One result for each event that was made in the call."""
    if log.capture is None:
        return []
    sent, received = log.capture.audio("sent"), log.capture.audio("received")
    results: list[Result] = []
    following = float("inf")
    for made in reversed(log.made):
        event, times = made.event, _on_the_wire(made, sent)
        blank = Result(event.number, event.interrupts, event.kind, event.condition, event.said)
        if times is None:
            results.append(replace(blank, flaw="the sound is not on the wire"))
            continue
        begin, end = (received.sample_at(time) for time in times)
        until = received.sample_at(min(times[1] + AFTER_S, following))
        if longest_gap_s(received, begin - _LEAD, until) > _GAP_S:
            results.append(replace(blank, flaw="the bot sent no packets for a while"))
        else:
            results.append(result(blank, received.samples, begin, end, until, texts))
        following = times[0] - event.before_s
    return results[::-1]


def longest_gap_s(audio: CapturedAudio, first: int, last: int) -> float:
    """Longest time between two packets from sample `first` to `last`."""
    inside = (audio.anchors >= first) & (audio.anchors <= last)
    return float(np.diff(audio.arrivals[inside]).max(initial=0.0))


def result(blank: Result, heard: Samples, begin: int, end: int, until: int, texts: Sequence[Text]) -> Result:
    """The sound was on the wire from sample `begin` to `end` of what is heard of the bot; watched to `until`."""
    where = place(heard, begin, texts)
    if where is None:
        return replace(blank, flaw="the bot was in none of its texts")
    left_s = (where.lag + len(where.text.samples) - end) / SAMPLE_RATE
    if left_s < MISSED_AFTER_S or until - end < MISSED_AFTER_S * SAMPLE_RATE:
        return replace(blank, text=where.text.name, flaw="too little of the text was left")
    course = follow(heard, where, begin - _LEAD, until)
    if course.ending == "lost":
        return replace(blank, text=where.text.name, flaw="the bot said something else without a pause")
    stopped = course.ending == "stopped"
    ducked = ducking(heard, course, begin)
    at_edges, elsewhere = clicks(heard, course, begin)
    return replace(
        blank,
        text=where.text.name,
        into_text_s=round((begin - where.lag) / SAMPLE_RATE, 2),
        stopped=stopped,
        missed=blank.interrupts and (not stopped or course.heard_after(end) > MISSED_AFTER_S * SAMPLE_RATE),
        stop_ms=_ms(course.silent_from - begin) if stopped and course.silent_from > begin else None,
        held_ms=tuple(_ms(samples) for samples in course.held),
        duck_after_ms=_ms(ducked.after) if ducked else None,
        duck_db=round(ducked.drop_db, 1) if ducked else None,
        clicks=len(at_edges),
        glitches=len(elsewhere),
    )


def _on_the_wire(made: Made, sent: CapturedAudio) -> tuple[float, float] | None:
    """When the first and the last audible sample of the sound were on the wire; None: they were not found."""
    event = made.event
    if event.echo is not None:
        return made.at, made.at + event.echo.seconds
    clip = np.frombuffer(event.clip, "<i2")
    piece = clip[event.begin : min(event.end, event.begin + SAMPLE_RATE)]
    first = sent.sample_at(made.at - _LOOK_S)
    around = sent.samples[first : sent.sample_at(made.at + event.before_s + _LOOK_S) + len(piece)]
    position, score = best_match(piece, around)
    if score < _SENT:
        return None
    return sent.time_at(first + position), sent.time_at(first + position + event.end - event.begin)


def figures(results: Sequence[Result], wanted: int) -> dict[str, Any]:
    """What is reported; None where there was nothing to measure. `results`: one for each event."""
    good = [one for one in results if not one.flaw]
    real, harmless = ([one for one in good if one.interrupts is which] for which in (True, False))
    stops = [one.stop_ms for one in real if one.stop_ms is not None]
    ducked = [one for one in real if one.duck_db is not None]
    held = [ms for one in harmless for ms in one.held_ms]
    return {
        "stop_p50_ms": percentile(stops, 50),
        "stop_p95_ms": percentile(stops, 95),
        "false_stop_rate": _share(harmless, lambda one: one.stopped),
        "missed_rate": _share(real, lambda one: one.missed),
        "clicks": sum(one.clicks for one in good) if good else None,
        "events": len(good),
        "interruptions": len(real),
        "not_measured": wanted - len(good),
        "flaws": dict(Counter(one.flaw for one in results if one.flaw)),
        "silent_before_the_word": sum(one.stopped and one.stop_ms is None for one in real),
        "ducked_rate": _share(real, lambda one: one.duck_db is not None),
        "duck_p50_ms": percentile([one.duck_after_ms for one in ducked if one.duck_after_ms is not None], 50),
        "duck_p95_ms": percentile([one.duck_after_ms for one in ducked if one.duck_after_ms is not None], 95),
        "duck_db": percentile([one.duck_db for one in ducked if one.duck_db is not None], 50),
        "harmless_held_rate": _share(harmless, lambda one: bool(one.held_ms)),
        "harmless_held_p50_ms": percentile(held, 50),
        "harmless_held_p95_ms": percentile(held, 95),
        "harmless_ducked_rate": _share(harmless, lambda one: one.duck_db is not None),
        "glitches": sum(one.glitches for one in good),
        "by_kind": {kind: _of_group(group) for kind, group in groups(good).items()},
    }


def groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Interruptions by kind and by condition, the rest by kind."""
    found: dict[str, list[Result]] = {}
    for one in sorted(results, key=lambda one: (not one.interrupts, one.kind)):
        found.setdefault(one.kind, []).append(one)
    for one in sorted(results, key=lambda one: one.condition):
        if one.condition:
            found.setdefault(f"all {one.condition}", []).append(one)
    return found


def _of_group(group: Sequence[Result]) -> dict[str, Any]:
    stops = [one.stop_ms for one in group if one.stop_ms is not None]
    return {
        "events": len(group),
        "stopped": sum(one.stopped for one in group),
        "missed": sum(one.missed for one in group) if group[0].interrupts else None,
        "held": sum(bool(one.held_ms) for one in group),
        "stop_p50_ms": percentile(stops, 50),
        "stop_p95_ms": percentile(stops, 95),
    }


def _share(results: Sequence[Result], which: Callable[[Result], bool]) -> float | None:
    return round(sum(which(one) for one in results) / len(results), 4) if results else None


def _ms(samples: int) -> float:
    return round(samples * 1000 / SAMPLE_RATE, 1)
