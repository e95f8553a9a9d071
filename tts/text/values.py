"""Values of spans, parsed without regard to language, and the grouping of digits."""

from __future__ import annotations

import datetime
import itertools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

LARGEST = 10**12
"""Numbers from here on are read digit by digit: nobody follows them as numbers, and num2words ends somewhere above."""

_NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?")
_MIXED_FRACTION = re.compile("(?<=[0-9])(?=[¼½¾⅐-⅞])")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY = re.compile(r"-{0,2}(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True)
class Day:
    """A day of a year, or of any year."""

    year: int | None
    month: int
    day: int


def weekday(of: Day) -> int | None:
    """0 for Monday to 6 for Sunday; None for a day of any year."""
    return None if of.year is None else datetime.date(of.year, of.month, of.day).weekday()


@dataclass(frozen=True)
class Clock:
    """A time of day on the 24-hour clock."""

    hour: int
    minute: int


def plain_digits(text: str) -> str:
    """Every digit of any script, superscript, fraction and Roman numeral sign as ASCII characters."""
    if text.isascii():
        return text
    text = _MIXED_FRACTION.sub(" ", text)
    return "".join(character if character.isascii() else _plain(character) for character in text)


def _plain(character: str) -> str:
    if character.isnumeric() and not character.isalpha():
        character = unicodedata.normalize("NFKC", character).replace("\N{FRACTION SLASH}", "/")
    return "".join(
        str(unicodedata.digit(part)) if unicodedata.digit(part, None) is not None else part for part in character
    )


def decimal(value: object) -> Decimal | None:
    """The number that `value` means (int, float, Decimal, "12,50", "1 234.5"), or None."""
    if isinstance(value, bool):
        return None
    text = plain_digits(str(value)).strip().replace(",", ".")
    text = re.sub(r"(?<=\d)[\s'](?=\d{3})", "", text).replace("−", "-")
    if not _NUMBER.fullmatch(text) and not isinstance(value, float):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < LARGEST else None


def cents(number: Decimal) -> tuple[int, int]:
    """Whole units and hundredths of a non-negative amount, rounded half up."""
    rounded = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    whole = int(rounded)
    return whole, int((rounded - whole) * 100)


def day(value: object) -> Day | None:
    """A date from a date, "2026-05-03", "2026-05-03T10:00" or "05-03" (every year), or None."""
    if isinstance(value, datetime.date):  # a datetime is one too
        return Day(value.year, value.month, value.day)
    text = plain_digits(str(value)).strip()
    whole = _DATE.match(text)
    yearly = None if whole else _DAY.fullmatch(text)
    if whole is not None:
        return checked_day(int(whole[1]), int(whole[2]), int(whole[3]))
    return checked_day(None, int(yearly[1]), int(yearly[2])) if yearly else None


def checked_day(year: int | None, month: int, number: int) -> Day | None:
    """The day if the calendar has it; a leap day passes without a year."""
    try:
        datetime.date(2000 if year is None else year, month, number)
    except ValueError:
        return None
    return Day(year, month, number)


def clock(value: object) -> Clock | None:
    """A time of day from a time, a datetime, "8:30", "08:30:00", "8" or "2026-05-03T08:30", or None."""
    if isinstance(value, datetime.time | datetime.datetime):
        return Clock(value.hour, value.minute)
    text = plain_digits(str(value)).strip()
    text = re.sub(r"^\d{4}-\d{2}-\d{2}[T ]", "", text)
    parts = _CLOCK.fullmatch(text)
    if parts is not None:
        return checked_clock(int(parts[1]), int(parts[2]))
    return checked_clock(int(text), 0) if re.fullmatch(r"\d{1,2}", text) else None


def checked_clock(hour: int, minute: int) -> Clock | None:
    """The time if there is one; 24:00 is midnight."""
    if hour == 24 and minute == 0:
        return Clock(0, 0)
    return Clock(hour, minute) if hour < 24 and minute < 60 else None


def listening_groups(characters: str, size: int | None = None) -> list[str]:
    """A long number in groups that a listener can write down: threes, never one alone (7 is 3 + 2 + 2).

    `size` makes all groups (but the last) that long.
    """
    if size is not None and size > 0:
        return [characters[at : at + size] for at in range(0, len(characters), size)]
    groups = []
    while len(characters) > 4:
        groups.append(characters[:3])
        characters = characters[3:]
    if len(characters) == 4:
        groups.append(characters[:2])
        characters = characters[2:]
    return [*groups, characters] if characters else groups


def runs(value: str) -> list[str]:
    """The runs of digits and the runs of letters of a mixed number such as `ZA-2024/117`, in order."""
    return re.findall(r"[0-9]+|[^\W\d_]+", plain_digits(value))


_IDENTIFIERS: Mapping[str, Mapping[int, tuple[int, ...]]] = {
    "pesel": {11: (2, 2, 2, 3, 2)},  # year, month, day, then the rest
    "nip": {10: (3, 3, 2, 2)},
    "regon": {9: (3, 3, 3), 14: (3, 3, 3, 3, 2)},
    "iban": {26: (2, 4, 4, 4, 4, 4, 4)},  # a Polish account number without its country
}


def identifier_groups(kind: str, value: str) -> list[str]:
    """The groups in which a PESEL, NIP, REGON or account number is read; groups that are written apart stay.

    An account number with its country (IBAN) is read in fours after the country and the two check digits.
    """
    text = plain_digits(value).strip()
    written = [group for group in re.split(r"[^0-9A-Za-z]+", text) if group]
    joined = "".join(written)
    if kind == "iban" and joined[:2].isalpha():
        return [joined[:2], joined[2:4], *(joined[at : at + 4] for at in range(4, len(joined), 4))]
    if len(written) > 1 and kind != "iban":
        return written
    sizes = _IDENTIFIERS.get(kind, {}).get(len(joined))
    if sizes is None:
        return listening_groups(joined)
    ends = list(itertools.accumulate(sizes))
    return [joined[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def is_pesel(digits: str) -> bool:
    """Eleven digits whose check digit is right."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return len(digits) == 11 and sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 10 == 0


def address_parts(value: str) -> list[str]:
    """Words, numbers and signs of an e-mail or web address, without `https://` and a last slash."""
    text = re.sub(r"^\s*(?:https?://|mailto:)", "", plain_digits(value), flags=re.I).strip().rstrip("/")
    return re.findall(r"\d+|[^\W\d_]+|[-_.@/+&#]", text)


_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman(numeral: str) -> int | None:
    """The value of a Roman numeral in capitals, or None."""
    if not numeral or not _ROMAN.fullmatch(numeral):
        return None
    numbers = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-now if now < after else now for now, after in itertools.pairwise([*numbers, 0]))


def phone_groups(value: str) -> tuple[str, list[str]]:
    """Country code ("" when none is written) and groups of digits of a telephone number.

    Groups that are written apart stay as they are; Polish mobile numbers are 3-3-3 and fixed lines 2-3-2-2.
    """
    text = plain_digits(value).strip()
    code = ""
    if text.startswith(("+", "00")):
        text = text[1:] if text.startswith("+") else text[2:]
        found = re.match(r"48|49|44|420|421|380|1|7|\d{2}", text)
        code = found[0] if found else ""
        text = text[len(code) :]
    written = re.findall(r"\d+", text)
    if len(written) > 1 and all(2 <= len(group) <= 4 for group in written):
        return code, written
    digits = "".join(written)
    if len(digits) == 9 and code in ("", "48"):
        mobile = digits[:2] in ("45", "50", "51", "53", "57", "60", "66", "69", "72", "73", "78", "79", "88")
        cuts = (0, 3, 6, 9) if mobile else (0, 2, 5, 7, 9)
        return code, [digits[start:end] for start, end in itertools.pairwise(cuts)]
    return code, listening_groups(digits)
