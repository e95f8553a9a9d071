"""What became of every turn of the callers, and the figures of many: pure functions over what was captured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmarks.latency_talk import KINDS, Talk
from voicebot.caller.capture import CapturedAudio, Samples
from voicebot.caller.measure import find_speech, percentile
from voicebot.caller.result import CallerResult, MeasuredTurn, StepReport

# right: the answer that the dialog gives to these words. wrong: another one, or broken to pieces. unanswered: none that
# began after the caller had finished and within six seconds. unreached: the call had gone astray before.
Fate = Literal["right", "wrong", "unanswered", "unreached"]

_MARGIN_S = 0.5  # between what the caller notes of a line and what is captured of it
_WINDOW_S = 0.3  # pieces in which an answer is looked for
_ENOUGH = 0.7  # of them; a frame that a jitter buffer drops or repeats spoils one
_FILLER_S = 0.5  # an answer that begins so long after the first sound came after "one moment", which is no answer
_LATEST_MS = 6000  # by then both bots have asked again, or given up: what comes later is no answer to these words
_TOGETHER = 0.8  # of the callers have to be in a call, or the turn was not one at that load


@dataclass(frozen=True)
class Turn:
    """One turn. `at`: when it ended, or was to end (Unix seconds). `found`: share of the answer that was found."""

    kind: str
    language: str
    at: float
    fate: Fate
    voice_to_voice_ms: float | None = None
    found: float = 0.0


@dataclass(frozen=True)
class Call:
    """One call of a block."""

    started_at: float
    ended_at: float
    turns: tuple[Turn, ...]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Call:
        """From `dataclasses.asdict`."""
        return cls(**{**data, "turns": tuple(Turn(**t) for t in data["turns"]), "problems": tuple(data["problems"])})


def judge(talk: Talk, result: CallerResult, received: CapturedAudio, answers: Sequence[Samples]) -> Call:
    """`answers`: how the right answer to every line begins; `result`: with what the tap saw."""
    said = [step for step in result.steps if step.text]
    ended_at = result.started_at + result.seconds
    turns: list[Turn] = []
    for index, line in enumerate(talk.lines):
        step = said[index] if index < len(said) else None
        at = step.ended_at if step is not None and step.ended_at is not None else ended_at
        if turns and turns[-1].fate != "right":
            turns.append(Turn(line.kind, talk.language, at, "unreached"))
            continue
        measured = _turn_of(step, result.turns) if step is not None else None
        if measured is None:
            turns.append(Turn(line.kind, talk.language, at, "unanswered"))
            continue
        until = said[index + 1].started_at if index + 1 < len(said) else math.inf
        found, late_s = find_answer(answers[index], _cut(received, measured.answered_at - _MARGIN_S, until))
        took_ms = measured.voice_to_voice_ms + (1000 * late_s if late_s > _FILLER_S else 0)
        fate: Fate = "wrong" if found < _ENOUGH else "right" if took_ms <= _LATEST_MS else "unanswered"
        turns.append(Turn(line.kind, talk.language, measured.said_end_at, fate, round(took_ms, 1), round(found, 2)))
    return Call(result.started_at, ended_at, tuple(turns), result.problems)


def _turn_of(step: StepReport, turns: Sequence[MeasuredTurn]) -> MeasuredTurn | None:
    """The measured turn that ended within the line."""
    end = step.ended_at if step.ended_at is not None else math.inf
    return next((t for t in turns if step.started_at - _MARGIN_S <= t.said_end_at <= end + _MARGIN_S), None)


def _cut(audio: CapturedAudio, start: float, end: float) -> Samples:
    last = len(audio.samples) if math.isinf(end) else audio.sample_at(end)
    return audio.samples[audio.sample_at(start) : last]


def find_answer(answer: Samples, heard: Samples) -> tuple[float, float]:
    """How much of `answer` is in `heard` (0 to 1), and how many seconds after the margin it begins there.

    The voice is a machine's: the same words are the same waveform.
    """
    found = find_speech(answer, heard, window_s=_WINDOW_S)
    return (found.matched / found.windows if found.windows else 0.0), max(0.0, found.delay_s - _MARGIN_S)


def at_load(calls: Sequence[Call], callers: int) -> list[Turn]:
    """The turns during which nearly all callers were in a call: what is before and after counts for nothing."""
    needed = math.ceil(_TOGETHER * callers)
    return [
        turn
        for call in calls
        for turn in call.turns
        if sum(other.started_at <= turn.at <= other.ended_at for other in calls) >= needed
    ]


@dataclass(frozen=True)
class Figures:
    """Of one side at one load. Percentiles rest on the `right` turns."""

    right: int
    wrong: int
    unanswered: int
    unreached: int
    p50: float | None
    p95: float | None
    by_kind: Mapping[str, float | None]

    @property
    def lost(self) -> int:
        return self.wrong + self.unanswered

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def figures(turns: Sequence[Turn]) -> Figures:
    right = [turn for turn in turns if turn.fate == "right"]
    times = [turn.voice_to_voice_ms for turn in right if turn.voice_to_voice_ms is not None]
    counts = {fate: sum(turn.fate == fate for turn in turns) for fate in ("wrong", "unanswered", "unreached")}
    kinds = {
        kind: percentile([t.voice_to_voice_ms for t in right if t.kind == kind and t.voice_to_voice_ms is not None], 50)
        for kind in KINDS
    }
    return Figures(len(right), **counts, p50=percentile(times, 50), p95=percentile(times, 95), by_kind=kinds)


def stage_medians(events: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Of our own `turn_timed` events: where the time went, by the bot's clock."""
    stages: dict[str, list[float]] = {}
    for event in events:
        for name, took in event["stages"].items():
            stages.setdefault(name, []).append(float(took))
    return {name: percentile(values, 50) for name, values in stages.items()}
