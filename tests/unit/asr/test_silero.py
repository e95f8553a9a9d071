"""The second look at a finished piece of sound: speech or not, and keypad tones told apart from voices."""

from __future__ import annotations

import numpy as np
import pytest

from asr.silero import KEY_TONES_HZ, Silero, SpeechCheck, is_key_tone
from tests.unit.asr.speech import noise, say, silence, telephone, tones

ROWS, COLUMNS = KEY_TONES_HZ[:4], KEY_TONES_HZ[4:]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize(("row", "column"), [(row, column) for row in ROWS for column in COLUMNS])
def test_key_tones_are_known(rate: int, row: float, column: float) -> None:
    sound = tones(0.1, row, column, sample_rate=rate) / 32768 + noise(0.1, 0.005, sample_rate=rate) / 32768
    assert is_key_tone(sound[: rate * 32 // 1000].astype(np.float32), rate)


def test_no_part_of_speech_is_a_key_tone() -> None:
    for text in ("gdzie jest moja paczka", "usuń zamówienie", "halo"):
        sound = (say(text) / 32768).astype(np.float32)
        assert not any(is_key_tone(sound[start : start + 256], 8000) for start in range(0, len(sound) - 256, 64))
    assert not is_key_tone(np.zeros(256, np.float32), 8000)


@pytest.mark.parametrize("text", ["tak", "nie", "gdzie jest moja paczka"])
def test_speech_is_found_and_its_certainty_told(text: str) -> None:
    sound = (np.frombuffer(telephone(text), dtype="<i2") / 32768).astype(np.float32)
    speech, voice = SpeechCheck(Silero()).look(sound, 8000)
    assert speech
    assert voice > 0.5


@pytest.mark.parametrize("sound", [silence(1.0), noise(2.0, 0.02), tones(2.0, 770, 1336)])
def test_nothing_is_found_in_what_is_no_speech(sound: np.ndarray) -> None:
    assert not SpeechCheck(Silero()).look((sound / 32768).astype(np.float32), 8000)[0]
