"""The sounds and models that the benchmarks of hearing make: the same every time, and in the true format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.decoder import Decoder
from asr.device import choose_device
from asr.models import find
from benchmarks import recognition_models, sounds
from tests.unit.asr.speech import say
from voicebot import charts


@pytest.mark.parametrize("kind", sounds.KINDS)
def test_a_sound_follows_from_its_seed(kind: str) -> None:
    first, again, other = (sounds.KINDS[kind](2.0, np.random.default_rng(seed)) for seed in (1, 1, 3))
    assert len(first) == 2 * sounds.RATE
    assert first.dtype == np.float32
    assert np.abs(first).max() <= 1
    assert np.array_equal(first, again)
    assert kind == "silence" or not np.array_equal(first, other)


def test_an_echo_is_far_under_the_voice_and_later() -> None:
    voice = (say("gdzie jest moja paczka") / 32768).astype(np.float32)
    echo, played = sounds.echo(voice, 3.0, np.random.default_rng(1))
    assert len(echo) == len(played) == 3 * sounds.RATE
    down_db = 20 * np.log10(np.sqrt(np.square(played).mean()) / np.sqrt(np.square(echo).mean()))
    assert 25 < down_db < 52


def test_a_model_of_random_weights_runs_through_our_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition_models.tempfile, "gettempdir", lambda: str(tmp_path))
    tiny = recognition_models.Shape("tiny", 64, 8, 1, 1, vocabulary=1300)
    folder = recognition_models.random_model(tiny, 10.0)
    assert recognition_models.random_model(tiny, 10.0) == folder
    decoder = Decoder(find(str(folder), tmp_path), choose_device("cpu"), threads=1)
    assert decoder.network.window_frames(2.0) == 1000  # true hop length
    assert decoder.network.trial_s(2) > 0


def test_a_chart_has_every_series(tmp_path: Path) -> None:
    charts.lines(tmp_path / "a.svg", "Title", "x", "y", {"a & b": [(0, 1), (2, 3)], "c": [(1, 1)]})
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn.count("<circle") == 3
    assert "a &amp; b" in drawn
