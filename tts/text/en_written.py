"""English: numbers and abbreviations in plain text, read by what stands around them.

Rules are tried in order, each on the whole text; what a rule has read holds no digits any more, so no later rule
touches it. A rule that returns None leaves its find to the next ones; the last ones read whatever is left.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from re import Match

from tts.text import en, signs, values
from tts.text.en_words import read_words

_MONTHS = {name.lower()[:3]: number for number, name in enumerate(en.MONTHS, 1)}
_CURRENCY_WORDS = {
    "zł": "PLN", "pln": "PLN", "eur": "EUR", "euros": "EUR", "euro": "EUR", "€": "EUR", "usd": "USD", "dollars": "USD",
    "$": "USD", "gbp": "GBP", "pounds": "GBP", "£": "GBP", "chf": "CHF", "czk": "CZK",
}  # fmt: skip
_UNITS: dict[str, tuple[str, str]] = {
    "%": ("percent", "percent"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "km": ("kilometre", "kilometres"),
    "m": ("metre", "metres"),
    "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"),
    "l": ("litre", "litres"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "mi": ("mile", "miles"),
    "mph": ("mile per hour", "miles per hour"),
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "m2": ("square metre", "square metres"),
    "m3": ("cubic metre", "cubic metres"),
    "mg": ("milligram", "milligrams"),
    "ml": ("millilitre", "millilitres"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "hrs": ("hour", "hours"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "Mb/s": ("megabit per second", "megabits per second"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "pcs": ("piece", "pieces"),
    "°": ("degree", "degrees"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°C": ("degree Celsius", "degrees Celsius"),
}
_FRACTIONS = {
    (1, 2): "one half", (1, 3): "one third", (2, 3): "two thirds", (1, 4): "one quarter", (3, 4): "three quarters",
    (1, 5): "one fifth", (1, 8): "one eighth", (1, 10): "one tenth",
}  # fmt: skip


def read(text: str, before: str, today: datetime.date) -> str:
    """`text` in words, without digits. `before` is what is said before it, `today` decides whether a year is said."""
    text = values.plain_digits(text)
    text = signs.EMAIL.sub(_address, text)
    text = signs.URL.sub(_address, text)
    if any(character.isdigit() for character in text):
        for pattern, words in _RULES:
            text = pattern.sub(lambda found, words=words: words(found, today) or found[0], text)  # type: ignore[misc]
    return read_words(text)


def _address(found: Match[str]) -> str:
    return en.address(found[0]) or found[0]


def _number(text: str) -> Decimal:
    number = values.decimal(text.replace(",", ""))
    return Decimal(0) if number is None else number


def _iso_date(found: Match[str], today: datetime.date) -> str | None:
    day = values.day(found[0])
    return None if day is None else en.date(day, today)


def _day_month(found: Match[str], today: datetime.date) -> str | None:
    return _date(found[1], found[2], found[3], today)


def _month_day(found: Match[str], today: datetime.date) -> str | None:
    return _date(found[2], found[1], found[3], today)


def _date(number: str, month: str, year: str | None, today: datetime.date) -> str | None:
    day = values.checked_day(int(year) if year else None, _MONTHS[month.lower()[:3]], int(number))
    return None if day is None else en.date(day, today)


def _year(found: Match[str], today: datetime.date) -> str:
    return f"{found[1]}{en.year(int(found[2]))}"


def _clock(found: Match[str], today: datetime.date) -> str | None:
    hour, half = int(found[1]), (found[3] or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    moment = values.checked_clock(hour, int(found[2] or 0))
    return None if moment is None else en.time(moment)


def _amount(found: Match[str], today: datetime.date) -> str:
    return en.amount(_number(found[1]), _CURRENCY_WORDS[found[2].lower()])


def _amount_after(found: Match[str], today: datetime.date) -> str:
    return en.amount(_number(found[2]), _CURRENCY_WORDS[found[1].lower()])


def _slashed_date(found: Match[str], today: datetime.date) -> str | None:
    """3/05/2026 is read as the British write it, the day first."""
    day = values.checked_day(int(found[3]), int(found[2]), int(found[1]))
    return None if day is None else en.date(day, today)


def _decade(found: Match[str], today: datetime.date) -> str:
    """the 1990s, the 90s."""
    tens = en.ordinal(int(found[2])).removesuffix("tieth")
    century = f"{en.cardinal(int(found[1]))} " if found[1] else ""
    return f"{century}{tens}ties"


def _clock_range(found: Match[str], today: datetime.date) -> str | None:
    first = _moment(found[1], found[2], found[3] or found[6])
    last = _moment(found[4], found[5], found[6])
    return None if first is None or last is None else f"{en.time(first)} to {en.time(last)}"


def _moment(hour: str, minute: str | None, half: str | None) -> values.Clock | None:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half[0].lower() == "p" else 0)
    return values.checked_clock(number, int(minute or 0))


def _fraction(found: Match[str], today: datetime.date) -> str | None:
    said = _FRACTIONS.get((int(found[2]), int(found[3])))
    if said is None:
        return None
    return f"{en.cardinal(int(found[1]))} and {said.replace('one ', 'a ', 1)}" if found[1] else said


def _slash(found: Match[str], today: datetime.date) -> str:
    return " " if found.string[found.start() - 2 : found.end() + 1] == "24/7" else " slash "


def _version(found: Match[str], today: datetime.date) -> str:
    return " point ".join(en.cardinal(int(part)) for part in found[0].split("."))


def _pesel(found: Match[str], today: datetime.date) -> str | None:
    named = found.string[: found.start()].rstrip(" :").lower().endswith("pesel")
    return en.grouped(values.identifier_groups("pesel", found[0])) if named or values.is_pesel(found[0]) else None


def _nip(found: Match[str], today: datetime.date) -> str | None:
    return en.grouped(values.identifier_groups("nip", found[0]))


def _iban(found: Match[str], today: datetime.date) -> str | None:
    return en.grouped(values.identifier_groups("iban", found[0]))


def _postcode(found: Match[str], today: datetime.date) -> str | None:
    return en.postcode(found[0])


def _large_amount(found: Match[str], today: datetime.date) -> str:
    size = {"k": "thousand", "m": "million", "bn": "billion"}[found[3].lower()]
    return f"{en.with_fraction(_number(found[2]))} {size} {en.CURRENCIES[_CURRENCY_WORDS[found[1].lower()]][0][1]}"


def _unit(found: Match[str], today: datetime.date) -> str:
    number, forms = _number(found[1]), _UNITS[found[2]]
    return f"{en.with_fraction(number)} {forms[0] if number == 1 else forms[1]}"


def _ordinal(found: Match[str], today: datetime.date) -> str:
    return en.ordinal(int(found[1]))


def _phone(found: Match[str], today: datetime.date) -> str | None:
    return en.phone(found[0])


def _named_number(found: Match[str], today: datetime.date) -> str:
    return f"{found[1]}{en.digits(found[2])}"


def _minus(found: Match[str], today: datetime.date) -> str:
    return "minus "


def _range(found: Match[str], today: datetime.date) -> str:
    return " to "


def _bare(found: Match[str], today: datetime.date) -> str | None:
    written = found[0]
    if written.isdigit() and (len(written) > 4 or (len(written) > 1 and written.startswith("0"))):
        words = en.digits(written)
    else:
        number = values.decimal(written.replace(",", ""))
        words = None if number is None else en.with_fraction(number)
    if words is None:
        return None
    text = found.string
    left = " " if found.start() and text[found.start() - 1].isalnum() else ""
    right = " " if found.end() < len(text) and text[found.end()].isalnum() else ""
    return f"{left}{words}{right}"


def _left_over(found: Match[str], today: datetime.date) -> str:
    return f" {en.digits(found[0])} "


_NUMBER = r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_END = r"(?!\w)"
_TIME = r"(?<![\d:.,])(\d{1,2})(?::(\d{2}))?"
_MONTH = "|".join(en.MONTHS) + "|(?:" + "|".join(name[:3] for name in en.MONTHS) + r")\b\.?"
_CURRENCY = "|".join(re.escape(word) for word in sorted(_CURRENCY_WORDS, key=len, reverse=True))
_UNIT_NAME = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))

_Words = Callable[[Match[str], datetime.date], str | None]
_RULES: tuple[tuple[re.Pattern[str], _Words], ...] = (
    (signs.IBAN, _iban),
    (re.compile(rf"(?<!\d)\d{{4}}-\d{{2}}-\d{{2}}{_END}"), _iso_date),
    (re.compile(r"(?<![\d.])(\d{1,2})[./](\d{1,2})[./](\d{4})(?!\d)"), _slashed_date),
    (
        re.compile(
            rf"(?:\bthe )?(?<![\d.,])(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})(?:,? (\d{{4}}))?{_END}", re.I
        ),
        _day_month,
    ),
    (re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?{_END}", re.I), _month_day),
    (re.compile(r"(\b(?:in|since|of|year|by) )((?:1[5-9]|20)\d{2})(?![\d,.]\d|\w)", re.I), _year),
    (re.compile(r"(?<![\d,.])(1[5-9]|20)?([2-9]0)['’]?s\b"), _decade),
    (re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ -]?\d){8,13}(?!\d)"), _phone),
    (re.compile(r"(?<![\d.,])\d{3}[ -]\d{3}[ -]\d{3,4}(?!\d|[.,]\d)"), _phone),
    (re.compile(r"(?<![\d-])(?:\d{3}-\d{3}-\d{2}-\d{2}|\d{3}-\d{2}-\d{2}-\d{3})(?![\d-])"), _nip),
    (re.compile(r"(?<![\d.,])\d{11}(?!\d)"), _pesel),
    (re.compile(r"(?<![\d-])\d{2}-\d{3}(?![\w-])"), _postcode),
    (re.compile(rf"{_TIME} ?([ap]m\b|[ap]\.m\.)? ?[-–] ?{_TIME} ?([ap]m\b|[ap]\.m\.)", re.I), _clock_range),
    (re.compile(r"(?<![\d:.,])(\d{1,2}):(\d{2})() ?[-–] ?(\d{1,2}):(\d{2})()(?![\d:])"), _clock_range),
    (re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){2,3}(?![\d.]*\d)"), _version),
    (re.compile(r"(?:(?<=version )|(?<=\bv))\d{1,3}\.\d{1,3}(?!\d)", re.I), _version),
    (re.compile(r"(?<![\d:.,])(\d{1,2}):(\d{2})(?: ?([ap]m\b|[ap]\.m\.))?(?![\d:])", re.I), _clock),
    (re.compile(r"(?<![\d:.,])(\d{1,2})() ?([ap]m\b|[ap]\.m\.)", re.I), _clock),
    (re.compile(r"(?<![\w-])(?<!\d )[-−](?=[\d$£€])"), _minus),
    (re.compile(rf"(€|\$|£) ?({_NUMBER}) ?(k|m|bn)\b", re.I), _large_amount),
    (re.compile(rf"({_NUMBER}) ?({_CURRENCY}){_END}", re.I), _amount),
    (re.compile(rf"(PLN|EUR|USD|GBP|€|\$|£) ?({_NUMBER})"), _amount_after),
    (re.compile(rf"({_NUMBER}) ?({_UNIT_NAME})(?![\w/])"), _unit),
    (re.compile(r"(?<![\d/.,])(?:(\d{1,2}) )?(\d{1,2})/(\d{1,2})(?![\d/.,]\d|\d|/)"), _fraction),
    (re.compile(r"(?<=\d)/(?=\d)"), _slash),
    (re.compile(r"(?<![\d.,])(\d{1,4})(?:st|nd|rd|th)\b"), _ordinal),
    (re.compile(r"(\b(?:number|no\.?|code|pin)[ :]+)(\d{4,})", re.I), _named_number),
    (re.compile(r"(?<=\d)\s*[-–](?=\s*\d)"), _range),
    (re.compile(_NUMBER), _bare),
    (re.compile(r"\d+"), _left_over),
)
