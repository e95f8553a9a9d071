"""Polish: typed values into words. Plain text is in pl_written."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from tts.text import values
from tts.text.pl_numbers import Case, Gender, cardinal, gender_of, one_by_one, ordinal, plural, with_fraction

MONTHS = (
    "stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października",
    "listopada", "grudnia",
)  # fmt: skip

CURRENCIES: Mapping[str, tuple[tuple[str, str, str], tuple[str, str, str]]] = {
    "PLN": (("złoty", "złote", "złotych"), ("grosz", "grosze", "groszy")),
    "EUR": (("euro", "euro", "euro"), ("cent", "centy", "centów")),
    "USD": (("dolar", "dolary", "dolarów"), ("cent", "centy", "centów")),
    "GBP": (("funt", "funty", "funtów"), ("pens", "pensy", "pensów")),
    "CHF": (("frank", "franki", "franków"), ("centym", "centymy", "centymów")),
    "CZK": (("korona", "korony", "koron"), ("halerz", "halerze", "halerzy")),
}

LETTERS: Mapping[str, str] = {
    "a": "a", "ą": "a z ogonkiem", "b": "be", "c": "ce", "ć": "ce z kreską", "d": "de", "e": "e", "ę": "e z ogonkiem",
    "f": "ef", "g": "gie", "h": "ha", "i": "i", "j": "jot", "k": "ka", "l": "el", "ł": "eł", "m": "em", "n": "en",
    "ń": "en z kreską", "o": "o", "ó": "o z kreską", "p": "pe", "q": "ku", "r": "er", "s": "es", "ś": "es z kreską",
    "t": "te", "u": "u", "v": "fau", "w": "wu", "x": "iks", "y": "igrek", "z": "zet", "ź": "zet z kreską",
    "ż": "zet z kropką", "-": "myślnik", "_": "podkreślenie", ".": "kropka", "/": "ukośnik", "@": "małpa", "+": "plus",
    "&": "i", "#": "krzyżyk", "*": "gwiazdka",
}  # fmt: skip

# What the words before ask of an hour: "o ósmej", "na ósmą".
_HOUR_CASES: Mapping[str, Case] = {
    **dict.fromkeys(("o", "po", "godzinie"), "locative"),
    **dict.fromkeys(("od", "do", "około", "koło", "godziny", "dokładnie"), "genitive"),
    **dict.fromkeys(("przed", "godziną", "między", "pomiędzy"), "instrumental"),
    **dict.fromkeys(("na", "godzinę"), "accusative"),
}
_LAST_WORD = re.compile(r"([^\W\d_]+)\s*$")


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
        case "date":
            day = values.day(given)
            return None if day is None else date(day, today)
        case "time":
            clock = values.clock(given)
            return None if clock is None else time(clock, before)
    number = values.decimal(given)
    return None if number is None else _number_span(span, number)


def _number_span(span: Mapping[str, Any], number: Decimal) -> str | None:
    match span.get("kind"):
        case "number":
            return with_fraction(number, _gender(span))
        case "ordinal":
            return ordinal(int(number), _gender(span), _case(span)) if number == int(number) else None
        case "amount":
            return amount(number, str(span.get("currency") or "PLN"))
        case "count":
            return count(number, span)
    return None


def digits(value: str, group: int | None = None) -> str | None:
    """`123456` as two groups of three digits each; letters in it are spelled."""
    if re.fullmatch(r"[\d\s]+", value):
        value = re.sub(r"\s", "", value)
    said = []
    for run in values.runs(value):
        if run.isdigit():
            said += [one_by_one(part) for part in values.listening_groups(run, group)]
        else:
            said.append(" ".join(filter(None, (_letter(character) for character in run))))
    return ", ".join(filter(None, said)) or None


def amount(number: Decimal, currency: str) -> str:
    """dwadzieścia dwa złote pięćdziesiąt groszy."""
    whole, hundredths = values.cents(abs(number))
    sign = "minus " if number < 0 and (whole or hundredths) else ""
    known = CURRENCIES.get(currency.upper())
    if known is None:
        return f"{sign}{with_fraction(abs(number))} {spell(currency) or ''}".strip()
    unit, part = known
    said = []
    if whole or not hundredths:
        said.append(_counted(whole, unit))
    if hundredths:
        said.append(_counted(hundredths, part))
    return sign + " ".join(said)


def _counted(number: int, forms: tuple[str, str, str]) -> str:
    gender: Gender = "f" if forms[0].endswith("a") else "n" if forms[0] == "euro" else "m"
    return f"{cardinal(number, 'm' if gender == 'n' else gender)} {plural(number, forms)}"


def date(day: values.Day, today: datetime.date) -> str:
    """trzeciego maja, as one says when something is; with the year when it is not this one."""
    said = f"{ordinal(day.day, 'm', 'genitive')} {MONTHS[day.month - 1]}"
    return said if day.year is None or day.year == today.year else f"{said} {year(day.year)}"


def year(number: int, case: Case = "genitive") -> str:
    """dwa tysiące dwudziestego piątego roku."""
    return f"{ordinal(number, 'm', case)} {'roku' if case in ('genitive', 'locative') else 'rok'}"


def time(clock: values.Clock, before: str = "") -> str:
    """ósma trzydzieści, in the case that the words before ask for (o ósmej trzydzieści)."""
    word = _LAST_WORD.search(before.rstrip(" .,"))
    case = _HOUR_CASES.get(word[1].lower(), "nominative") if word else "nominative"
    return time_in_case(clock, case)


def time_in_case(clock: values.Clock, case: Case) -> str:
    """The hour in a case; minutes are never inflected."""
    if clock.hour == 0 and clock.minute == 0:
        return {"nominative": "północ", "accusative": "północ", "instrumental": "północą"}.get(case, "północy")
    hour = "zero" if clock.hour == 0 else ordinal(clock.hour, "f", case)
    if clock.minute == 0:
        return hour
    return f"{hour} {'zero ' if clock.minute < 10 else ''}{cardinal(clock.minute)}"


def phone(value: str) -> str | None:
    """plus czterdzieści osiem, then the digits one by one in groups."""
    code, groups = values.phone_groups(value)
    said = [f"plus {cardinal(int(code))}"] if code else []
    return ", ".join(said + [one_by_one(group) for group in groups]) or None


def spell(value: str) -> str | None:
    """The names of the letters."""
    characters = values.plain_digits(value.strip())
    names = [one_by_one(character) if character.isdigit() else _letter(character) for character in characters]
    return ", ".join(filter(None, names)) or None


def count(number: Decimal, span: Mapping[str, Any]) -> str | None:
    """dwie paczki; the gender is taken from the noun when it is not given. A fraction takes the genitive singular."""
    forms = span.get("forms")
    if not isinstance(forms, list | tuple) or not forms or not all(isinstance(form, str) for form in forms):
        return None
    gender = _gender(span, gender_of(forms[0]))
    if number != int(number):
        return f"{with_fraction(number)} {forms[min(1, len(forms) - 1)]}"
    return f"{cardinal(int(number), gender)} {plural(int(number), forms)}"


def _letter(character: str) -> str | None:
    lower = character.lower()
    if lower in LETTERS:
        return LETTERS[lower]
    return LETTERS.get(unicodedata.normalize("NFD", lower)[:1])


def _gender(span: Mapping[str, Any], default: Gender = "m") -> Gender:
    return next((gender for gender in get_args(Gender) if gender == span.get("gender")), default)


def _case(span: Mapping[str, Any]) -> Case:
    return next((case for case in get_args(Case) if case == span.get("case")), "nominative")
