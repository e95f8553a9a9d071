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

from tts.text import en, values

_MONTHS = {name.lower(): number for number, name in enumerate(en.MONTHS, 1)}
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
    "°C": ("degree Celsius", "degrees Celsius"),
}
_ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "and so on", "mr.": "Mister", "mr": "Mister", "mrs.": "Missus",
    "mrs": "Missus", "ms.": "Miz", "dr.": "Doctor", "dr": "Doctor", "prof.": "Professor", "no.": "number",
    "tel.": "telephone", "ext.": "extension", "approx.": "approximately", "vs.": "versus", "apt.": "apartment",
    "dept.": "department", "min.": "minutes", "ave.": "avenue", "rd.": "road", "mon.": "Monday", "tue.": "Tuesday",
    "wed.": "Wednesday", "thu.": "Thursday", "fri.": "Friday",
}  # fmt: skip
_SYMBOLS = {
    "%": " percent ",
    "&": " and ",
    "€": " euros ",
    "№": " number ",
    "+": " plus ",
    "=": " equals ",
    "@": " at ",
}
_SENTENCE_ENDERS = frozenset({"etc.", "min."})


def read(text: str, before: str, today: datetime.date) -> str:
    """`text` in words, without digits. `before` is what is said before it, `today` decides whether a year is said."""
    text = values.plain_digits(text)
    for pattern, words in _RULES:
        text = pattern.sub(lambda found, words=words: words(found, today) or found[0], text)  # type: ignore[misc]
    text = _ABBREVIATION.sub(_abbreviation, text)
    for symbol, name in _SYMBOLS.items():
        text = text.replace(symbol, name)
    return text


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
    day = values.checked_day(int(year) if year else None, _MONTHS[month.lower()], int(number))
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


def _abbreviation(found: Match[str]) -> str:
    written = found[1].lower()
    rest = found.string[found.end() :].lstrip()
    # A full stop that ended the abbreviation and the sentence is still needed by the voice.
    ends = written in _SENTENCE_ENDERS and (not rest or rest[0].isupper())
    return f"{_ABBREVIATIONS[written]}." if ends else _ABBREVIATIONS[written]


_NUMBER = r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_END = r"(?!\w)"
_MONTH = "|".join(en.MONTHS)
_CURRENCY = "|".join(re.escape(word) for word in sorted(_CURRENCY_WORDS, key=len, reverse=True))
_UNIT_NAME = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))

_Words = Callable[[Match[str], datetime.date], str | None]
_RULES: tuple[tuple[re.Pattern[str], _Words], ...] = (
    (re.compile(rf"(?<!\d)\d{{4}}-\d{{2}}-\d{{2}}{_END}"), _iso_date),
    (
        re.compile(
            rf"(?:\bthe )?(?<![\d.,])(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})(?:,? (\d{{4}}))?{_END}", re.I
        ),
        _day_month,
    ),
    (re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?{_END}", re.I), _month_day),
    (re.compile(r"(\b(?:in|since|of|year|by) )((?:1[5-9]|20)\d{2})(?![\d,.]\d|\w)", re.I), _year),
    (re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ -]?\d){8,13}(?!\d)"), _phone),
    (re.compile(r"(?<![\d.,])\d{3}[ -]\d{3}[ -]\d{3,4}(?!\d|[.,]\d)"), _phone),
    (re.compile(r"(?<![\d:.,])(\d{1,2}):(\d{2})(?: ?([ap]m\b|[ap]\.m\.))?(?![\d:])", re.I), _clock),
    (re.compile(r"(?<![\d:.,])(\d{1,2})() ?([ap]m\b|[ap]\.m\.)", re.I), _clock),
    (re.compile(rf"({_NUMBER}) ?({_CURRENCY}){_END}", re.I), _amount),
    (re.compile(rf"(PLN|EUR|USD|GBP|€|\$|£) ?({_NUMBER})"), _amount_after),
    (re.compile(rf"({_NUMBER}) ?({_UNIT_NAME}){_END}"), _unit),
    (re.compile(r"(?<![\d.,])(\d{1,4})(?:st|nd|rd|th)\b"), _ordinal),
    (re.compile(r"(\b(?:number|no\.?|code|pin)[ :]+)(\d{4,})", re.I), _named_number),
    (re.compile(r"(?<![\w-])[-−](?=\d)"), _minus),
    (re.compile(r"(?<=\d)\s*[-–](?=\s*\d)"), _range),
    (re.compile(_NUMBER), _bare),
    (re.compile(r"\d+"), _left_over),
)
_ABBREVIATION = re.compile(
    rf"(?<![\w.])({'|'.join(re.escape(word) for word in sorted(_ABBREVIATIONS, key=len, reverse=True))})(?!\w)", re.I
)
