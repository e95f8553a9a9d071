from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from flows.numbers import digit_readings, digit_runs, find_numbers, parse_integer
from tts.text import spoken


def digits(text: str, language: str, length: int | None = None, *, fuzzy: bool = False) -> str | None:
    runs = digit_runs(text, language, fuzzy=fuzzy)
    if len(runs) != 1:
        return None
    readings = list(digit_readings(runs[0]))
    return next((reading for reading in readings if length in (None, len(reading))), None)


@given(st.integers(0, 99_999_999), st.sampled_from(["pl", "en"]))
def test_every_number_that_num2words_says_is_read_back(number: int, language: str) -> None:
    assert parse_integer(num2words(number, lang=language), language) == number


def test_negative_numbers() -> None:
    assert parse_integer("minus dwadzieścia dwa", "pl") == -22
    assert parse_integer("minus five", "en") == -5


@given(st.lists(st.integers(0, 9), min_size=2, max_size=12), st.sampled_from(["pl", "en"]))
def test_digits_said_one_by_one(said: list[int], language: str) -> None:
    text = " ".join(num2words(digit, lang=language) for digit in said)
    assert digits(text, language) == "".join(map(str, said))


@given(st.lists(st.integers(1, 999), min_size=1, max_size=4), st.sampled_from(["pl", "en"]))
def test_numbers_said_in_groups_are_among_the_readings(said: list[int], language: str) -> None:
    text = " ".join(num2words(number, lang=language) for number in said)
    runs = digit_runs(text, language)
    wanted = "".join(map(str, said))
    assert len(runs) == 1
    assert wanted in list(digit_readings(runs[0]))


@given(st.integers(1, 31), st.sampled_from(["pl", "en"]))
def test_ordinals(day: int, language: str) -> None:
    (number,) = find_numbers(num2words(day, lang=language, to="ordinal"), language)
    assert (number.value, number.ordinal) == (day, True)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("jeden dwa trzy cztery pięć sześć", "pl", "123456"),
        ("sto dwadzieścia trzy czterysta pięćdziesiąt sześć", "pl", "123456"),
        ("dwanaście trzydzieści cztery pięćdziesiąt sześć", "pl", "123456"),
        ("numer zamówienia to jeden dwa yyy trzy cztery no i pięć sześć", "pl", "123456"),
        ("dwie jedynki trzy zera", "pl", "11000"),
        ("podwójna piątka siedem", "pl", "557"),
        ("dwadzieścia cztery tysiące osiemset jeden", "pl", "24801"),
        ("123 456", "pl", "123456"),
        ("007", "pl", "007"),
        ("one twenty three four fifty six", "en", "123456"),
        ("twelve thirty-four fifty-six", "en", "123456"),
        ("one two three double four six", "en", "123446"),
        ("one oh five", "en", "105"),
        ("triple seven eight", "en", "7778"),
        ("one hundred and twenty three and four hundred and fifty six", "en", "123456"),
        ("nineteen eighty four", "en", "1984"),
        ("two thousand twenty six", "en", "2026"),
        ("five hundred five hundred", "en", "500500"),
        ("one hundred five six hundred", "en", "105600"),
    ],
)
def test_dictation(text: str, language: str, expected: str) -> None:
    assert digits(text, language) == expected


def test_a_known_length_settles_what_grammar_leaves_open() -> None:
    assert digits("sto dwa trzydzieści", "pl") == "10230"
    assert digits("sto dwa trzydzieści", "pl", 6) == "100230"
    assert digits("dwadzieścia trzy cztery", "pl", 4) == "2034"


def test_inflected_polish() -> None:
    assert [n.value for n in find_numbers("o dwunastu z pięcioma przy stu trzydziestu sześciu", "pl")] == [12, 5, 136]
    assert [n.value for n in find_numbers("dwudziestego szóstego, trzeciej, drugim", "pl")] == [26, 3, 2]


def test_one_wrong_letter_is_forgiven_only_when_asked() -> None:
    assert digits("czteri dziewięc siedem", "pl", fuzzy=True) == "497"
    assert digits("czteri dziewięc siedem", "pl") == "97"


def test_a_sigh_is_not_a_zero() -> None:
    assert digit_runs("oh i see", "en") == []
    assert parse_integer("oh dear", "en") is None


@given(st.text(max_size=60), st.sampled_from(["pl", "en"]))
def test_no_text_raises(text: str, language: str) -> None:
    for run in digit_runs(text, language, fuzzy=True):
        assert list(digit_readings(run))


@pytest.mark.parametrize("case", ["nominative", "genitive", "dative", "accusative", "instrumental", "locative"])
def test_every_polish_case_is_read_back(case: str) -> None:
    for number in range(1100):
        said = spoken([{"kind": "number", "value": number, "case": case}], "pl")
        assert [found.value for found in find_numbers(said, "pl")] == [number], said
    for number, gender in itertools.product(range(1, 100), "mfn"):
        said = spoken([{"kind": "ordinal", "value": number, "case": case, "gender": gender}], "pl")
        assert [(found.value, found.ordinal) for found in find_numbers(said, "pl")] == [(number, True)], said
