"""The benchmark of invented words: what its ear hears of a call, and what it counts."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import numpy as np

from asr.decoder import Decoder
from asr.recogniser import RecognitionRequest, Transcript
from asr.testing import transcript
from benchmarks import phantoms, sounds
from benchmarks.phantom_ear import RATE, Ear, Overheard, Piece
from tests.unit.asr.speech import as_pcm, noise, say, silence

WORDS = say("gdzie jest moja paczka")
BEFORE = RATE


class Scripted:
    """Hears the same text in everything."""

    def __init__(self, text: str) -> None:
        self._text = text

    def transcribe(self, request: RecognitionRequest) -> Transcript:
        return transcript(self._text, request)


def listen(text: str, sound: np.ndarray, **options: Any) -> Overheard:
    hiss = noise(len(sound) / RATE + 0.1, 0.0005)[: len(sound)]
    pcm = as_pcm(sound / 32768 + hiss / 32768).tobytes()
    return Ear(cast(Decoder, Scripted(text))).listen(pcm, "pl", **options)


def test_an_utterance_becomes_a_turn_cut_with_its_margins() -> None:
    overheard = listen("gdzie jest", np.concatenate([silence(1), WORDS, silence(2)]))
    [piece] = [piece for piece in overheard.pieces if piece.ended]
    assert overheard.texts == ["gdzie jest"]
    assert overheard.detected(BEFORE, BEFORE + len(WORDS))
    assert BEFORE - 0.35 * RATE <= piece.start <= BEFORE
    assert BEFORE + len(WORDS) <= piece.end <= BEFORE + len(WORDS) + 0.35 * RATE


def test_a_short_sound_without_words_is_no_turn() -> None:
    overheard = listen("", np.concatenate([silence(1), say("tak"), silence(2)]))
    assert len(overheard.pieces) == 1
    assert overheard.texts == []


def test_words_into_the_bots_speech_are_a_turn_too() -> None:
    overheard = listen("nie", np.concatenate([silence(1), WORDS, silence(2)]), sayings=[(RATE // 2, 3 * RATE)])
    assert overheard.texts == ["nie"]


def test_the_bots_echo_is_told_from_the_caller_by_what_is_played() -> None:
    voice = np.concatenate([silence(1), WORDS, silence(2)])
    back = np.roll(voice, RATE // 10) // 40
    assert listen("proszę", back).texts
    assert not listen("proszę", back, played=voice.tobytes()).texts


def test_words_are_counted_by_the_hour() -> None:
    nothing = phantoms.Nothing()
    heard = Overheard(pieces=[Piece(0, 1, transcript("o nie", RecognitionRequest(b"", RATE, "pl", "x")), ended=True)])
    nothing.add("music", heard)
    nothing.add("hum", Overheard())
    assert nothing.words_per_hour(["music"]) == 360
    assert nothing.words_per_hour(["music", "hum"]) == 180
    assert phantoms.rate(Counter(), Counter()) is None


def test_one_right_word_is_enough_and_none_is_not() -> None:
    assert phantoms.agrees("gdzie jest moja paczka", "Paczka!")
    assert not phantoms.agrees("tak", "ta")


def test_babble_has_the_level_it_is_drawn_with() -> None:
    crowd = [(WORDS / 32768).astype(np.float32)]
    babble = sounds.babble(crowd, 2.0, np.random.default_rng(1))
    assert len(babble) == 2 * RATE
    assert -46 < 20 * np.log10(np.sqrt(np.square(babble).mean())) < -29
