from __future__ import annotations

import numpy as np
import pytest

from asr import audio


def burst(seconds: float) -> audio.Floats:
    return np.random.default_rng(2).standard_normal(int(seconds * 16000)).astype(np.float32) * 0.1


def gap(seconds: float) -> audio.Floats:
    return np.zeros(int(seconds * 16000), dtype=np.float32)


def test_short_sound_stays_whole() -> None:
    pieces = audio.split(burst(3), 16000, 7)
    assert [(start, len(piece)) for start, piece in pieces] == [(0, 48000)]


def test_long_sound_is_cut_in_its_pauses() -> None:
    sound = np.concatenate([burst(5), gap(0.4), burst(5), gap(0.4), burst(4)])
    pieces = audio.split(sound, 16000, 7)
    starts = [start / 16000 for start, _ in pieces]
    assert len(starts) == 3
    assert 5.0 <= starts[1] <= 5.4
    assert 10.4 <= starts[2] <= 10.8
    assert np.array_equal(np.concatenate([piece for _, piece in pieces]), sound)


def test_sound_without_a_pause_is_cut_all_the_same() -> None:
    pieces = audio.split(burst(60), 16000, 7)
    assert all(len(piece) <= 7 * 16000 for _, piece in pieces)
    assert sum(len(piece) for _, piece in pieces) == 60 * 16000


@pytest.mark.parametrize("peak", [0.001, 0.02, 0.09])
def test_quiet_speech_is_raised(peak: float) -> None:
    raised = audio.levelled(burst(1) * np.float32(peak / np.abs(burst(1)).max()))
    assert np.abs(raised).max() == pytest.approx(audio.TARGET_PEAK, rel=0.01)


def test_loud_speech_and_digital_silence_are_left_alone() -> None:
    assert np.array_equal(audio.levelled(burst(1)), burst(1))
    assert not audio.levelled(gap(1)).any()


def test_rates() -> None:
    assert len(audio.resample(gap(1)[:8000], 8000, 16000)) == 16000
    assert len(audio.resample(gap(0), 8000, 16000)) == 0
    assert audio.from_pcm(b"\x00\x80\xff\x7f").tolist() == pytest.approx([-1.0, 32767 / 32768])
