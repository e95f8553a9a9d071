"""Training batches out of recordings: what is heard, what is to be written, and the disturbances that make it hard.

Batch `step` depends on seed, step and rank alone: a training that was stopped goes on with the batches it would have
seen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from asr.training.features import MAX_FRAMES, MELS, restore
from asr.training.features import TELEPHONE_MELS as HEARD_MELS
from asr.training.recordings import Recording
from asr.training.splice import splice
from asr.training.tokenizer import Vocabulary

IGNORED = -100

# Shares of items.
SPLICED, TRUNCATED, TIMESTAMPED, PREVIOUS_TEXT = 0.45, 0.15, 0.25, 0.08
# Share of batches padded to the whole ten seconds, so that the last positions are trained too.
FULL_LENGTH = 0.06
# The first part of the training hears only utterances below this many frames (3.4 s): alignment is learnt on them.
SHORT_FRAMES = 170
# Items of a batch differ by at most this many frames in length.
_NEIGHBOURS = 20
_SHORTEST_PREFIX = 20
_LEAD = 1.5  # frames by which a word may be cut short and still count as finished


@dataclass(frozen=True)
class Item:
    """One training example. `targets[i]` follows `tokens[i]`; IGNORED where nothing is to be learnt."""

    mel: NDArray[np.float32]
    tokens: list[int]
    targets: list[int]
    written: list[int]


@dataclass(frozen=True)
class Batch:
    """`mel` [items, MELS, 2 * positions]; `tokens`, `targets` [items, length]; the rest is for CTC: all ids in a row,
    how many belong to each item, and how many positions each item fills."""

    mel: NDArray[np.float32]
    tokens: NDArray[np.int64]
    targets: NDArray[np.int64]
    written: NDArray[np.int64]
    written_lengths: NDArray[np.int64]
    positions: NDArray[np.int64]


class Batches:
    """`budget`: encoder positions (40 ms) that a batch may hold; `ranks` processes share each draw."""

    def __init__(
        self, recordings: Sequence[Recording], vocabulary: Vocabulary, seed: int, *, budget: int, ranks: int = 1
    ) -> None:
        self._recordings = sorted(recordings, key=lambda recording: len(recording.frames))
        self._lengths = [len(recording.frames) for recording in self._recordings]
        self._spoken: dict[str, list[Recording]] = {}
        for recording in self._recordings:
            if recording.text:
                self._spoken.setdefault(recording.language, []).append(recording)
        self._vocabulary, self._seed, self._budget, self._ranks = vocabulary, seed, budget, ranks

    def batch(self, step: int, rank: int, *, short: bool, full: bool) -> Batch:
        """`short`: only short utterances; `full`: padded to ten seconds."""
        shared = Random(f"{self._seed}/{step}")
        full = full or (not short and shared.random() < FULL_LENGTH)
        chosen = self._draw(shared, short=short, full=full)
        own = Random(f"{self._seed}/{step}/{rank}")
        items = [self._item(recording, own) for recording in chosen[rank :: self._ranks]]
        return _collate(items, self._vocabulary.end, full=full, slack=own.randrange(0, 4))

    def _draw(self, rng: Random, *, short: bool, full: bool) -> list[Recording]:
        """Recordings of like length for all ranks, at least one each."""
        lengths = self._lengths
        last = bisect_left(lengths, SHORT_FRAMES) if short else len(lengths)
        last = max(last, min(self._ranks, len(lengths)))
        anchor = lengths[rng.randrange(last)]
        low, high = bisect_left(lengths, anchor - _NEIGHBOURS), bisect_right(lengths, anchor + _NEIGHBOURS)
        positions = MAX_FRAMES // 2 if full else (lengths[high - 1] + 1) // 2 + 2
        wanted = max(1, self._budget // positions) * self._ranks
        pool = range(low, high)
        indices = rng.sample(pool, wanted) if len(pool) >= wanted else rng.choices(pool, k=wanted)
        return [self._recordings[index] for index in indices]

    def _item(self, recording: Recording, rng: Random) -> Item:
        silent = not recording.text
        if not silent and rng.random() < SPLICED:
            recording = splice(recording, self._spoken[recording.language], rng)
        if not silent and rng.random() < TRUNCATED:
            recording = truncate(recording, rng)
        mel = disturb(restore(recording.frames), rng)
        previous = self._recordings[rng.randrange(len(self._recordings))].text if rng.random() < PREVIOUS_TEXT else ""
        tokens, targets = self._sequence(recording, silent=silent, timestamps=rng.random() < TIMESTAMPED)
        if previous:
            earlier = self._vocabulary.encode(previous)[: rng.randrange(2, 25)]
            tokens = [self._vocabulary.previous, *earlier, *tokens]
            targets = [IGNORED] * (1 + len(earlier)) + targets
        return Item(mel, tokens, targets, self._vocabulary.encode(recording.text))

    def _sequence(self, recording: Recording, *, silent: bool, timestamps: bool) -> tuple[list[int], list[int]]:
        """Whisper's decoder input and what is to follow each of its tokens."""
        vocabulary = self._vocabulary
        words = vocabulary.encode(recording.text)
        sequence = [vocabulary.start, vocabulary.languages[recording.language], vocabulary.transcribe]
        if timestamps:
            sequence.append(vocabulary.first_timestamp)
            if words:
                end = recording.ends[-1] if recording.ends else 0
                sequence += [*words, vocabulary.first_timestamp + min(MAX_FRAMES, end)]
            sequence.append(vocabulary.end)
            targets = sequence[1:]
            targets[1] = IGNORED
        else:
            sequence += [vocabulary.no_timestamps, *words, vocabulary.end]
            targets = sequence[1:]
            targets[1] = targets[2] = IGNORED
        if silent:
            targets[0] = vocabulary.no_speech  # Whisper reads the probability of silence where the language would stand
        return sequence[:-1], targets


