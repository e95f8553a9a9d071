"""No invented text, and no true text lost."""

from __future__ import annotations

import pytest

from asr.guard import invented


def judge(text: str, *, log_prob: float = -0.2, no_speech: float = 0.01, audio_s: float = 3.0) -> str | None:
    return invented(text, log_prob=log_prob, no_speech=no_speech, audio_s=audio_s)


@pytest.mark.parametrize(
    "text",
    [
        "Napisy stworzone przez społeczność Amara.org",
        "Zdjęcia i napisy: Jan Kowalski",
        "Dziękuję za uwagę.",
        "Dziękuję za oglądanie!",
        "Thanks for watching!",
        "Subtitles by the Amara.org community",
        "Please subscribe to my channel",
        "Muzyka",
        "[Applause]",
        "...",
        "",
    ],
)
def test_phantoms_are_thrown_away(text: str) -> None:
    assert judge(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "tak",
        "nie",
        "Dziękuję.",
        "thank you",
        "gdzie jest moja paczka",
        "zero zero zero zero zero zero",
        "dwa dwa dwa dwa dwa dwa dwa dwa dwa",
        "dziękuję za uwagę jaką państwo poświęcili mojej sprawie",
        "chcę zamówić napisy na szybę",
        "do you sell music",
    ],
)
def test_what_callers_say_stays(text: str) -> None:
    assert judge(text) is None


def test_thanks_out_of_doubtful_silence_are_thrown_away() -> None:
    assert judge("Dziękuję.", no_speech=0.5) == "doubtful phrase"


def test_whispers_own_rule_needs_both() -> None:
    assert judge("gdzie jest paczka", no_speech=0.7, log_prob=-1.2) == "no speech"
    assert judge("gdzie jest paczka", no_speech=0.7) is None
    assert judge("gdzie jest paczka", log_prob=-1.2) is None


def test_dice_are_thrown_away() -> None:
    assert judge("gdzie jest paczka", log_prob=-2.5) == "improbable"


def test_more_words_than_anybody_speaks() -> None:
    assert judge("a b c d e f g h i j k l", audio_s=1.0) == "too many words"
    assert judge("no no no no", audio_s=0.3) is None


def test_loops_are_thrown_away() -> None:
    assert judge(" ".join(["i tak dalej"] * 12), audio_s=10) == "loop"
