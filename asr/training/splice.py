"""New utterances from pieces of recordings, cut at word boundaries.

Of all measures this one taught the model most: sentences that no grammar would say leave the decoder nothing but to
listen.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from asr.training.features import FRAME_MS, MAX_FRAMES
from asr.training.recordings import Recording

_MOST_WORDS = 4
_SHORTEST = 80 // FRAME_MS
_TRIES = 12


def cut_points(ends: Sequence[int]) -> list[int]:
    """Word indices at which a recording can be cut; words that the synthesiser spoke as one are not parted."""
    return [index for index in range(len(ends)) if index == 0 or ends[index - 1] < ends[index]] + [len(ends)]


def splice(first: Recording, others: Sequence[Recording], rng: Random) -> Recording:
    """Runs of one to four words, the first from `first`, the others from `others` (of the same language).

    About as long as `first`; text, frames and word ends belong together. Just `first` when nothing can be cut from it.
    """
    longest = min(int(len(first.frames) * 1.1) + 10, MAX_FRAMES - 8)
    pieces, words, ends, length = [], list[str](), list[int](), 0
    source = first
    for _ in range(_TRIES):
        start, stop = _run(source, rng)
        begin = source.ends[start - 1] if start else 0
        end = min(source.ends[stop - 1], len(source.frames))
        if end - begin >= _SHORTEST and length + end - begin <= longest:
            pieces.append(source.frames[begin:end])
            words += source.text.split()[start:stop]
            ends += [length + min(word_end, end) - begin for word_end in source.ends[start:stop]]
            length += end - begin
        elif pieces and length > 0.8 * len(first.frames):
            break
        source = others[rng.randrange(len(others))]
    if not pieces:
        return first
    pieces.append(first.frames[len(first.frames) - rng.randrange(2, 12) :])  # a bit of the line after the last word
    return Recording(first.language, " ".join(words), np.concatenate(pieces)[: MAX_FRAMES - 2], tuple(ends))


def _run(recording: Recording, rng: Random) -> tuple[int, int]:
    points = cut_points(recording.ends)
    start = rng.randrange(len(points) - 1)
    return points[start], points[min(len(points) - 1, start + rng.randrange(1, _MOST_WORDS + 1))]
