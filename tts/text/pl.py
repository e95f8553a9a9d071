"""Polish: typed values into words. Plain text is in pl_written."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from tts.text import values
from tts.text.pl_nouns import CURRENCIES, gender_of
from tts.text.pl_numbers import Case, Gender, cardinal, one_by_one, ordinal, plural, with_fraction

MONTHS = (
    "stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października",
    "listopada", "grudnia",
)  # fmt: skip

WEEKDAYS = ("poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela")

LETTERS: Mapping[str, str] = {
    "a": "a", "ą": "a z ogonkiem", "b": "be", "c": "ce", "ć": "ce z kreską", "d": "de", "e": "e", "ę": "e z ogonkiem",
    "f": "ef", "g": "gie", "h": "ha", "i": "i", "j": "jot", "k": "ka", "l": "el", "ł": "eł", "m": "em", "n": "en",
    "ń": "en z kreską", "o": "o", "ó": "o z kreską", "p": "pe", "q": "ku", "r": "er", "s": "es", "ś": "es z kreską",
    "t": "te", "u": "u", "v": "fau", "w": "wu", "x": "iks", "y": "igrek", "z": "zet", "ź": "zet z kreską",
    "ż": "zet z kropką", "-": "myślnik", "_": "podkreślenie", ".": "kropka", "/": "ukośnik", "@": "małpa", "+": "plus",
    "&": "i", "#": "krzyżyk", "*": "gwiazdka",
}  # fmt: skip

_DOMAINS = {
    "com": "kom",
    "org": "org",
    "net": "net",
    "gov": "gow",
    "edu": "edu",
    "www": "wu wu wu",
    "gmail": "dżi mejl",
}

# What the words before ask of an hour: "o ósmej", "na ósmą".
_HOUR_CASES: Mapping[str, Case] = {
    **dict.fromkeys(("o", "po", "godzinie", "godzinach"), "locative"),
    **dict.fromkeys(("od", "do", "około", "koło", "godziny", "dokładnie"), "genitive"),
    **dict.fromkeys(("przed", "godziną", "między", "pomiędzy"), "instrumental"),
    **dict.fromkeys(("na", "godzinę"), "accusative"),
}
_DAY_CASES: Mapping[str, Case] = {**dict.fromkeys(("po", "o"), "locative"), "przed": "instrumental"}
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
                return None if day is None else date(day, today, before)
            return f"{WEEKDAYS[weekday]}, {date(day, today)}"
        case "time":
            clock = values.clock(given)
            return None if clock is None else time(clock, before)
    number = values.decimal(given)
    return None if number is None else _number_span(span, number)


def _number_span(span: Mapping[str, Any], number: Decimal) -> str | None:
    match span.get("kind"):
        case "number":
            return with_fraction(number, _gender(span), _case(span))
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


def amount(number: Decimal, currency: str, case: Case = "nominative") -> str:
    """dwadzieścia dwa złote pięćdziesiąt groszy."""
    whole, hundredths = values.cents(abs(number))
    sign = "minus " if number < 0 and (whole or hundredths) else ""
    known = CURRENCIES.get(currency.upper())
    if known is None:
        return f"{sign}{with_fraction(abs(number))} {spell(currency) or ''}".strip()
    unit, part = known
    said = []
    if whole or not hundredths:
        said.append(unit.counted(Decimal(whole), case))
    if hundredths:
        said.append(part.counted(Decimal(hundredths), case))
    return sign + " ".join(said)


def date(day: values.Day, today: datetime.date, before: str = "") -> str:
    """trzeciego maja, as one says when something is; with the year when it is not this one. `po`: trzecim maja."""
    said = f"{ordinal(day.day, 'm', _DAY_CASES.get(last_word(before), 'genitive'))} {MONTHS[day.month - 1]}"
    return said if day.year is None or day.year == today.year else f"{said} {year(day.year)}"


def year(number: int, case: Case = "genitive") -> str:
    """dwa tysiące dwudziestego piątego roku."""
    return f"{ordinal(number, 'm', case)} {'roku' if case in ('genitive', 'locative') else 'rok'}"


def time(clock: values.Clock, before: str = "") -> str:
    """ósma trzydzieści, in the case that the words before ask for (o ósmej trzydzieści)."""
    return time_in_case(clock, _HOUR_CASES.get(last_word(before), "nominative"))


def last_word(text: str) -> str:
    """The word that `text` ends with, in lower case; "" when there is none."""
    found = _LAST_WORD.search(text.rstrip(" .,"))
    return found[1].lower() if found else ""


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


def grouped(groups: list[str]) -> str | None:
    """Groups of digits one by one, letters by their names: an identifier as it is dictated."""
    said = (" ".join(filter(None, (_character(character) for character in group))) for group in groups)
    return ", ".join(filter(None, said)) or None


def _character(character: str) -> str | None:
    return one_by_one(character) if character.isdigit() else _letter(character)


def postcode(value: str) -> str | None:
    """00-950: zero zero dziewięćset pięćdziesiąt."""
    found = re.fullmatch(r"\s*(\d{2})-?(\d{3})\s*", values.plain_digits(value))
    return f"{_with_zeros(found[1])} {_with_zeros(found[2])}" if found else None


def _with_zeros(digits: str) -> str:
    """059: zero pięćdziesiąt dziewięć."""
    rest = digits.lstrip("0")
    zeros = ["zero"] * (len(digits) - len(rest))
    return " ".join([*zeros, cardinal(int(rest))] if rest else zeros)


def address(value: str) -> str | None:
    """jan kropka kowalski małpa firma kropka pe el."""
    said = []
    for part in values.address_parts(value):
        if part in LETTERS and not part.isalnum():
            said.append(LETTERS[part])
        elif part.isdigit():
            said.append(one_by_one(part))
        else:
            said.append(_DOMAINS.get(part.lower()) or (part if _speakable(part) else spelled(part)))
    return " ".join(said) or None


def _speakable(word: str) -> bool:
    return len(word) > 2 and bool(re.search("[aeiouyąęó]", word.lower()))


def spelled(word: str) -> str:
    """PKO: pe ka o."""
    return " ".join(filter(None, (_letter(character) for character in word)))


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
    noun = gender_of(forms[0])
    gender: Gender = "p" if noun == "p" and span.get("gender") == "m" else _gender(span, noun)
    if number != int(number):
        return f"{with_fraction(number)} {forms[min(1, len(forms) - 1)]}"
    counted = int(number)
    case = _case(span)
    many = gender == "p" or case not in ("nominative", "accusative")
    form = forms[-1] if many and abs(counted) != 1 else plural(counted, forms)
    return f"{cardinal(counted, gender, case)} {form}"


def _letter(character: str) -> str | None:
    lower = character.lower()
    if lower in LETTERS:
        return LETTERS[lower]
    return LETTERS.get(unicodedata.normalize("NFD", lower)[:1])


def _gender(span: Mapping[str, Any], default: Gender = "m") -> Gender:
    return next((gender for gender in get_args(Gender) if gender == span.get("gender")), default)


def _case(span: Mapping[str, Any]) -> Case:
    return next((case for case in get_args(Case) if case == span.get("case")), "nominative")