def truncate(recording: Recording, rng: Random) -> Recording:
    """The beginning of a recording, with the words that are finished in it: what a partial recognition gets to hear."""
    if len(recording.frames) <= _SHORTEST_PREFIX:
        return recording
    cut = rng.uniform(_SHORTEST_PREFIX, len(recording.frames))
    finished = sum(end <= cut + _LEAD for end in recording.ends)
    ends = tuple(min(end, int(cut)) for end in recording.ends[:finished])
    text = " ".join(recording.text.split()[:finished])
    return Recording(recording.language, text, recording.frames[: int(cut)], ends)


def disturb(mel: NDArray[np.float32], rng: Random) -> NDArray[np.float32]:
    """Level shift and light SpecAugment (two bands, two moments)."""
    mel = mel + np.float32(rng.uniform(-0.12, 0.12))
    mean, frames = mel.mean(), len(mel)
    for _ in range(2):
        width = rng.randrange(0, 10)
        band = rng.randrange(0, HEARD_MELS - width)
        mel[:, band : band + width] = mean
        width = rng.randrange(0, max(1, min(8, frames // 10)))
        moment = rng.randrange(0, frames - width)
        mel[moment : moment + width] = mean
    return mel


def _collate(items: list[Item], padding: int, *, full: bool, slack: int) -> Batch:
    positions = MAX_FRAMES // 2
    if not full:
        longest = max(len(item.mel) for item in items) // 2 + 2 + slack
        positions = min(positions, -(-longest // 8) * 8 - 1)  # with the key for the padding: a multiple of 8
    length = max(len(item.tokens) for item in items)
    mel = np.zeros((len(items), 2 * positions, MELS), np.float32)
    tokens = np.full((len(items), length), padding, np.int64)
    targets = np.full((len(items), length), IGNORED, np.int64)
    for row, item in enumerate(items):
        heard = item.mel[: 2 * positions]
        mel[row, : len(heard)] = heard
        tokens[row, : len(item.tokens)] = item.tokens
        targets[row, : len(item.targets)] = item.targets
    return Batch(
        mel=np.ascontiguousarray(mel.transpose(0, 2, 1)),
        tokens=tokens,
        targets=targets,
        written=np.array([token for item in items for token in item.written], np.int64),
        written_lengths=np.array([len(item.written) for item in items], np.int64),
        positions=np.array([min(positions, (len(item.mel) + 1) // 2) for item in items], np.int64),
    )
