"""Numbers that must not be kept are masked however they are written or said; the others stay."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.redaction import has_digits, redact, redact_joined, redact_value

PL_UNITS = "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć".split()
PL_TEENS = (
    "dziesięć jedenaście dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście"
).split()
PL_TENS = (
    "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt"
).split()
PL_HUNDREDS = "sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset".split()
EN_UNITS = "zero one two three four five six seven eight nine".split()
EN_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def below_hundred(number: int, units: list[str], teens: list[str], tens: list[str]) -> str:
    if number < 10:
        return units[number]
    if number < 20:
        return teens[number - 10]
    return f"{tens[number // 10 - 2]} {units[number % 10]}" if number % 10 else tens[number // 10 - 2]


def said(chunk: str, language: str) -> str:
    """One chunk of digits as a person reads it: leading zeros one by one, then a number below 1000."""
    pl = language == "pl"
    words = [(PL_UNITS if pl else EN_UNITS)[0] for _ in itertools.takewhile(lambda sign: sign == "0", chunk)]
    rest = chunk.lstrip("0")
    if not rest:
        return " ".join(words)
    number = int(rest)
    if number >= 100:
        words.append(PL_HUNDREDS[number // 100 - 1] if pl else f"{EN_UNITS[number // 100]} hundred")
    if number % 100 or number < 100:
        words.append(
            below_hundred(number % 100, PL_UNITS, PL_TEENS, PL_TENS)
            if pl
            else below_hundred(number % 100, EN_UNITS, EN_TEENS, EN_TENS)
        )
    return " ".join(words)


@st.composite
def pesels(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
    month = born.month + (20 if born.year >= 2000 else 0)
    digits = f"{born.year % 100:02}{month:02}{born.day:02}{draw(st.integers(0, 9999)):04}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 9) * 3, strict=False))
    return digits + str(-total % 10)


def luhn_digit(digits: str) -> str:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(sum(divmod(value, 10)) for value in doubled) % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    issuer = draw(st.sampled_from(["4", "51", "55", "2221", "2720", "34", "37", "6011", "65", "50", "62"]))
    length = draw(st.sampled_from([13, 15, 16, 16, 16, 19]))
    body = issuer + draw(st.text("0123456789", min_size=length - len(issuer) - 1, max_size=length - len(issuer) - 1))
    return body + luhn_digit(body)


def iban(country: str, account: str) -> str:
    value = "".join(str(int(sign, 36)) for sign in account + country + "00")
    return f"{country}{98 - int(value) % 97:02}{account}"


polish_accounts = st.text("0123456789", min_size=24, max_size=24).map(lambda account: iban("PL", account)[2:])


@st.composite
def chunked(draw: st.DrawFn, digits: str, largest: int = 4) -> list[str]:
    chunks = []
    while digits:
        size = draw(st.integers(1, largest))
        chunks.append(digits[:size])
        digits = digits[size:]
    return chunks


@st.composite
def written(draw: st.DrawFn, digits: str) -> str:
    """Any grouping with any separators."""
    if draw(st.booleans()):
        return digits
    chunks = draw(chunked(digits))
    separators = st.sampled_from([" ", "-", ", ", ". ", " - ", "  ", "\n", " yyy "])
    return chunks[0] + "".join(draw(separators) + chunk for chunk in chunks[1:])


@st.composite
def spoken(draw: st.DrawFn, digits: str) -> str:
    """Groups of up to three, as words; a pause is a comma, and stands always where two chunks could be one number."""
    language = draw(st.sampled_from(["pl", "en"]))
    text = ""
    last = ""
    for chunk in draw(chunked(digits, 3)):
        runs_on = last.endswith("0") and len(last.lstrip("0")) > 1 and not chunk.startswith("0")
        text += (", " if runs_on else draw(st.sampled_from([" ", " ", ", ", " eee "]))) if text else ""
        text += said(chunk, language)
        last = chunk
    return text


contexts = st.sampled_from(
    ["{}", "to jest {} proszę", "mój numer to {}.", "my number is {}, thank you", "order 123456 and also: {} ok?"]
)


@settings(max_examples=100, deadline=None)
@given(st.data(), pesels(), contexts)
def test_a_pesel_is_masked_in_every_spelling(data: st.DataObject, number: str, context: str) -> None:
    text = context.format(data.draw(st.one_of(written(number), spoken(number))))
    assert redact(text) == context.format("[PESEL]")


@settings(max_examples=100, deadline=None)
@given(st.data(), cards(), contexts)
def test_a_card_is_masked_in_every_spelling(data: st.DataObject, number: str, context: str) -> None:
    text = context.format(data.draw(st.one_of(written(number), spoken(number))))
    assert redact(text) == context.format("[card]")


@settings(max_examples=100, deadline=None)
@given(st.data(), polish_accounts, contexts, st.sampled_from(["", "PL", "PL ", "pl"]))
def test_a_polish_account_is_masked_in_every_spelling(
    data: st.DataObject, number: str, context: str, country: str
) -> None:
    text = context.format(country + data.draw(written(number)))
    assert redact(text) == context.format("[IBAN]")
    assert redact(context.format(data.draw(spoken(number)))) == context.format("[IBAN]")


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=18, max_size=18), st.booleans())
def test_an_account_with_letters_is_masked(account: str, grouped: bool) -> None:
    number = iban("GB", account)
    text = " ".join(number[at : at + 4] for at in range(0, len(number), 4)) if grouped else number
    assert redact(f"pay to {text}, please") == "pay to [IBAN], please"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("czterdzieści cztery zero pięć czternaście zero jeden trzysta pięćdziesiąt dziewięć", "[PESEL]"),
        ("czterdziesci cztery zero piec czternascie zero jeden trzysta piecdziesiat dziewiec", "[PESEL]"),
        ("four four oh five one four oh one three five nine", "[PESEL]"),
        ("double four oh five fourteen oh one three fifty-nine", "[PESEL]"),
        ("Cztery. Cztery. Zero. Pięć. 14, 01, 359.", "[PESEL]."),
        ("cztery cztery zero pięć czternaście zero jeden trzydzieści pięćdziesiąt dziewięć", None),  # twelve digits
        ("cztery jeden jeden jeden cztery jedynki jeden jeden jeden jeden trzy jedynki jeden", "[card]"),
        ("4111 1111 1111 1111 12 26", "[card] 12 26"),
        ("4111-1111-1111-1111, PESEL 44051401359", "[card], PESEL [PESEL]"),
        ("PESEL44051401359", "PESEL[PESEL]"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
        ("FR14 2004 1010 0505 0001 3M02 606", "[IBAN]"),
        ("DE eighty nine three seven zero four zero zero four four zero five three two zero one three zero zero zero",
         "[IBAN]"),
        ("mój pesel to 44051401358", "mój pesel to [PESEL]"),  # a digit misheard
        ("mój pesel to 4405140135", "mój pesel to [PESEL]"),
        ("numer karty 4111 1111 1111 1112", "numer karty [card]"),
        ("z karty: cztery tysiące", None),
    ],
)  # fmt: skip
def test_spellings(text: str, masked: str | None) -> None:
    assert redact(text) == (text if masked is None else masked)


@settings(deadline=None)
@given(st.data(), st.text("0123456789", min_size=4, max_size=8), contexts)
def test_order_numbers_stay(data: st.DataObject, number: str, context: str) -> None:
    text = context.replace("123456", "").format(data.draw(st.one_of(written(number), spoken(number))))
    assert redact(text) == text


@settings(deadline=None)
@given(st.data(), st.from_regex(r"[2-8]\d{8}", fullmatch=True))
def test_telephone_numbers_stay(data: st.DataObject, number: str) -> None:
    prefix = data.draw(st.sampled_from(["", "+48", "+48 ", "0048 "]))
    form = data.draw(st.sampled_from([(9,), (3, 3, 3), (2, 3, 2, 2)]))
    places = [0, *itertools.accumulate(form)]
    text = f"ten numer, {prefix}{' '.join(number[a:b] for a, b in itertools.pairwise(places))}, proszę"
    assert redact(text) == text
    assert redact(f"sip:48{number}@10.0.0.1:5060") == f"sip:48{number}@10.0.0.1:5060"


@settings(deadline=None)
@given(*[st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))] * 2)
def test_dates_and_times_stay(first: datetime, second: datetime) -> None:
    for form in ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%dT%H:%M:%S"):
        text = f"od {first.strftime(form)} {second.strftime(form)} do"
        assert redact(text) == text


@given(st.uuids())
def test_identifiers_stay(identifier: Any) -> None:
    assert redact(f"call {identifier} and {identifier.hex}") == f"call {identifier} and {identifier.hex}"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_taken_and_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@settings(deadline=None)
@given(st.data(), pesels())
def test_a_number_dictated_over_several_texts_is_masked_in_all(data: st.DataObject, number: str) -> None:
    chunks = data.draw(chunked(number))
    assert redact_joined(chunks) == ["[PESEL]"] * len(chunks)
    chunks[0] = "to jest " + chunks[0]
    chunks[-1] += " koniec"
    masked = redact_joined(chunks)
    assert not any(has_digits(text) for text in masked)
    assert masked[0].startswith("to jest ")
    assert masked[-1].endswith(" koniec")


def test_texts_without_secrets_come_back_as_they_were() -> None:
    assert redact_joined(["tak", "", "123456", "nie"]) == ["tak", "", "123456", "nie"]


def test_values_are_redacted_at_every_depth() -> None:
    value = {
        "44051401359": [44051401359, "4111 1111 1111 1111", None, True, 1.5],
        "order": ("123456", 123456),
        "deep": {"er": frozenset({"61109010140000071219812874"})},
    }
    assert redact_value(value) == {
        "[PESEL]": ["[PESEL]", "[card]", None, True, 1.5],
        "order": ("123456", 123456),
        "deep": {"er": frozenset({"[IBAN]"})},
    }


def test_has_digits() -> None:
    assert has_digits("zero")
    assert has_digits("a 7")
    assert not has_digits("ten numer")


def test_a_long_dictation_is_read_in_reasonable_time() -> None:
    text = "trzydzieści pięć " * 3000
    assert redact(text)  # pytest's own timeout is the limit: quadratic work would not finish
