"""No invented text, and no true text lost."""

from __future__ import annotations

import pytest

from asr.guard import invented


def judge(
    text: str, *, log_prob: float = -0.2, no_speech: float = 0.01, audio_s: float = 3.0, voice: float = 1.0
) -> str | None:
    return invented(text, log_prob=log_prob, no_speech=no_speech, audio_s=audio_s, voice=voice)


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
        "Napisy wykonane przez społeczność Amara.org",
        "Tłumaczenie i napisy: Jan Kowalski",
        "Dziękuję za oglądanie i do zobaczenia!",
        "Dziękuję wam bardzo za oglądanie!",
        "Dziękujemy za oglądanie.",
        "Dziękuję za obejrzenie tego filmu",
        "Do zobaczenia w następnym odcinku!",
        "Zapraszam do subskrypcji kanału",
        "Subskrybuj nasz kanał i zostaw łapkę w górę",
        "Polub, skomentuj i zasubskrybuj kanał!",
        "Wszystkie prawa zastrzeżone.",
        "(śmiech)",
        "♪ muzyka ♪",
        "www.napiprojekt.pl - nowa jakość napisów",
        "Thank you for watching",
        "Thanks for watching and I'll see you in the next one",
        "Thank you so much for watching!",
        "I'll see you in the next video.",
        "Don't forget to like and subscribe",
        "Transcription by CastingWords",
        "Subtitles made by the Amara.org community",
        "[Music playing]",
        "♪♪",
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
        "do zobaczenia",
        "dziękuję bardzo",
        "koniec",
        "napisy na szybę",
        "proszę o napisy do filmu który kupiłem",
        "chcę anulować subskrypcję",
        "i want to cancel my subscription",
        "thank you very much",
        "see you in the morning",
    ],
)
def test_what_callers_say_stays(text: str) -> None:
    assert judge(text) is None


@pytest.mark.parametrize("text", ["Dziękuję.", "KONIEC", "The end.", "you"])
def test_thanks_out_of_doubtful_silence_are_thrown_away(text: str) -> None:
    assert judge(text, no_speech=0.5) == "doubtful phrase"


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


def test_what_is_hardly_a_voice_needs_words_that_are_not_doubted() -> None:
    assert judge("absol", log_prob=-1.6, voice=0.54) == "hardly a voice"
    assert judge("absol", log_prob=-1.6, voice=0.9) is None
    assert judge("tak", log_prob=-0.7, voice=0.54) is None


@pytest.mark.parametrize("text", ["oh oh", "O.", "Mm", "hm"])
def test_what_music_sings_is_no_text(text: str) -> None:
    assert judge(text) == "interjection"
    assert judge(f"{text} nie") is None


@pytest.mark.parametrize("text", ["tak", "nie", "halo", "dziękuję", "no", "yes", "thank you", "okay", "bye"])
def test_short_answers_stay_when_a_voice_was_heard(text: str) -> None:
    """With the figures of a short answer on a bad line: doubted by the model, clear to voice activity."""
    assert judge(text, log_prob=-0.9, no_speech=0.25, voice=0.6, audio_s=0.5) is None
    assert judge(text, log_prob=-1.4, no_speech=0.25, voice=0.95, audio_s=0.5) is None
