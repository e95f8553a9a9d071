"""The random voice that the benchmark of speech can build without PyTorch is a Piper voice, of the size it claims."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speech_voice import FRAMES_EACH, HOP, MEDIUM, write_voice
from tts.piper import PiperVoices


def test_it_runs_through_the_code_of_real_voices(tmp_path: Path) -> None:
    _, parameters = write_voice(tmp_path, "pl_PL-random-medium", MEDIUM)
    assert 14e6 < parameters < 18e6
    voice = PiperVoices(tmp_path).voice("pl_PL-random-medium")
    ids = len(voice._phonemes.phonemes_to_ids(voice._phonemes.phonemize("Dzień dobry.")[0]))
    said, fast = (np.concatenate(list(voice.say("Dzień dobry.", rate, threading.Event()))) for rate in (1.0, 1.5))
    assert len(said) == ids * FRAMES_EACH * HOP
    assert len(fast) == pytest.approx(len(said) / 1.5, abs=HOP)
    assert said.std() > 0.01
