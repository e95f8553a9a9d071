"""The words for days: months, weekdays, feasts, and what counts from today. Folded: lower case, no accents."""

from __future__ import annotations

import re
from functools import lru_cache

from flows.words import similar

_PL_MONTHS = (
    "styczen stycznia styczniu", "luty lutego lutym", "marzec marca marcu", "kwiecien kwietnia kwietniu",
    "maj maja maju",
    "czerwiec czerwca czerwcu", "lipiec lipca lipcu", "sierpien sierpnia sierpniu", "wrzesien wrzesnia wrzesniu",
    "pazdziernik pazdziernika pazdzierniku", "listopad listopada listopadzie", "grudzien grudnia grudniu",
)  # fmt: skip
_EN_MONTHS = (
    "january jan", "february feb", "march", "april apr", "may", "june", "july", "august aug", "september sept sep",
    "october oct", "november nov", "december dec",
)  # fmt: skip
MONTHS = {
    "pl": tuple(tuple(forms.split()) for forms in _PL_MONTHS),
    "en": tuple(tuple(forms.split()) for forms in _EN_MONTHS),
}
_PL_DAYS = (
    "poniedzialek poniedzialku poniedzialkiem poniedzialki pon", "wtorek wtorku wtorkiem wtorki",
    "sroda srode srody srodzie sroda", "czwartek czwartku czwartkiem czwartki", "piatek piatku piatkiem piatki",
    "sobota sobote soboty sobocie", "niedziela niedziele niedzieli",
)  # fmt: skip
_EN_DAYS = "monday mondays mon,tuesday tuesdays,wednesday wednesdays,thursday thursdays,friday fridays,saturday,sunday"
# "Piąty" and "czwartego" are numbers, not Friday and Thursday: weekdays have to be exact.
WEEKDAYS = {
    "pl": tuple(frozenset(forms.split()) for forms in _PL_DAYS),
    "en": tuple(frozenset(forms.split()) for forms in _EN_DAYS.split(",")),
}
# In the order in which they are looked for.
RELATIVE = {
    "pl": {"popojutrze": 3, "pojutrze": 2, "przedwczoraj": -2, "wczoraj": -1, "wczorajszy": -1, "jutro": 1, "jutra": 1,
           "jutrzejszy": 1, "jutrzejsza": 1, "dzisiaj": 0, "dzis": 0, "dzisiejszy": 0, "dzisiejsza": 0},
    "en": {"day after tomorrow": 2, "day before yesterday": -2, "yesterday": -1, "tomorrow": 1, "today": 0,
           "tonight": 0},
}  # fmt: skip
FEASTS = {
    "pl": {
        "wigilie": (12, 24), "wigilia": (12, 24), "wigilii": (12, 24), "boze narodzenie": (12, 25),
        "sylwestra": (12, 31),
        "sylwester": (12, 31), "nowy rok": (1, 1), "nowego roku": (1, 1), "trzech kroli": (1, 6),
        "<c3> kroli": (1, 6), "walentynki": (2, 14), "dzien kobiet": (3, 8), "mikolajki": (12, 6),
        "wszystkich swietych": (11, 1), "swieto niepodleglosci": (11, 11), "prima aprilis": (4, 1),
        "swieto pracy": (5, 1), "drugi dzien swiat": (12, 26), "<o2> dzien swiat": (12, 26),
        "<o1> dzien swiat": (12, 25), "szczepana": (12, 26),
    },
    "en": {
        "christmas eve": (12, 24), "christmas day": (12, 25), "christmas": (12, 25), "boxing day": (12, 26),
        "new years eve": (12, 31), "new year s eve": (12, 31), "new years day": (1, 1), "new year s day": (1, 1),
        "new year": (1, 1), "valentines day": (2, 14), "halloween": (10, 31), "all saints": (11, 1), "may day": (5, 1),
    },
}  # fmt: skip
NEXT = {
    "pl": ("przyszly", "przyszla", "przyszlego", "przyszlym", "przyszlej", "nastepny", "nastepna", "nastepnego",
           "nastepnym", "kolejny", "kolejna", "kolejnym", "kolejnego"),
    "en": ("next", "following"),
}  # fmt: skip
LAST = {
    "pl": ("zeszly", "zeszla", "zeszlym", "zeszlego", "ubiegly", "ubiegla", "ubieglym", "ubieglego", "ostatni",
           "ostatnia",
           "ostatnim", "ostatniego", "poprzedni", "poprzednia", "poprzednim", "miniony", "miniona", "minionym"),
    "en": ("last", "past", "previous"),
}  # fmt: skip
THIS = {"pl": ("ten", "ta", "tym", "tego", "biezacym"), "en": ("this",)}
# Units by their beginning, in days; -1 is a month, -12 a year.
UNITS = {
    "pl": (("dzien", 1), ("dni", 1), ("dnia", 1), ("dob", 1), ("ty", 7), ("miesi", -1), ("rok", -12), ("lat", -12)),
    "en": (("day", 1), ("week", 7), ("fortnight", 14), ("month", -1), ("year", -12)),
}
_PL_UNIT = (
    r"(?P<unit>dzien|dni|dnia|dobe|doby|tydzien|tygodnie|tygodni|tygodnia|miesiac|miesiace|miesiecy|rok|lata|lat)"
)
_EN_UNIT = r"(?P<unit>days?|weeks?|fortnights?|months?|years?)"
_MANY = r"(?P<n><[cd]\d+> )?"
AHEAD: dict[str, tuple[re.Pattern[str], ...]] = {
    "pl": (re.compile(rf" za (?:okolo |jakies |rowny )?{_MANY}{_PL_UNIT} "),),
    "en": (
        re.compile(rf" (?:in|within) (?:about )?{_MANY}(?:an? )?{_EN_UNIT} "),
        re.compile(rf" {_MANY}(?:an? )?{_EN_UNIT} (?:from|on) "),
        re.compile(r"day (?P<n>)(?P<unit>week) "),
    ),
}
AGO: dict[str, tuple[re.Pattern[str], ...]] = {
    "pl": (re.compile(rf" {_MANY}{_PL_UNIT} temu "),),
    "en": (re.compile(rf" {_MANY}(?:an? )?{_EN_UNIT} ago "),),
}


@lru_cache(maxsize=4096)
def month_named(word: str, language: str) -> int | None:
    """Which month a word is, 1 to 12."""
    months = enumerate(MONTHS[language], 1)
    return next((number for number, forms in months if any(similar(word, form) for form in forms)), None)
