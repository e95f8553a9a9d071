"""What the bot's wire says about an interruption: pure functions on samples (16-bit mono, 8000 Hz).

The bot's texts are known to the sample, so nothing is guessed from levels alone: what is heard is laid beside the text
that was being spoken, and followed through ducking, holding, going on from where it was, and stopping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voicebot.caller.capture import SAMPLE_RATE, Samples
from voicebot.caller.measure import best_match

Signal = NDArray[np.float64]
Ending = Literal["stopped", "went on", "over", "lost"]
Reason = Literal["silent", "went on", "over", "slipped"]

_FRAME = SAMPLE_RATE // 100
_SILENT_DB = 35.0  # under the level of the speech: silence
_EXPECTED_DB = 14.0  # over the bound of silence: speech that would be heard even if ducked
_SILENCE_FRAMES = 15
_EXPECTED_FRAMES = 5  # of the text that must have been missing: a pause of the text itself is no silence
_ONSET_FRAMES = 3
_PIECE = SAMPLE_RATE * 8 // 10  # looked for in the texts
_RESUMED_PIECE = SAMPLE_RATE // 2
_SAME = 0.7  # normalised correlation of the same words; other words of the same voice stay below
_BLOCK = SAMPLE_RATE // 10
_ALIGNED = 0.5
_SLIP = SAMPLE_RATE // 2
_REWIND = 2 * SAMPLE_RATE  # a voice that goes on may repeat so much of what it has said
_GAIN_FRAME = SAMPLE_RATE // 50
_ALIKE = 0.8  # normalised correlation of a frame and the text: no hole and nothing else is in it
_MEASURABLE_DB = 15.0  # under the level of the speech: too little to tell a gain from
_DUCKED_DB = 4.0
_DUCKED_FRAMES = 5  # a lost frame is no ducking
_DEEPEST_DB = 24.0  # a voice that is lower has been silenced
_SMOOTH = 8  # frames
_FADE = SAMPLE_RATE * 6 // 100  # around a silence: no ducking is read from it
_STEP_WINDOW = SAMPLE_RATE // 1000
_STEP = 0.25  # of full level within a millisecond; a fade of 5 ms stays below
_STEP_DB = 10.0  # under the level of the speech: too soft for a click
_PAD = SAMPLE_RATE * 4 // 100
_EDGE = SAMPLE_RATE * 6 // 100
_ENDINGS: dict[Reason, Ending] = {"silent": "stopped", "went on": "went on", "over": "over", "slipped": "lost"}


@dataclass(frozen=True)
class Text:
    """What the bot may say. `level`: RMS of its speech without the pauses."""

    name: str
    samples: Samples
    level: float

    @classmethod
    def of(cls, name: str, samples: Samples) -> Text:
        rms = frame_rms(samples.astype(np.float64))
        loud = rms[rms > 0.1 * rms.max(initial=1.0)]
        return cls(name, samples, float(np.sqrt(np.square(loud).mean())))

    def at(self, first: int, count: int) -> Signal:
        """Its samples from `first` on, silence before and after it."""
        found = np.zeros(count)
        start, end = max(0, first), min(len(self.samples), first + count)
        if start < end:
            found[start - first : end - first] = self.samples[start:end]
        return found


@dataclass(frozen=True)
class Place:
    """Sample `i` of what is heard is sample `i - lag` of the text."""

    text: Text
    lag: int


@dataclass(frozen=True)
class Stretch:
    """Samples `start` to `end` of what is heard are the text at this lag."""

    start: int
    end: int
    lag: int


@dataclass(frozen=True)
class Course:
    """How the text went. Between two stretches the voice was held; `bursts` are sounds in such a silence that are none.

    ending: stopped (broken off; `next_at` is where the bot spoke again), went on (to the end of the watch), over (the
    text ended), lost (something else was heard without a silence before it).
    """

    text: Text
    stretches: tuple[Stretch, ...]
    ending: Ending
    next_at: int | None = None
    bursts: tuple[int, ...] = ()

    @property
    def silent_from(self) -> int:
        """Where the last stretch ended; the silence of a stop begins here."""
        return self.stretches[-1].end

    @property
    def held(self) -> tuple[int, ...]:
        """Lengths of the silences after which the text went on."""
        pairs = zip(self.stretches, self.stretches[1:], strict=False)
        return tuple(after.start - before.end for before, after in pairs if after.start > before.end)

    def heard_after(self, sample: int) -> int:
        """How many samples of the text were heard from `sample` on."""
        return sum(max(0, stretch.end - max(stretch.start, sample)) for stretch in self.stretches)


@dataclass(frozen=True)
class Ducking:
    """`after`: samples from the word's beginning; `drop_db`: how far the voice went down."""

    after: int
    drop_db: float


