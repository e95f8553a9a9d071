"""Polish numerals: cardinals and ordinals by gender and case, plural forms of nouns.

Genders: m, f, n, and p for men counted together (masculine personal: dwóch klientów, pięciu konsultantów).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

Gender = Literal["m", "f", "n", "p"]
Case = Literal["nominative", "genitive", "dative", "accusative", "instrumental", "locative"]

DIGITS = ("zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć")

# Nominative (and accusative), instrumental, dative, and what the other cases have. 1 and 2 have genders: see below.
_SMALL: dict[int, tuple[str, str, str, str]] = {
    0: ("zero", "zerem", "zeru", "zera"),
    3: ("trzy", "trzema", "trzem", "trzech"),
    4: ("cztery", "czterema", "czterem", "czterech"),
    **{
        number: (word, other, other, other)
        for number, word, other in (
            (5, "pięć", "pięciu"), (6, "sześć", "sześciu"), (7, "siedem", "siedmiu"), (8, "osiem", "ośmiu"),
            (9, "dziewięć", "dziewięciu"), (10, "dziesięć", "dziesięciu"), (11, "jedenaście", "jedenastu"),
            (12, "dwanaście", "dwunastu"), (13, "trzynaście", "trzynastu"), (14, "czternaście", "czternastu"),
            (15, "piętnaście", "piętnastu"), (16, "szesnaście", "szesnastu"), (17, "siedemnaście", "siedemnastu"),
            (18, "osiemnaście", "osiemnastu"), (19, "dziewiętnaście", "dziewiętnastu"),
            (20, "dwadzieścia", "dwudziestu"), (30, "trzydzieści", "trzydziestu"),
            (40, "czterdzieści", "czterdziestu"), (50, "pięćdziesiąt", "pięćdziesięciu"),
            (60, "sześćdziesiąt", "sześćdziesięciu"), (70, "siedemdziesiąt", "siedemdziesięciu"),
            (80, "osiemdziesiąt", "osiemdziesięciu"), (90, "dziewięćdziesiąt", "dziewięćdziesięciu"),
            (100, "sto", "stu"), (200, "dwieście", "dwustu"), (300, "trzysta", "trzystu"),
            (400, "czterysta", "czterystu"), (500, "pięćset", "pięciuset"), (600, "sześćset", "sześciuset"),
            (700, "siedemset", "siedmiuset"), (800, "osiemset", "ośmiuset"), (900, "dziewięćset", "dziewięciuset"),
        )
    },
}  # fmt: skip
_ONE: dict[Case, tuple[str, str, str]] = {  # m, f, n
    "nominative": ("jeden", "jedna", "jedno"),
    "genitive": ("jednego", "jednej", "jednego"),
    "dative": ("jednemu", "jednej", "jednemu"),
    "accusative": ("jeden", "jedną", "jedno"),
    "instrumental": ("jednym", "jedną", "jednym"),
    "locative": ("jednym", "jednej", "jednym"),
}
_TWO: dict[Case, tuple[str, str, str]] = {
    "nominative": ("dwa", "dwie", "dwa"),
    "genitive": ("dwóch", "dwóch", "dwóch"),
    "dative": ("dwóm", "dwóm", "dwóm"),
    "accusative": ("dwa", "dwie", "dwa"),
    "instrumental": ("dwoma", "dwiema", "dwoma"),
    "locative": ("dwóch", "dwóch", "dwóch"),
}
# One, and many: nominative, genitive, dative, accusative, instrumental, locative; then few (2 to 4).
_CASES: tuple[Case, ...] = ("nominative", "genitive", "dative", "accusative", "instrumental", "locative")
_GROUPS: tuple[tuple[int, tuple[str, ...], tuple[str, ...], str], ...] = (
    (
        10**9,
        ("miliard", "miliarda", "miliardowi", "miliard", "miliardem", "miliardzie"),
        ("miliardów", "miliardów", "miliardom", "miliardów", "miliardami", "miliardach"),
        "miliardy",
    ),
    (
        10**6,
        ("milion", "miliona", "milionowi", "milion", "milionem", "milionie"),
        ("milionów", "milionów", "milionom", "milionów", "milionami", "milionach"),
        "miliony",
    ),
    (
        10**3,
        ("tysiąc", "tysiąca", "tysiącowi", "tysiąc", "tysiącem", "tysiącu"),
        ("tysięcy", "tysięcy", "tysiącom", "tysięcy", "tysiącami", "tysiącach"),
        "tysiące",
    ),
)
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
_ENDINGS: dict[str, dict[Case, tuple[str, str, str]]] = {
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


def cardinal(number: int, gender: Gender = "m", case: Case = "nominative") -> str:
    """dwadzieścia dwa, dwadzieścia dwie (f), dwudziestu dwóch (p, and the genitive of all).

    Men counted together: two and more take the genitive for the nominative and the accusative (dwóch klientów).
    """
    if number < 0:
        return f"minus {cardinal(-number, gender, case)}"
    if number == 0:
        return _small(0, "m", case, alone=True)
    said = []
    for size, one, many, few in _GROUPS:
        count, number = divmod(number, size)
        if count == 1:
            said.append(one[_CASES.index(case)])
        elif count:
            said.append(f"{_below_thousand(count, 'm', case, alone=True)} {_group_name(count, case, many, few)}")
    if number:
        said.append(_below_thousand(number, gender, case, alone=not said and number == 1))
    return " ".join(said)


def _group_name(count: int, case: Case, many: tuple[str, ...], few: str) -> str:
    if case in ("nominative", "accusative") and plural(count, ("", few, "")) == few:
        return few
    return many[_CASES.index(case)]


def _below_thousand(number: int, gender: Gender, case: Case, *, alone: bool) -> str:
    if gender == "p" and case in ("nominative", "accusative") and not (alone and number == 1):
        case = "genitive"
    hundreds, below = number - number % 100, number % 100
    parts = [hundreds, below] if below <= 20 else [hundreds, below - below % 10, below % 10]
    return " ".join(_small(part, gender, case, alone=alone and part == number) for part in parts if part)


def _small(number: int, gender: Gender, case: Case, *, alone: bool) -> str:
    column = {"f": 1, "n": 2}.get(gender, 0)
    if number == 1:  # in compounds it has one form for all: dwadzieścia jeden, dwudziestu jeden
        return _ONE["genitive" if gender == "p" and case == "accusative" else case][column] if alone else "jeden"
    if number == 2:
        return _TWO[case][column]
    plain, instrumental, dative, other = _SMALL[number]
    return {"nominative": plain, "accusative": plain, "instrumental": instrumental, "dative": dative}.get(case, other)


def with_fraction(number: Decimal, gender: Gender = "m", case: Case = "nominative") -> str:
    """trzy przecinek czternaście; a fraction with a leading zero or of more than two digits is read digit by digit.

    Gender and case are heard in whole numbers only.
    """
    text = format(abs(number), "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    sign = "minus " if number < 0 else ""
    if not fraction:
        return sign + cardinal(int(whole), gender, case)
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
    return _ORDINAL_STEMS[number] + _ENDINGS["m" if gender == "p" else gender][case][kind]


def plural(number: int, forms: Sequence[str]) -> str:
    """The noun for a number: forms for 1 (paczka), for 2 to 4 (paczki), for the rest (paczek)."""
    number = abs(number)
    if number == 1:
        return forms[0]
    if len(forms) > 2 and number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return forms[1]
    return forms[-1]
