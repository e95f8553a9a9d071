"""The second look at a finished piece of sound: speech, nothing, or music."""

from __future__ import annotations

import numpy as np
import pytest

from asr.audio import Floats, from_pcm
from asr.presence import KEY_TONES_HZ, SpeechCheck, key_tones, line_shares
from asr.silero import Silero
from tests.unit.asr.speech import noise, say, silence, telephone, tones

RATE = 8000


@pytest.fixture(scope="module")
def check() -> SpeechCheck:
    return SpeechCheck(Silero())


def sung(key_hz: float, seconds: float = 1.0) -> Floats:
    """A note with harmonics and a vibrato of 0.4 %."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * key_hz * time + 0.004 * key_hz / 5.5 * np.sin(2 * np.pi * 5.5 * time)
    return (0.05 * np.sum([np.sin(order * phase) / order for order in range(1, 5)], axis=0)).astype(np.float32)


def always_a_voice(monkeypatch: pytest.MonkeyPatch) -> SpeechCheck:
    """What is left to be told apart when Silero believes in everything."""
    check = SpeechCheck(Silero())
    monkeypatch.setattr(check, "_probabilities", lambda audio, rate: iter([0.9] * (len(audio) // 256)))
    return check


@pytest.mark.parametrize("sample_rate", [8000, 16000])
@pytest.mark.parametrize("voice", ["pl+f4", "pl+klatt4", "pl+m6", "pl+robert"])
@pytest.mark.parametrize("text", ["tak", "nie", "halo", "jeden", "gdzie jest moja paczka"])
def test_speech_is_found_and_its_certainty_told(check: SpeechCheck, text: str, voice: str, sample_rate: int) -> None:
    presence = check.look(from_pcm(telephone(text, voice, sample_rate=sample_rate)), sample_rate)
    assert presence.reason == ""
    assert presence.voice > 0.5


@pytest.mark.parametrize("sound", [silence(1.0), noise(2.0, 0.02), tones(2.0, 770, 1336), silence(0.0)])
def test_nothing_is_found_in_what_is_no_speech(check: SpeechCheck, sound: np.ndarray) -> None:
    assert check.look((sound / 32768).astype(np.float32), RATE).reason == "no speech found"


def test_narrow_lines_tell_notes_from_voices() -> None:
    windows = list(range(4, 20))
    assert np.median(line_shares(sung(392), windows, RATE)) > 0.97
    for voice in ("pl+f4", "pl+m6", "pl+klatt4"):
        words = (say("gdzie jest moja paczka", voice) / 32768).astype(np.float32)
        assert np.median(line_shares(words, windows, RATE)) < 0.93


def test_a_note_that_silero_takes_for_a_voice_is_music(monkeypatch: pytest.MonkeyPatch) -> None:
    assert always_a_voice(monkeypatch).look(sung(392), RATE).reason == "music"


def test_speech_after_music_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    words = (say("gdzie jest moja paczka") / 32768).astype(np.float32)
    assert always_a_voice(monkeypatch).look(np.concatenate([sung(392, 3.0), words]), RATE).reason == ""


@pytest.mark.parametrize("rate", [8000, 16000])
def test_every_key_is_known_by_its_tones(rate: int) -> None:
    for row in KEY_TONES_HZ[:4]:
        for column in KEY_TONES_HZ[4:]:
            sound = (tones(0.1, row, column, sample_rate=rate) + noise(0.1, 0.005, sample_rate=rate)) / 32768
            assert key_tones(sound.astype(np.float32), rate)[:3].all(), (row, column)


def test_no_part_of_speech_is_a_key_tone() -> None:
    for text in ("gdzie jest moja paczka", "usuń zamówienie", "halo", "four"):
        sound = (say(text) / 32768).astype(np.float32)
        assert not any(key_tones(sound[start:], RATE).any() for start in range(0, 256, 64))
    assert not key_tones(np.zeros(256, np.float32), RATE).any()


def test_what_lies_beside_a_key_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    check, tone = always_a_voice(monkeypatch), (tones(0.2, 770, 1336) / 32768).astype(np.float32)
    word = (say("nie") / 32768).astype(np.float32)
    gap = np.zeros(RATE // 10, np.float32)
    assert check.look(np.concatenate([gap, tone, gap]), RATE).reason == "no speech found"
    assert check.look(np.concatenate([gap, tone, gap, word]), RATE).reason == ""


@pytest.mark.parametrize("voice", ["en-us+klatt4", "en+robert", "en-us+m6"])
def test_a_long_vowel_is_no_music(check: SpeechCheck, voice: str) -> None:
    assert check.look(from_pcm(telephone("four", voice)), RATE).reason == ""
