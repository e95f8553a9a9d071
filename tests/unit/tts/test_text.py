"""Spoken forms: golden pairs of both languages, and what must hold for any text and any value."""

from __future__ import annotations

import datetime
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words
from ruamel.yaml import YAML

from tts.text import spoken
from tts.text.pl_numbers import cardinal, ordinal

GOLDEN = Path(__file__).parents[2] / "data" / "tts"
TODAY = datetime.date(2026, 4, 1)
KINDS = (
    "pesel",
    "nip",
    "regon",
    "iban",
    "postcode",
    "email",
    "url",
    "digits",
    "number",
    "ordinal",
    "amount",
    "date",
    "time",
    "phone",
    "spell",
    "count",
    "no such kind",
)


def pairs() -> list[Any]:
    """Every pair of the golden files: `{say, as}`, or `[written, spoken]`; the language begins the file's name."""
    found = []
    for path in sorted(GOLDEN.glob("*.yaml")):
        for pair in YAML(typ="safe").load(path.read_text(encoding="utf-8")):
            say, words = pair if isinstance(pair, list) else (pair["say"], pair["as"])
            found.append(pytest.param(path.stem[:2], say, words, id=f"{path.stem}: {words[:40]}"))
    return found


@pytest.mark.parametrize(("language", "say", "words"), pairs())
def test_golden_pairs(language: str, say: Any, words: str) -> None:
    assert spoken(say if isinstance(say, list) else [say], language, TODAY) == words


def test_there_are_enough_golden_pairs() -> None:
    assert len(pairs()) >= 400


texts = st.text() | st.text("0123456789 .,:-/%zł€$ul.godznrAż½²٣@#&+*IVXPKO\\_~^°", max_size=40)
numbers = st.integers() | st.floats() | st.decimals() | st.booleans() | st.none()
span_values = texts | numbers | st.dates() | st.times() | st.datetimes() | st.lists(st.integers())
typed = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS), "value": span_values},
    optional={
        "currency": st.sampled_from(["PLN", "EUR", "XYZ", ""]) | st.none(),
        "forms": st.lists(texts.filter(lambda text: not any(c.isdigit() for c in text))) | st.none() | st.integers(),
        "gender": st.sampled_from("mfnpx") | st.lists(st.integers()),
        "case": st.sampled_from(["genitive", "none"]),
        "group": st.integers(-1, 4) | st.none(),
    },
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(texts | typed, max_size=4), st.sampled_from(["pl", "en", "pl-PL", "en-GB"]))
def test_anything_is_read_without_error_and_without_digits(spans: list[Any], language: str) -> None:
    words = spoken(spans, language, TODAY)
    assert not [character for character in words if character.isdigit()]
    assert words == words.strip()
    assert "  " not in words
    assert not [character for character in words if unicodedata.category(character)[0] == "S"]
    assert not set(words) & set("@#%&*/\\_~^|<>{}[]=+§")


@pytest.mark.parametrize(("language", "say", "words"), pairs())
def test_words_stay_as_they_are(language: str, say: Any, words: str) -> None:
    assert spoken([words], language, TODAY) == words


@settings(deadline=None)
@given(st.lists(st.text("abcdeąćęłńóśźżrstuvyzABW", min_size=1, max_size=9), min_size=1), st.sampled_from(["pl", "en"]))
def test_reading_twice_changes_nothing(words: list[str], language: str) -> None:
    once = spoken([" ".join(words)], language, TODAY)
    assert spoken([once], language, TODAY) == once


@pytest.mark.parametrize("language", ["pl", "en"])
def test_a_sentence_is_read_in_no_time(language: str) -> None:
    """The bound is what a call can bear; the best of many runs meets it on a busy machine too."""
    sentence = "Zamówienie nr 123456 z 3 maja 2026 r. na 22,50 zł wyślemy w ciągu 24 godzin na ul. Długą 5/12, 00-950."
    took = []
    for _ in range(30):
        started = time.perf_counter()
        spoken([sentence], language, TODAY)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.002


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 10**12 - 1))
def test_polish_cardinals_agree_with_another_source(number: int) -> None:
    assert cardinal(number) == num2words(number, lang="pl")
    feminine, masculine = cardinal(number, "f").split(), cardinal(number).split()
    assert feminine[:-1] == masculine[:-1]
    assert {"dwie": "dwa", "jedna": "jeden"}.get(feminine[-1], feminine[-1]) == masculine[-1]


@settings(deadline=None)  # the machine may be busy
@given(st.integers(1, 99))
def test_polish_ordinals_below_a_hundred_agree_with_another_source(number: int) -> None:
    assert ordinal(number) == num2words(number, lang="pl", to="ordinal")


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 9999))
def test_every_part_of_an_ordinal_date_is_inflected(number: int) -> None:
    for word, inflected in zip(ordinal(number).split(), ordinal(number, "m", "genitive").split(), strict=True):
        assert inflected == word or inflected in (word[:-1] + "ego", word + "ego")


def test_every_minute_of_the_day_is_said_differently() -> None:
    for language in ("pl", "en"):
        moments = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]
        said = {spoken([{"kind": "time", "value": moment}], language, TODAY) for moment in moments}
        assert len(said) == len(moments)


def test_every_day_is_said_differently() -> None:
    days = [datetime.date(2025, 1, 1) + datetime.timedelta(days) for days in range(730)]
    for language in ("pl", "en"):
        assert len({spoken([{"kind": "date", "value": day}], language, TODAY) for day in days}) == len(days)


def test_a_language_without_rules_is_given_as_it_is_written() -> None:
    assert spoken(["Ich spreche ", {"kind": "digits", "value": "12"}], "de") == "Ich spreche 12"
