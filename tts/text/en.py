"""English: typed values into words. Plain text is in en_written."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from num2words import num2words

from tts.text import values

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

CURRENCIES: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "PLN": (("zloty", "zlotys"), ("grosz", "groszy")),
    "EUR": (("euro", "euros"), ("cent", "cents")),
    "USD": (("dollar", "dollars"), ("cent", "cents")),
    "GBP": (("pound", "pounds"), ("penny", "pence")),
    "CHF": (("franc", "francs"), ("centime", "centimes")),
    "CZK": (("crown", "crowns"), ("haler", "halers")),
}

LETTERS: Mapping[str, str] = {
    "a": "ay", "b": "bee", "c": "see", "d": "dee", "e": "ee", "f": "ef", "g": "gee", "h": "aitch", "i": "eye",
    "j": "jay", "k": "kay", "l": "el", "ł": "el with stroke", "m": "em", "n": "en", "o": "oh", "p": "pee", "q": "cue",
    "r": "ar", "s": "ess", "t": "tee", "u": "you", "v": "vee", "w": "double you", "x": "ex", "y": "why", "z": "zed",
    "-": "dash", "_": "underscore", ".": "dot", "/": "slash", "@": "at", "+": "plus", "&": "and", "#": "hash",
    "*": "star",
}  # fmt: skip


def value(span: Mapping[str, Any], before: str, today: datetime.date) -> str | None:
    """A span in words, or None when its value does not fit its kind."""
    given = span.get("value")
    match span.get("kind"):
        case "digits":
            group = span.get("group")
            return digits(str(given), group if isinstance(group, int) else None)
        case "phone":
            return phone(str(given))
        case "spell":
            return spell(str(given))
        case "pesel" | "nip" | "regon" | "iban" as kind:
            return grouped(values.identifier_groups(kind, str(given)))
        case "postcode":
            return postcode(str(given))
        case "email" | "url":
            return address(str(given))
        case "date":
            day = values.day(given)
            weekday = values.weekday(day) if day and span.get("weekday") else None
            if day is None or weekday is None:
                return None if day is None else date(day, today)
            return f"{WEEKDAYS[weekday]} {date(day, today)}"
        case "time":
            clock = values.clock(given)
            return None if clock is None else time(clock)
    number = values.decimal(given)
    return None if number is None else _number_span(span, number)


def _number_span(span: Mapping[str, Any], number: Decimal) -> str | None:
    match span.get("kind"):
        case "number":
            return with_fraction(number)
        case "ordinal":
            return ordinal(int(number)) if number == int(number) else None
        case "amount":
            return amount(number, str(span.get("currency") or "PLN"))
        case "count":
            return count(number, span.get("forms"))
    return None


def cardinal(number: int) -> str:
    """one thousand two hundred and thirty-four, without commas: a voice would pause there."""
    words = str(num2words(abs(number), lang="en")).replace(",", "")
    return f"minus {words}" if number < 0 else words


def with_fraction(number: Decimal) -> str:
    """three point one four."""
    whole, _, fraction = format(abs(number), "f").partition(".")
    fraction = fraction.rstrip("0")
    said = cardinal(int(whole)) + (f" point {one_by_one(fraction)}" if fraction else "")
    return f"minus {said}" if number < 0 else said


def one_by_one(digits: str) -> str:
    """one two three."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


def ordinal(number: int) -> str:
    """twenty-first."""
    words = str(num2words(abs(number), lang="en", to="ordinal")).replace(",", "")
    return f"minus {words}" if number < 0 else words


def year(number: int) -> str:
    """nineteen eighty-seven, two thousand and five, twenty twenty-five."""
    return str(num2words(number, lang="en", to="year")) if 1000 <= number < 3000 else cardinal(number)


def digits(value: str, group: int | None = None) -> str | None:
    """`123456` as two groups of three digits each; letters in it are spelled."""
    joined = "".join(value.split())
    said = []
    for run in values.runs(joined if joined.isdigit() else value):
        if run.isdigit():
            said += [one_by_one(part) for part in values.listening_groups(run, group)]
        else:
            said.append(" ".join(filter(None, (_letter(character) for character in run))))
    return ", ".join(filter(None, said)) or None


