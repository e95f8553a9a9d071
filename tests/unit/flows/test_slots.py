from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.phrasebook import spoken_phrases
from flows.slots import SLOT_TYPES, ChoiceSlot, DateSlot, DigitsSlot, IntegerSlot, Rejected, Slot, YesNoSlot
from flows.templates import render

NOW = datetime(2026, 11, 23, 10, 0)  # a Monday
ASK = {"": "?"}
DIGITS = DigitsSlot(type="digits", ask=ASK, length=6)
COUNT = IntegerSlot(type="integer", ask=ASK, minimum=1, maximum=10)
SURE = YesNoSlot(type="yes_no", ask=ASK)
DAY = DateSlot(type="date", ask=ASK)
PAST = DateSlot(type="date", ask=ASK, past=True)
WAY = ChoiceSlot(
    type="choice",
    ask=ASK,
    options={
        "courier": {"pl": ["kurier*"], "en": ["courier"]},
        "shop": {"pl": ["w sklepie", "sklep*"], "en": ["in the shop"]},
    },
)
FITS = ChoiceSlot(type="choice", ask=ASK, options={"yes": {"pl": ["pasuje"]}, "no": {"pl": ["nie pasuje"]}})
TEXT = SLOT_TYPES["text"](type="text", ask=ASK)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("jutro", "pl", "2026-11-24"),
        ("może pojutrze", "pl", "2026-11-25"),
        ("dzisiaj", "pl", "2026-11-23"),
        ("w piątek", "pl", "2026-11-27"),
        ("w poniedziałek", "pl", "2026-11-30"),
        ("we wtorek rano", "pl", "2026-11-24"),
        ("w czwartek", "pl", "2026-11-26"),
        ("szóstego grudnia", "pl", "2026-12-06"),
        ("w niedzielę szóstego grudnia", "pl", "2026-12-06"),
        ("dwudziestego szóstego stycznia", "pl", "2027-01-26"),
        ("piąty", "pl", "2026-12-05"),
        ("dwudziestego czwartego", "pl", "2026-11-24"),
        ("za trzy dni", "pl", "2026-11-26"),
        ("za tydzień", "pl", "2026-11-30"),
        ("za dwa tygodnie", "pl", "2026-12-07"),
        ("2026-12-06", "pl", "2026-12-06"),
        ("6.12.2026", "pl", "2026-12-06"),
        ("24.12", "pl", "2026-12-24"),
        ("trzydziestego drugiego", "pl", None),
        ("nie wiem", "pl", None),
        ("tomorrow", "en", "2026-11-24"),
        ("the day after tomorrow", "en", "2026-11-25"),
        ("on friday", "en", "2026-11-27"),
        ("the sixth of december", "en", "2026-12-06"),
        ("december the twenty first", "en", "2026-12-21"),
        ("in two weeks", "en", "2026-12-07"),
        ("in a week", "en", "2026-11-30"),
    ],
)
def test_dates(text: str, language: str, expected: str | None) -> None:
    assert DAY.parse(text, language, NOW, asked=True) == expected


def test_dates_that_lie_behind() -> None:
    assert PAST.parse("w piątek", "pl", NOW, asked=True) == "2026-11-20"
    assert PAST.parse("szóstego grudnia", "pl", NOW, asked=True) == "2025-12-06"
    assert PAST.parse("wczoraj", "pl", NOW, asked=True) == "2026-11-22"
    assert DAY.accept("2026-11-22", NOW) == Rejected("date_past", {"heard": "2026-11-22"})
    assert PAST.accept("2026-11-24", NOW) == Rejected("date_future", {"heard": "2026-11-24"})


def test_a_date_is_amended_by_the_day() -> None:
    assert DAY.amend("2026-12-06", "szósty siódmy", "pl", NOW) == "2026-12-07"
    assert DAY.amend("2026-12-06", "sixth seventh", "en", NOW) == "2026-12-07"
    assert DAY.amend("2026-12-06", "w piątek", "pl", NOW) == "2026-11-27"


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("123456", "sześć siedem", "123457"),
        ("123456", "trzydzieści cztery czterdzieści trzy", "124356"),
        ("123456", "sto dwadzieścia trzy czterysta pięćdziesiąt siedem", "123457"),
        ("123455", "pięć sześć", "56"),  # five stands there twice: the engine asks again
    ],
)
def test_digits_are_amended_where_it_is_certain(value: str, text: str, expected: str) -> None:
    assert DIGITS.amend(value, text, "pl", NOW) == expected


