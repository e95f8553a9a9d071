"""Mood comes from the caller's words, and the words stand beside it."""

from __future__ import annotations

import unicodedata

import pytest

from voicebot.watch.keywords import Keywords
from voicebot.watch.mood import MOST_WORDS, Mood, MoodWatch, mood_of


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("to jest skandal", "angry"),
        ("Jestem wściekła!", "angry"),
        ("jesteście złodziejami", "angry"),
        ("this is ridiculous", "angry"),
        ("ile jeszcze mam czekać", "impatient"),
        ("już mówiłem przecież", "impatient"),
        ("I already told you that", "impatient"),
        ("gdzie jest moja paczka", "neutral"),
        ("it is skandalon", "angry"),
        ("where is my parcel", "neutral"),
        ("", "neutral"),
    ],
)
def test_mood_from_words(text: str, mood: str) -> None:
    assert mood_of([text, "123456"]).name == mood


def test_anger_outweighs_impatience() -> None:
    assert mood_of(["szybciej", "skandal"]) == Mood("angry", ("skandal",))


def test_the_evidence_is_whole_words_in_the_callers_spelling() -> None:
    assert mood_of(["To jest SKANDALICZNE, złodzieje!"]).words == ("skandaliczne", "złodzieje")
    assert mood_of(["ile jeszcze", "i już mówiłam"]).words == ("ile jeszcze", "już mówiłam")
    assert mood_of([unicodedata.normalize("NFD", "wściekła")]).words == ("wsciekla",)
    assert len(mood_of(["idiot skandal beznadziejny bezczelny kpina oszust"]).words) == MOST_WORDS


def changes(*sentences: str) -> list[str]:
    """The mood that each sentence brings; empty where it changes nothing."""
    watch = MoodWatch()
    told = [watch.hear(text) for text in sentences]
    return [mood.name if mood is not None else "" for mood in told]


def test_a_mood_is_told_when_it_changes() -> None:
    said = ("dzień dobry", "szybciej", "szybciej", "skandal", "proszę szybciej", "miło")
    assert changes(*said) == ["", "impatient", "", "angry", "", ""]


def test_who_says_three_calm_sentences_in_a_row_is_calm_again() -> None:
    assert changes("skandal", "tak", "nie", "dobrze", "tak") == ["angry", "", "", "neutral", ""]
    assert changes("szybciej", "tak", "nie", "dobrze", "skandal") == ["impatient", "", "", "neutral", "angry"]


def test_a_word_between_them_lets_the_calm_begin_anew() -> None:
    assert changes("skandal", "tak", "nie", "szybciej", "tak", "nie", "dobrze") == ["angry", *[""] * 5, "neutral"]


def test_calm_sentences_before_a_mood_do_not_count() -> None:
    assert changes("tak", "nie", "dobrze", "skandal", "tak", "nie") == ["", "", "", "angry", "", ""]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pójdę do was z adwokatem", ("adwokat",)),
        ("złożę skargę", ("skarga",)),
        ("TO SPRAWA DLA RZECZNIKA PRAW KONSUMENTA", ("rzecznik praw",)),
        ("rzecznik nie ma praw", ()),
        ("mam dwa koty", ("kot",)),
        ("mam kotlet", ()),
        ("", ()),
    ],
)
def test_keywords_are_found_whatever_their_ending(text: str, found: tuple[str, ...]) -> None:
    assert Keywords(["adwokat", "skarga", "rzecznik praw", "kot", " "]).found(text, "pl") == found
