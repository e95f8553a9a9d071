"""Speech in pieces: the same sound however it is cut, without silence at its edges, at one level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts.audio import ACTIVE_LEVEL_DB, EDGE_KEPT_S
from tts.stream import LearningStream, VoiceLevel

RATE = 24000


def tone(seconds: float, amplitude: float = 0.3, sample_rate: int = RATE) -> bytes:
    moments = np.arange(round(seconds * sample_rate)) / sample_rate
    return bytes((amplitude * np.sin(2 * np.pi * 300 * moments) * 32767).astype("<i2").tobytes())


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def through(pcm: bytes, level: VoiceLevel, cut: int = 4801, wanted: int = 8000) -> np.ndarray:
    stream = LearningStream(level, RATE, wanted)
    out = b"".join(stream.feed(pcm[at : at + cut]) for at in range(0, len(pcm), cut)) + stream.end()
    return np.frombuffer(out, "<i2").astype(float) / 32768


def loudness(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2))))


def learnt() -> VoiceLevel:
    level = VoiceLevel()
    through(tone(2.0), level)
    return level


@pytest.mark.parametrize("amplitude", [0.02, 0.3, 0.9])
def test_every_voice_meets_the_level_from_its_first_sentence_on(amplitude: float) -> None:
    level = VoiceLevel()
    for _ in range(2):
        assert loudness(through(tone(1.5, amplitude), level)) == pytest.approx(ACTIVE_LEVEL_DB, abs=0.5)


def test_pauses_in_a_sentence_do_not_make_it_louder() -> None:
    level = VoiceLevel()
    through(tone(1.0) + silence(3.0) + tone(1.0), level)
    assert level.gain == pytest.approx(learnt().gain, rel=0.02)


def test_silence_at_the_edges_is_cut_and_inside_it_is_kept() -> None:
    pcm = silence(0.4) + tone(0.5) + silence(0.3) + tone(0.5) + silence(0.6)
    assert len(through(pcm, learnt())) / 8000 == pytest.approx(1.3 + 2 * EDGE_KEPT_S, abs=0.01)


def test_the_first_piece_of_a_known_voice_goes_out_at_once() -> None:
    stream = LearningStream(learnt(), RATE, 8000)
    assert stream.feed(silence(0.1)) == b""
    assert stream.feed(tone(0.1))


def test_a_voice_never_heard_is_held_back_for_half_a_second_of_speech() -> None:
    stream = LearningStream(VoiceLevel(), RATE, 8000)
    assert stream.feed(tone(0.3)) == b""
    assert len(stream.feed(tone(0.3))) / 2 / 8000 == pytest.approx(0.6, abs=0.05)


def test_a_short_first_word_is_not_lost() -> None:
    heard = through(tone(0.2), VoiceLevel())
    assert len(heard) / 8000 == pytest.approx(0.2, abs=0.01)
    assert loudness(heard) == pytest.approx(ACTIVE_LEVEL_DB, abs=0.5)


def test_nothing_clips() -> None:
    level = VoiceLevel()
    through(tone(2.0, 0.02), level)
    assert np.abs(through(tone(0.5, 0.9), level)).max() < 1.0


@pytest.mark.parametrize("pcm", [b"", silence(1.0), b"\x01"])
def test_silence_alone_is_nothing(pcm: bytes) -> None:
    assert not through(pcm, VoiceLevel()).size


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(1, 20000), wanted=st.sampled_from([8000, 16000, 24000]))
def test_it_sounds_the_same_however_it_is_cut(cut: int, wanted: int) -> None:
    pcm = silence(0.05) + tone(0.2) + silence(0.1) + tone(0.2)
    whole, pieces = (through(pcm, learnt(), size, wanted) for size in (len(pcm), max(2, cut)))
    assert len(pieces) == pytest.approx(len(whole), abs=2)
    shared = min(len(whole), len(pieces))
    assert np.abs(whole[:shared] - pieces[:shared]).max() < 0.01