def test_digits() -> None:
    assert DIGITS.accept("123 456", NOW) == "123456"
    assert DIGITS.accept("12", NOW) == Rejected("digits_length", {"heard": "12", "length": 6})
    assert DIGITS.accept("12a456", NOW) == Rejected("not_understood", {})
    pattern = DigitsSlot(type="digits", ask=ASK, pattern="7[0-9]+")
    assert pattern.accept("812", NOW) == Rejected("digits_pattern", {"heard": "812"})
    assert DIGITS.parse("mieszkam pod piątką numer 123456", "pl", NOW, asked=False) == "123456"
    assert DIGITS.parse("czekam dwanaście dni", "pl", NOW, asked=False) is None
    assert DIGITS.join("123", "456", NOW) == "123456"
    assert DIGITS.join("123", "4567", NOW) is None


def test_integers() -> None:
    assert COUNT.parse("poproszę trzy sztuki", "pl", NOW, asked=True) == 3
    assert COUNT.parse("a dozen or twenty", "en", NOW, asked=False) is None
    assert COUNT.accept(11, NOW) == Rejected("integer_range", {"heard": 11, "minimum": 1, "maximum": 10})
    assert COUNT.accept(True, NOW) == Rejected("not_understood", {})
    assert COUNT.from_keys("12345678901234567890", NOW) is None


def test_yes_and_no() -> None:
    assert SURE.parse("no tak oczywiście", "pl", NOW, asked=True) is True
    assert SURE.parse("raczej nie", "pl", NOW, asked=True) is False
    assert SURE.parse("nie wiem co to znaczy", "pl", NOW, asked=False) is None


def test_choices() -> None:
    assert WAY.parse("wolałbym kurierem", "pl", NOW, asked=True) == "courier"
    assert WAY.parse("odbiorę w sklepie", "pl", NOW, asked=True) == "shop"
    assert WAY.parse("kurierem albo w sklepie", "pl", NOW, asked=True) is None
    assert FITS.parse("nie pasuje mi", "pl", NOW, asked=True) == "no"
    assert FITS.parse("pasuje", "pl", NOW, asked=True) == "yes"
    assert FITS.parse("pasuje albo nie pasuje", "pl", NOW, asked=True) is None
    assert WAY.amend("shop", "w sklepie kurierem", "pl", NOW) == "courier"
    assert WAY.from_keys("2", NOW) == "shop"
    assert WAY.from_keys("3", NOW) is None
    assert WAY.spans("courier", "pl") == ("kurier",)


ALL: list[tuple[Slot, Any]] = [
    (DIGITS, "123456"), (COUNT, 3), (SURE, True), (DAY, "2026-12-06"), (PAST, "2026-11-06"), (WAY, "shop"), (TEXT, "x"),
]  # fmt: skip


@given(
    st.sampled_from(ALL),
    st.text(max_size=60),
    st.sampled_from(["pl", "en"]),
    st.booleans(),
    st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.integers())),
)
def test_no_text_and_no_value_raises(case: tuple[Slot, Any], text: str, language: str, asked: bool, odd: Any) -> None:
    slot, value = case
    for candidate in (slot.parse(text, language, NOW, asked=asked), slot.amend(value, text, language, NOW), odd):
        accepted = slot.accept(candidate, NOW)
        if not isinstance(accepted, Rejected):
            assert slot.accept(accepted, NOW) == accepted
            assert slot.spans(accepted, language)
    slot.from_keys(text, NOW)
    slot.join(value, odd, NOW)
    assert slot.expectation(language).timeout_s > 0