def amount(number: Decimal, currency: str) -> str:
    """twenty-two zlotys fifty; less than ten hundredths are named (two pounds and five pence)."""
    whole, hundredths = values.cents(abs(number))
    sign = "minus " if number < 0 and (whole or hundredths) else ""
    known = CURRENCIES.get(currency.upper())
    if known is None:
        return f"{sign}{with_fraction(abs(number))} {spell(currency) or ''}".strip()
    unit, part = known
    units, parts = counted(whole, unit), counted(hundredths, part)
    if not hundredths:
        return f"{sign}{units}"
    if not whole:
        return f"{sign}{parts}"
    return f"{sign}{units} {cardinal(hundredths)}" if hundredths >= 10 else f"{sign}{units} and {parts}"


def counted(number: int, forms: tuple[str, str]) -> str:
    """one parcel, two parcels."""
    return f"{cardinal(number)} {forms[0] if number == 1 else forms[1]}"


def date(day: values.Day, today: datetime.date) -> str:
    """the third of May; with the year when it is not this one."""
    said = f"the {ordinal(day.day)} of {MONTHS[day.month - 1]}"
    return said if day.year is None or day.year == today.year else f"{said} {year(day.year)}"


def time(clock: values.Clock) -> str:
    """eight thirty in the morning."""
    if clock.minute == 0 and clock.hour in (0, 12):
        return "noon" if clock.hour else "midnight"
    hour = cardinal((clock.hour - 1) % 12 + 1)
    minutes = "" if clock.minute == 0 else f" {'oh ' if clock.minute < 10 else ''}{cardinal(clock.minute)}"
    return f"{hour}{minutes} {_part_of_day(clock.hour)}"


def _part_of_day(hour: int) -> str:
    if hour < 4 or hour >= 22:
        return "at night"
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"


def phone(value: str) -> str | None:
    """plus four eight, then the digits one by one in groups."""
    code, groups = values.phone_groups(value)
    said = [f"plus {one_by_one(code)}"] if code else []
    return ", ".join(said + [one_by_one(group) for group in groups]) or None


def grouped(groups: list[str]) -> str | None:
    """Groups of digits one by one, letters by their names: an identifier as it is dictated."""
    said = (" ".join(filter(None, (_character(character) for character in group))) for group in groups)
    return ", ".join(filter(None, said)) or None


def _character(character: str) -> str | None:
    return one_by_one(character) if character.isdigit() else _letter(character)


def postcode(value: str) -> str | None:
    """Digits one by one, letters spelled: zero zero, nine five zero."""
    return grouped([group for group in re.split(r"[^0-9A-Za-z]+", values.plain_digits(value)) if group])


def address(value: str) -> str | None:
    """john dot smith at company dot com."""
    said = []
    for part in values.address_parts(value):
        if part in LETTERS and not part.isalnum():
            said.append(LETTERS[part])
        elif part.isdigit():
            said.append(one_by_one(part))
        else:
            speakable = len(part) > 2 and re.search("[aeiouy]", part.lower())
            said.append(part if speakable else spelled(part))
    return " ".join(said) or None


def spelled(word: str) -> str:
    """UK: you kay."""
    return " ".join(filter(None, (_letter(character) for character in word)))


def spell(value: str) -> str | None:
    """The names of the letters."""
    characters = values.plain_digits(value.strip())
    names = [one_by_one(character) if character.isdigit() else _letter(character) for character in characters]
    return ", ".join(filter(None, names)) or None


def count(number: Decimal, forms: object) -> str | None:
    """two parcels; forms for one and for many."""
    if not isinstance(forms, list | tuple) or not forms or not all(isinstance(form, str) for form in forms):
        return None
    return f"{with_fraction(number)} {forms[0] if abs(number) == 1 else forms[-1]}"


def _letter(character: str) -> str | None:
    lower = character.lower()
    return LETTERS.get(lower) or LETTERS.get(unicodedata.normalize("NFD", lower)[:1])
