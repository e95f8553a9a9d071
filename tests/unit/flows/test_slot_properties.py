"""What holds for every value: it is understood as num2words says it, and as the bot itself reads it back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words
from stdnum import iban
from stdnum.pl import nip, pesel

from flows.slots import SLOT_TYPES, Rejected, Slot
from tts.text import spoken
from tts.text.pl_numbers import ordinal

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Europe/Warsaw"))
LANGUAGES = st.sampled_from(["pl", "en"])
MONTHS = "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia".split()
EN_MONTHS = "January February March April May June July August September October November December".split()


def slot(kind: str, **settings: Any) -> Slot:
    return SLOT_TYPES[kind].model_validate({"type": kind, "ask": {"": "?"}, **settings})


def heard(of: Slot, text: str, language: str) -> Any:
    value = of.parse(text, language, NOW, asked=True)
    accepted = None if value is None else of.accept(value, NOW)
    assert not isinstance(accepted, Rejected), f"{text!r} is refused: {accepted}"
    return accepted


def read_back(of: Slot, value: Any, language: str) -> str:
    return spoken(of.spans(value, language), language, NOW.date())


INTEGER = slot("integer", minimum=-10, maximum=10**9)
AMOUNT = slot("amount")
DAY = slot("date")
BORN = slot("date", past=True)
TIME = slot("time")
PHONE = slot("phone")
ORDER = slot("digits", pattern="[0-9]{4,12}")


@given(st.integers(0, 10**9), LANGUAGES)
def test_integers_as_num2words_says_them(number: int, language: str) -> None:
    assert heard(INTEGER, num2words(number, lang=language), language) == number
    assert heard(INTEGER, read_back(INTEGER, number, language), language) == number


@given(st.decimals(0, 999_999, places=2), LANGUAGES)
def test_amounts_are_heard_as_they_are_read_back(amount: Decimal, language: str) -> None:
    assert heard(AMOUNT, read_back(AMOUNT, str(amount), language), language) == f"{amount:.2f}"


@given(st.integers(0, 999_999), st.integers(0, 99))
def test_amounts_as_they_are_written(whole: int, part: int) -> None:
    meant = f"{whole}.{part:02d}"
    for written in (f"{whole},{part:02d} zł", f"{whole:,}.{part:02d}".replace(",", " ").replace(".", ",") + " zł"):
        assert heard(AMOUNT, written, "pl") == meant


def test_every_day_of_a_year_in_every_form() -> None:
    for ahead in range(365):
        _hear_in_every_form(NOW.date() + timedelta(days=ahead))


def _hear_in_every_form(day: date) -> None:
    meant = day.isoformat()
    month, english = MONTHS[day.month - 1], EN_MONTHS[day.month - 1]
    polish = [
        f"{ordinal(day.day, 'm', 'genitive')} {month}",
        f"{ordinal(day.day, 'm', 'nominative')} {month}",
        f"na {ordinal(day.day, 'm', 'genitive')} {month} poproszę",
        f"{day.day} {month}",
        f"{day.day}.{day.month:02d}",
        f"{day:%d.%m.%Y}",
        meant,
    ]
    if day.day not in (20, 30) or day.month > 9:  # "dwudziesty czwarty" is the 24th
        polish.append(f"{ordinal(day.day, 'm', 'nominative')} {ordinal(day.month, 'm', 'nominative')}")
    said = num2words(day.day, lang="en", to="ordinal")
    forms = [f"the {said} of {english}", f"{english} the {said}", f"{english} {said}", f"{day.day} {english}"]
    for language, texts in (("pl", polish), ("en", [*forms, meant])):
        for text in [*texts, read_back(DAY, meant, language)]:
            assert DAY.parse(text, language, NOW, asked=True) == meant, text
    assert DAY.from_keys(f"{day:%d%m}", NOW) == meant


@given(st.dates(date(1926, 12, 1), date(2026, 11, 22)), LANGUAGES)
def test_days_of_birth_are_heard_as_they_are_read_back(day: date, language: str) -> None:
    assert heard(BORN, read_back(BORN, day.isoformat(), language), language) == day.isoformat()
    assert BORN.from_keys(f"{day:%d%m%Y}", NOW) == day.isoformat()


def _hour(hour: int, case: Any) -> str:
    return "zero" if hour == 0 else ordinal(hour, "f", case)


@pytest.mark.parametrize("hour", range(24))
def test_every_minute_of_the_day_in_every_form(hour: int) -> None:
    for minute in range(60):
        _hear_at(hour, minute)


def _hear_at(hour: int, minute: int) -> None:
    meant = f"{hour:02d}:{minute:02d}"
    texts = [meant, f"{hour:02d}.{minute:02d}", f"o {meant}", read_back(TIME, meant, "pl")]
    minutes = num2words(minute, lang="pl")
    after = (hour + 1) % 12 or 12
    if 1 <= hour <= 11:
        part = "rano"
        if minute:
            texts.append(f"{minutes} po {_hour(hour, 'locative')} {part}")
            texts.append(f"za {num2words(60 - minute, lang='pl')} {_hour(after, 'nominative')} {part}")
        if minute == 30 and after < 12:
            texts.append(f"wpół do {_hour(after, 'genitive')} {part}")
        if minute >= 10:
            texts.append(f"o {_hour(hour, 'locative')} {minutes} {part}")
    for text in texts:
        if "dwunasta rano" not in text:
            assert TIME.parse(text, "pl", NOW, asked=True) == meant, text
    english = read_back(TIME, meant, "en")
    assert TIME.parse(english, "en", NOW, asked=True) == meant, english
    assert TIME.from_keys(meant.replace(":", ""), NOW) == meant


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.integers(1, 12))
def test_hours_ahead_are_those_of_the_clock_in_warsaw(local: datetime, hours: int) -> None:
    now = local.replace(tzinfo=ZoneInfo("Europe/Warsaw"))
    later = datetime.fromtimestamp(now.timestamp() + hours * 3600, ZoneInfo("Europe/Warsaw"))
    said = "godzinę" if hours == 1 else f"{num2words(hours, lang='pl')} godzin"
    assert TIME.parse(f"za {said}", "pl", now, asked=True) == f"{later:%H:%M}"


@given(st.from_regex(r"(50|51|53|60|66|69|78)[0-9]{7}", fullmatch=True), LANGUAGES)
def test_telephone_numbers_are_heard_as_they_are_read_back(number: str, language: str) -> None:
    value = PHONE.accept(number, NOW)
    if not isinstance(value, Rejected):
        assert heard(PHONE, read_back(PHONE, value, language), language) == value
        assert PHONE.accept(PHONE.from_keys(number, NOW), NOW) == value
        assert PHONE.join(number[:4], number[4:], NOW) is not None


@given(st.from_regex(r"[0-9]{4,12}", fullmatch=True), LANGUAGES)
def test_digits_are_heard_as_they_are_read_back(digits: str, language: str) -> None:
    assert heard(ORDER, read_back(ORDER, digits, language), language) == digits


@given(st.dates(date(1930, 1, 1), date(1999, 12, 31)), st.integers(0, 9999), LANGUAGES)
def test_pesel(born: date, serial: int, language: str) -> None:
    digits = f"{born:%y%m%d}{serial:04d}"
    number = digits + pesel.calc_check_digit(digits)
    of = slot("pesel")
    assert heard(of, read_back(of, number, language), language) == number
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert of.accept(wrong, NOW) == Rejected("pesel_checksum", {"heard": wrong})
    assert of.join(number[:5], number[5:], NOW) == number


@given(st.from_regex(r"[1-9][0-9]{8}", fullmatch=True), LANGUAGES)
def test_nip(nine: str, language: str) -> None:
    of = slot("nip")
    for number in (f"{nine}{check}" for check in range(10)):
        if nip.is_valid(number):
            assert heard(of, read_back(of, number, language), language) == number
        else:
            assert of.accept(number, NOW) == Rejected("nip_checksum", {"heard": number})


@given(st.from_regex(r"[0-9]{24}", fullmatch=True), LANGUAGES)
def test_iban(account: str, language: str) -> None:
    of = slot("iban")
    number = "PL" + iban.calc_check_digits(f"PL00{account}") + account
    if not isinstance(of.accept(number, NOW), Rejected):
        assert heard(of, read_back(of, number, language), language) == number


@given(st.from_regex(r"[0-9]{2}-[0-9]{3}", fullmatch=True), LANGUAGES)
def test_postal_codes(code: str, language: str) -> None:
    of = slot("postcode")
    assert heard(of, read_back(of, code, language), language) == code


@given(st.from_regex(r"[A-Z]{2}[0-9]{3,5}", fullmatch=True), LANGUAGES)
def test_codes(code: str, language: str) -> None:
    of = slot("code", pattern="[A-Z]{2}[0-9]{3,5}")
    assert heard(of, read_back(of, code, language), language) == code


@given(
    st.sampled_from(["jan", "anna.nowak", "biuro-2", "m_kowalska"]),
    st.sampled_from(["firma.pl", "wp.pl", "a-b.com.pl"]),
)
def test_addresses(local: str, domain: str) -> None:
    of = slot("email")
    assert heard(of, read_back(of, f"{local}@{domain}", "pl"), "pl") == f"{local}@{domain}"


@given(st.integers(0, 300), st.integers(0, 60), LANGUAGES)
def test_ranges_of_days(ahead: int, length: int, language: str) -> None:
    of = slot("range", of="date")
    start = NOW.date() + timedelta(days=ahead)
    value = {"from": start.isoformat(), "to": (start + timedelta(days=length)).isoformat()}
    assert heard(of, read_back(of, value, language), language) == value


@given(st.integers(0, 500), st.integers(0, 500), LANGUAGES, st.sampled_from(["integer", "amount"]))
def test_ranges_of_numbers(low: int, more: int, language: str, kind: str) -> None:
    of = slot("range", of=kind)
    ends: list[Any] = [low, low + more] if kind == "integer" else [f"{low}.00", f"{low + more}.00"]
    value = {"from": ends[0], "to": ends[1]}
    assert heard(of, read_back(of, value, language), language) == value


EVERY: list[tuple[Slot, Any]] = [
    (slot("code"), "AB1"), (AMOUNT, "1.00"), (TIME, "08:00"), (slot("range", of="date"), None),
    (slot("range", of="time"), None), (slot("range", of="amount"), None), (slot("range", of="integer"), None),
    (PHONE, "+48501600700"), (slot("email"), "a@b.pl"), (slot("name"), "Jan Nowak"),
    (slot("name", parts="last"), "Nowak"),
    (slot("postcode"), "00-950"), (slot("pesel"), "44051401458"), (slot("nip"), "5260250274"),
    (slot("iban"), "PL61109010140000071219812874"), (slot("date", within_days=30), "2026-12-06"),
]  # fmt: skip
WORDS = (
    "od do między a i za w na po pół wpół kwadrans godzina piątego szóstej dwa sto tysiąc dni tydzień temu "
    "przyszły czwartek maja lutego roku złotych groszy nie tylko małpa kropka pl jak maria ka o zero plus 30 2.30 "
    "2026 the of to past ten half week next may hundred and point dollars double at dot"
).split()


@given(
    st.sampled_from(EVERY),
    st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)),
    LANGUAGES,
    st.booleans(),
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=8), st.dictionaries(st.just("from"), st.text())),
)
def test_no_text_and_no_value_raises(case: tuple[Slot, Any], text: str, language: str, asked: bool, odd: Any) -> None:
    of, value = case
    amended = of.amend(value, text, language, NOW) if value is not None else None
    for candidate in (of.parse(text, language, NOW, asked=asked), amended, of.from_keys(text, NOW), odd):
        accepted = of.accept(candidate, NOW)
        if not isinstance(accepted, Rejected):
            assert of.accept(accepted, NOW) == accepted
            assert of.spans(accepted, language)
            of.plainest(accepted, text, language)
    of.join(value, odd, NOW)
    assert of.expectation(language).timeout_s > 0
