"""Polish numerals: cardinals by gender, ordinals by gender and case, plural forms of nouns."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from num2words import num2words

Gender = Literal["m", "f", "n"]
Case = Literal["nominative", "genitive", "dative", "accusative", "instrumental", "locative"]

DIGITS = ("zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć")

_ONE = {"m": "jeden", "f": "jedna", "n": "jedno"}
_ORDINAL_STEMS = {
    0: "zerow", 1: "pierwsz", 2: "drug", 3: "trzec", 4: "czwart", 5: "piąt", 6: "szóst", 7: "siódm", 8: "ósm",
    9: "dziewiąt", 10: "dziesiąt", 11: "jedenast", 12: "dwunast", 13: "trzynast", 14: "czternast", 15: "piętnast",
    16: "szesnast", 17: "siedemnast", 18: "osiemnast", 19: "dziewiętnast", 20: "dwudziest", 30: "trzydziest",
    40: "czterdziest", 50: "pięćdziesiąt", 60: "sześćdziesiąt", 70: "siedemdziesiąt", 80: "osiemdziesiąt",
    90: "dziewięćdziesiąt", 100: "setn", 200: "dwusetn", 300: "trzechsetn", 400: "czterechsetn", 500: "pięćsetn",
    600: "sześćsetn", 700: "siedemsetn", 800: "osiemsetn", 900: "dziewięćsetn", 1000: "tysięczn", 2000: "dwutysięczn",
    3000: "trzytysięczn", 4000: "czterotysięczn", 5000: "pięciotysięczn", 6000: "sześciotysięczn",
    7000: "siedmiotysięczn", 8000: "ośmiotysięczn", 9000: "dziewięciotysięczn", 10000: "dziesięciotysięczn",
}  # fmt: skip

# Endings after a hard stem (pierwsz-), after drug-, after trzec-.
_ENDINGS: dict[Gender, dict[Case, tuple[str, str, str]]] = {
    "m": {
        "nominative": ("y", "i", "i"),
        "genitive": ("ego", "iego", "iego"),
        "dative": ("emu", "iemu", "iemu"),
        "accusative": ("y", "i", "i"),
        "instrumental": ("ym", "im", "im"),
        "locative": ("ym", "im", "im"),
    },
    "f": {
        "nominative": ("a", "a", "ia"),
        "genitive": ("ej", "iej", "iej"),
        "dative": ("ej", "iej", "iej"),
        "accusative": ("ą", "ą", "ią"),
        "instrumental": ("ą", "ą", "ią"),
        "locative": ("ej", "iej", "iej"),
    },
    "n": {
        "nominative": ("e", "ie", "ie"),
        "genitive": ("ego", "iego", "iego"),
        "dative": ("emu", "iemu", "iemu"),
        "accusative": ("e", "ie", "ie"),
        "instrumental": ("ym", "im", "im"),
        "locative": ("ym", "im", "im"),
    },
}
_FEMININE_WORDS = frozenset(
    "noc rzecz twarz pomoc kolej wieś odpowiedź wypowiedź sól krew pieczęć powódź jesień".split()
)
_MASCULINE_IN_A = frozenset("mężczyzna kierowca kolega doradca sprzedawca specjalista".split())


def cardinal(number: int, gender: Gender = "m") -> str:
    """dwadzieścia dwa; the gender shows in 1 alone and in a last 2 (dwie, dwadzieścia dwie)."""
    if number < 0:
        return f"minus {cardinal(-number, gender)}"
    if number == 1:
        return _ONE[gender]
    words = str(num2words(number, lang="pl"))
    if gender == "f" and number % 10 == 2 and number % 100 != 12:
        return f"{words.removesuffix('dwa')}dwie"
    return words


def with_fraction(number: Decimal, gender: Gender = "m") -> str:
    """trzy przecinek czternaście; a fraction with a leading zero or of more than two digits is read digit by digit."""
    text = format(abs(number), "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    sign = "minus " if number < 0 else ""
    if not fraction:
        return sign + cardinal(int(whole), gender)
    if fraction.startswith("0") or len(fraction) > 2:
        tail = one_by_one(fraction)
    else:
        tail = cardinal(int(fraction))
    return f"{sign}{cardinal(int(whole))} przecinek {tail}"


def one_by_one(digits: str) -> str:
    """jeden dwa trzy."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


def ordinal(number: int, gender: Gender = "m", case: Case = "nominative") -> str:
    """dwudziesty pierwszy; tens and ones are both inflected, what stands before them is a cardinal."""
    if number < 0:
        return f"minus {ordinal(-number, gender, case)}"
    if number in _ORDINAL_STEMS:
        return _inflected(number, gender, case)
    if number % 100 in _ORDINAL_STEMS and number % 100:
        return f"{cardinal(number - number % 100)} {_inflected(number % 100, gender, case)}"
    if number % 100:
        tens = number % 100 - number % 10
        before = f"{cardinal(number - number % 100)} " if number >= 100 else ""
        return f"{before}{_inflected(tens, gender, case)} {_inflected(number % 10, gender, case)}"
    if number % 1000:
        return f"{cardinal(number - number % 1000)} {_inflected(number % 1000, gender, case)}"
    return f"numer {cardinal(number)}"  # the compounds of thousands above ten are words that nobody uses


def _inflected(number: int, gender: Gender, case: Case) -> str:
    kind = {2: 1, 3: 2}.get(number, 0)
    return _ORDINAL_STEMS[number] + _ENDINGS[gender][case][kind]


def plural(number: int, forms: Sequence[str]) -> str:
    """The noun for a number: forms for 1 (paczka), for 2 to 4 (paczki), for the rest (paczek)."""
    number = abs(number)
    if number == 1:
        return forms[0]
    if len(forms) > 2 and number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return forms[1]
    return forms[-1]


def gender_of(noun: str) -> Gender:
    """A noun's gender by its nominative singular: by ending, with the common exceptions."""
    word = noun.split()[-1].lower() if noun.split() else ""
    if word in _MASCULINE_IN_A:
        return "m"
    if word.endswith(("a", "i", "ść")) or word in _FEMININE_WORDS:
        return "f"
    return "n" if word.endswith(("o", "e", "ę", "um")) else "m"