def frame_rms(signal: Signal, frame: int = _FRAME) -> Signal:
    """RMS of every whole frame."""
    whole = signal[: len(signal) // frame * frame].reshape(-1, frame)
    rms: Signal = np.sqrt(np.square(whole).mean(axis=1))
    return rms


def place(heard: Samples, before: int, texts: Sequence[Text]) -> Place | None:
    """The text that was being spoken in the 0.8 s before that sample; None when it was none of these."""
    piece = heard[max(0, before - _PIECE) : before]
    if len(piece) < _PIECE:
        return None
    found = [(best_match(piece, text.samples), text) for text in texts]
    (position, score), text = max(found, key=lambda item: item[0][1])
    return Place(text, before - _PIECE - position) if score >= _SAME else None


def follow(heard: Samples, where: Place, start: int, until: int) -> Course:
    """The text from `start` on, watched to `until`."""
    text, begin, lag = where.text, start, where.lag
    checked = start  # moves on in every round
    stretches: list[Stretch] = []
    bursts: list[int] = []
    while True:
        end, why = _speaks_until(heard, Place(text, lag), checked, until)
        onset: int | None = None
        position: int | None = None
        if why == "slipped":
            onset = checked = end + _BLOCK
            position = _found_again(heard[onset : onset + 3 * _BLOCK], text, onset - lag - _SLIP, onset - lag + _SLIP)
            if position == onset - lag:
                continue  # a scrap of something else, behind which the text has not moved
            end = onset
        elif why == "silent":
            onset, early = _onset(heard, text, end, until)
            bursts += early
            if onset is not None:
                position, checked = _resumed(heard, text, end - lag, end, onset), onset
        stretches.append(Stretch(begin, end, lag))
        if onset is None or position is None:
            return Course(text, tuple(stretches), _ENDINGS[why], onset, tuple(bursts))
        begin, lag = onset, onset - position


def ducking(heard: Samples, course: Course, word: int) -> Ducking | None:
    """How the voice was lowered after the word began, against its level in the half second before; None: it was not."""
    times, gains = _gain_track(heard, course)
    before = gains[times < word - _GAIN_FRAME]
    if not len(before):
        return None
    drop = float(np.median(before)) - gains
    ducked = (times >= word - _GAIN_FRAME // 2) & (drop > _DUCKED_DB) & (drop < _DEEPEST_DB)
    runs = np.flatnonzero(np.diff(np.concatenate([[False], ducked, [False]]).astype(np.int8))).reshape(-1, 2)
    for first, end in runs:
        if end - first >= _DUCKED_FRAMES:
            return Ducking(max(0, int(times[first]) - word), float(np.median(drop[first:end])))
    return None


def clicks(heard: Samples, course: Course, word: int) -> tuple[list[int], list[int]]:
    """Clicks where the voice is ducked, held, stopped or goes on, and those elsewhere, from the word's beginning on.

    A click is a gain that changes by a quarter of full level or more within a millisecond, while the text is loud
    there; or a sound in a silence that is too short for speech.
    """
    steps = sorted({at for stretch in course.stretches for at in _gain_steps(heard, course.text, stretch)})
    apart = [at for index, at in enumerate(steps) if index == 0 or at - steps[index - 1] > _FRAME]
    found = [*(at for at in apart if at >= word), *course.bursts]
    edges = [*course.bursts, *_edges(heard, course)]
    at_edge = [at for at in found if any(abs(at - edge) <= _EDGE for edge in edges)]
    return at_edge, [at for at in found if at not in at_edge]


def _speaks_until(heard: Samples, where: Place, begin: int, until: int) -> tuple[int, Reason]:
    """Where the text at this lag is no longer heard, and why."""
    text, lag = where.text, where.lag
    stop = min(until, lag + len(text.samples), len(heard))
    signal = heard[begin:stop].astype(np.float64)
    expected = text.at(begin - lag, len(signal))
    bound = text.level * _ratio(-_SILENT_DB)
    quiet = frame_rms(signal) < bound
    due = frame_rms(expected) > bound * _ratio(_EXPECTED_DB)
    silent = _missing(quiet, due)
    # Where nothing is heard the voice has been silenced, which is no other sound.
    audible = np.repeat(~quiet, _FRAME) * expected[: len(quiet) * _FRAME]
    slipped = _misaligned(signal[: len(audible)], audible, text.level)
    if slipped is not None and (silent is None or slipped < silent * _FRAME):
        return begin + slipped, "slipped"
    if silent is None:
        return stop, "over" if stop == lag + len(text.samples) else "went on"
    tail = np.flatnonzero(np.abs(signal[: silent * _FRAME]) > bound)
    return begin + (int(tail[-1]) + 1 if len(tail) else 0), "silent"


def _missing(quiet: NDArray[np.bool_], due: NDArray[np.bool_]) -> int | None:
    """First frame of the first silence in which speech was due."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    for first, end in edges.reshape(-1, 2):
        if end - first >= _SILENCE_FRAMES and due[first:end].sum() >= _EXPECTED_FRAMES:
            return int(first)
    return None


def _misaligned(signal: Signal, expected: Signal, level: float) -> int | None:
    """First block in which something else than the text is heard, loud where the text is loud."""
    least = _BLOCK * (level * _ratio(-_MEASURABLE_DB)) ** 2
    for start in range(0, len(signal) - _BLOCK + 1, _BLOCK):
        heard, due = signal[start : start + _BLOCK], expected[start : start + _BLOCK]
        alike = float(heard @ due) / float(np.sqrt(heard @ heard * (due @ due)) + 1e-9)
        if np.count_nonzero(due) > _BLOCK // 2 and due @ due > least and alike < _ALIGNED:
            return start
    return None


def _onset(heard: Samples, text: Text, after: int, until: int) -> tuple[int | None, list[int]]:
    """Where the bot speaks again, and the sounds before that are too short for speech."""
    loud = frame_rms(heard[after:until].astype(np.float64)) >= text.level * _ratio(-_SILENT_DB)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    bursts: list[int] = []
    for first, end in edges.reshape(-1, 2):
        if end - first >= _ONSET_FRAMES or end == len(loud):
            return after + int(first) * _FRAME, bursts
        bursts.append(after + int(first) * _FRAME)
    return None, bursts


def _resumed(heard: Samples, text: Text, position: int, silent_from: int, onset: int) -> int | None:
    """The position at which the text goes on at `onset`, where it was at `position` when it fell silent; None: it does
    not."""
    piece = heard[onset : onset + _RESUMED_PIECE]
    quiet = frame_rms(piece.astype(np.float64)) < text.level * _ratio(-_SILENT_DB)
    breaks = np.flatnonzero(quiet[_ONSET_FRAMES:])
    if len(breaks) and len(breaks) > len(quiet) // 2:
        piece = piece[: (int(breaks[0]) + _ONSET_FRAMES) * _FRAME]
    return _found_again(piece, text, position - _REWIND, position + (onset - silent_from) + _SLIP)


def _found_again(piece: Samples, text: Text, first: int, last: int) -> int | None:
    """Where the piece begins in the text, looked for from `first` to `last`."""
    first = max(0, first)
    within = text.samples[first : max(first, last) + len(piece)]
    position, score = best_match(piece, within)
    return first + position if score >= _SAME else None


def _gain_track(heard: Samples, course: Course) -> tuple[NDArray[np.int64], Signal]:
    """Times and gains in dB of the frames of 20 ms in which the text is heard loudly; not at the edges of silences."""
    times: list[int] = []
    gains: list[float] = []
    for index, stretch in enumerate(course.stretches):
        first = stretch.start + (_FADE if index and stretch.start > course.stretches[index - 1].end else 0)
        last = stretch.end - _FADE - _GAIN_FRAME
        least = _GAIN_FRAME * (course.text.level * _ratio(-_MEASURABLE_DB)) ** 2
        for at in range(first, last + 1, _FRAME):
            due, found = course.text.at(at - stretch.lag, _GAIN_FRAME), heard[at : at + _GAIN_FRAME].astype(np.float64)
            if due @ due > least and found @ due > _ALIKE * np.sqrt((due @ due) * (found @ found)):
                times.append(at)
                gains.append(20 * float(np.log10(found @ due / (due @ due))))
    return np.array(times, np.int64), np.array(gains)


def _edges(heard: Samples, course: Course) -> list[int]:
    """Where silences begin and end, and where the gain goes down or up."""
    pairs = list(zip(course.stretches, course.stretches[1:], strict=False))
    edges = [at for before, after in pairs if after.start > before.end for at in (before.end, after.start)]
    if course.ending == "stopped":
        edges.append(course.silent_from)
    times, gains = _gain_track(heard, course)
    for index in range(1, len(gains)):  # by medians: a lost frame is no change of level
        before, after = gains[max(0, index - _SMOOTH) : index], gains[index : index + _SMOOTH]
        if abs(np.median(after) - np.median(before)) > _DUCKED_DB:
            edges.append(int(times[index]))
    return edges


def _gain_steps(heard: Samples, text: Text, stretch: Stretch) -> list[int]:
    """Samples at which the gain jumps, by least squares over the millisecond before and the one after."""
    first = max(0, stretch.start - _PAD)
    signal = heard[first : stretch.end + _PAD].astype(np.float64)
    due = text.at(first - stretch.lag, len(signal))
    window = np.ones(_STEP_WINDOW)
    energy = np.convolve(np.square(due), window, "valid")
    gain = np.convolve(signal * due, window, "valid") / np.maximum(energy, 1.0)
    loud = energy > _STEP_WINDOW * (text.level * _ratio(-_STEP_DB)) ** 2
    change = np.abs(gain[_STEP_WINDOW:] - gain[:-_STEP_WINDOW])
    steps = np.flatnonzero((change >= _STEP) & loud[_STEP_WINDOW:] & loud[:-_STEP_WINDOW])
    return [first + int(at) + _STEP_WINDOW for at in steps]


def _ratio(db: float) -> float:
    return float(10 ** (db / 20))
