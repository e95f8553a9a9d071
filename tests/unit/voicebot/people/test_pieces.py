"""Speech cut into pieces: every word in one of them, none in two."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.recogniser import RecognitionRequest, Transcript, Word
from asr.testing import transcript
from voicebot.people.pieces import LONGEST_MS, Cutter, Piece, quietest

RATE = 8000


class Sound:
    """Of one value throughout, but for what is made quiet; remembers what was asked for."""

    def __init__(self, seconds: float) -> None:
        self.samples = np.full(int(seconds * RATE), 1000, dtype="<i2")

    def quiet(self, first_s: float, last_s: float) -> None:
        self.samples[int(first_s * RATE) : int(last_s * RATE)] = 3

    def __call__(self, first: int, last: int) -> bytes:
        return self.samples[first:last].tobytes()


def at(seconds: float) -> int:
    return int(seconds * RATE)


def heard(piece: Piece, words: list[tuple[str, float, float]]) -> Transcript:
    """What a perfect recogniser makes of it: the words, told by their place in the talk, that lie in its sound."""
    start, end = piece.start / RATE, piece.start / RATE + len(piece.audio) / 2 / RATE
    inside = [Word(text, a - start, b - start, 0.9) for text, a, b in words if start <= a and b <= end]
    blank = transcript("", RecognitionRequest(piece.audio, RATE, "pl", "c"))
    return Transcript(" ".join(w.text for w in inside), "pl", 0.9, 0.0, tuple(inside), blank.audio_s, 0.0, "perfect")


def test_a_piece_ends_with_a_long_pause_and_not_with_a_short_one() -> None:
    cutter = Cutter(RATE, Sound(10))
    assert cutter.due(at(1)) is None
    cutter.started(at(1))
    cutter.paused(at(2))
    assert cutter.due(at(2.6)) is None
    cutter.started(at(2.65))
    cutter.paused(at(4))
    assert cutter.due(at(4.69)) is None
    piece = cutter.due(at(4.7))
    assert piece is not None
    assert (piece.first, piece.last, piece.start) == (at(1), at(4), at(0.75))
    assert len(piece.audio) // 2 == at(4.25) - at(0.75)
    assert cutter.first is None
    assert cutter.due(at(9)) is None


def test_what_was_said_is_not_lost_when_hearing_ends() -> None:
    cutter = Cutter(RATE, Sound(10))
    assert cutter.rest(at(1)) is None
    cutter.started(at(1))
    piece = cutter.rest(at(3))
    assert piece is not None
    assert (piece.first, piece.last) == (at(1), at(3))
    assert cutter.rest(at(3)) is None


def test_who_speaks_on_is_cut_at_the_quietest_place() -> None:
    sound = Sound(30)
    sound.quiet(8.6, 8.8)
    cutter = Cutter(RATE, sound)
    cutter.started(at(0.5))
    assert cutter.due(at(12.4)) is None
    piece = cutter.due(at(12.5))
    assert piece is not None
    assert piece.last / RATE == pytest.approx(8.7, abs=0.05)
    assert (piece.cut_before, piece.cut_after) == (False, True)
    assert len(piece.audio) / 2 / RATE <= LONGEST_MS / 1000 + 1
    assert cutter.first == piece.last
    cutter.paused(at(13))
    rest = cutter.due(at(13.7))
    assert rest is not None
    assert (rest.first, rest.last, rest.cut_before, rest.cut_after) == (piece.last, at(13), True, False)


def test_the_quietest_place_of_silence_is_the_latest() -> None:
    assert quietest(bytes(2 * RATE), RATE) > RATE * 0.9
    assert quietest(b"", RATE) == 0


@given(lengths=st.lists(st.floats(0.1, 0.9), min_size=60, max_size=120))
def test_a_talk_without_any_pause_keeps_every_word_once(lengths: list[float]) -> None:
    ends = np.cumsum(lengths) + 1.0
    words = [
        (f"w{i}", float(end - length), float(end)) for i, (end, length) in enumerate(zip(ends, lengths, strict=True))
    ]
    total = float(ends[-1])
    cutter = Cutter(RATE, Sound(total + 2))
    cutter.started(at(1))
    texts = []
    for position in range(at(1), at(total + 1), RATE // 10):
        if position >= at(total):
            cutter.paused(at(total))
        piece = cutter.due(position)
        if piece is not None:
            texts.append(piece.text(heard(piece, words), RATE))
    assert " ".join(texts).split() == [text for text, _, _ in words]


def test_a_recogniser_without_words_is_believed() -> None:
    piece = Piece(bytes(16000), 0, 0, 4000, cut_after=True)
    said = transcript("dzień dobry", RecognitionRequest(piece.audio, RATE, "pl", "c"))
    wordless = Transcript(said.text, "pl", 0.9, 0.0, (), 1.0, 0.0, "service")
    assert piece.text(wordless, RATE) == "dzień dobry"
    assert piece.text(said, RATE) == "dzień"