@pytest.mark.parametrize(
    ("text", "language", "plainest"),
    [
        ("jeden dwa trzy cztery pięć sześć", "pl", True),
        ("sto dwadzieścia trzy czterysta pięćdziesiąt sześć", "pl", True),
        ("sześćset dwadzieścia dwa sto", "pl", True),
        ("sto dwadzieścia trzy czterdzieści", "pl", False),
        ("one twenty three forty five", "en", False),
    ],
)
def test_a_number_that_only_fits_when_it_is_taken_apart_may_go_on(text: str, language: str, plainest: bool) -> None:
    value = DIGITS.parse(text, language, NOW, asked=True)
    assert isinstance(DIGITS.accept(value, NOW), str)
    assert DIGITS.plainest(value, text, language) is plainest


def made(kind: str, **settings: Any) -> Slot:
    return SLOT_TYPES[kind].model_validate({"type": kind, "ask": ASK, **settings})


@pytest.mark.parametrize(
    ("slot", "value", "text", "expected"),
    [
        (made("time"), "06:00", "szosta siodma", "07:00"),
        (made("time"), "17:00", "o szóstej po południu", "18:00"),
        (made("date"), "2026-11-26", "w czwartek w piątek", "2026-11-27"),
        (made("date"), "2027-05-15", "szesnastego", "2027-05-16"),
        (made("phone"), "+48501600700", "siedemset siedemset jeden", "501600701"),
        (made("postcode"), "00-950", "trzydzieści zero zero jeden", "30001"),
        (made("name"), "Maria Kowalska", "kowalska kowalski", "Maria Kowalski"),
        (made("name"), "Maria Kowalska", "marta", "Marta Kowalska"),
        (made("email"), "jan@firma.pl", "janina", "janina@firma.pl"),
        (made("amount"), "100.00", "dwieście", "200.00"),
        (made("integer"), 3, "trzy cztery", 4),
    ],
)
def test_a_value_is_amended(slot: Slot, value: Any, text: str, expected: Any) -> None:
    assert slot.amend(value, text, "pl", NOW) == expected


@pytest.mark.parametrize(
    ("slot", "value", "reason"),
    [
        (made("date", within_days=14), "2026-12-25", "date_too_far"),
        (made("date", past=True, within_days=14), "2026-11-01", "date_too_early"),
        (made("date"), "2027-02-30", "date_unknown"),
        (made("time", **{"from": "08:00", "until": "16:00"}), "17:00", "time_outside"),
        (made("amount", minimum=10), "5", "amount_too_low"),
        (made("amount", maximum=10), "50", "amount_too_high"),
        (made("amount"), "50.00 EUR", "amount_currency"),
        (made("range", of="integer"), {"from": 5, "to": 2}, "range_order"),
        (made("phone"), "50160070", "phone_length"),
        (made("phone"), "000000000", "phone_unknown"),
        (made("email"), "jan@firma", "email_incomplete"),
        (made("name"), "Maria", "name_parts"),
        (made("code", pattern="[A-Z]{2}[0-9]{3}"), "A123", "code_pattern"),
        (made("postcode"), "0095", "postcode_length"),
        (made("pesel"), "4405140145", "pesel_length"),
        (made("nip"), "526025027", "nip_length"),
        (made("iban"), "6110901014000007121981287", "iban_length"),
        (made("iban"), "62109010140000071219812874", "iban_checksum"),
    ],
)
def test_what_is_refused_is_said_in_both_languages(slot: Slot, value: Any, reason: str) -> None:
    refused = slot.accept(value, NOW)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    for language in ("pl", "en"):
        assert render(spoken_phrases(language)[reason][0], refused.details)


def test_keys() -> None:
    assert made("time").from_keys("830", NOW) == "08:30"
    assert made("time").from_keys("2561", NOW) is None
    assert made("amount").from_keys("129*5", NOW) == "129.50"
    assert made("date").from_keys("0612", NOW) == "2026-12-06"
    assert made("date", past=True).from_keys("12031985", NOW) == "1985-03-12"
    assert made("date").from_keys("12", NOW) is None


def test_names_are_joined_from_two_answers() -> None:
    assert made("name").join("Maria", "Kowalska", NOW) == "Maria Kowalska"
    assert made("pesel").join("440514", "01458", NOW) == "44051401458"
