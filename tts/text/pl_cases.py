"""Polish: which case and gender a number is heard in, by the word before it and the words behind it."""

from __future__ import annotations

from collections.abc import Mapping

from tts.text.pl_nouns import is_feminine, is_personal
from tts.text.pl_numbers import Case, Gender

_GENITIVE = frozenset(
    "od do bez dla około ok koło powyżej poniżej ciągu przeciągu terminie okresie upływie wśród spośród oprócz "
    "wysokości kwoty kwota kwotę kwocie kwotą limitu wartości zamiast blisko względem niespełna trakcie przedziału "
    "czasie udziałem".split()
)
_INSTRUMENTAL = frozenset(("przed", "między", "pomiędzy", "ponad", "nad", "pod"))
_DATIVE = frozenset(("dzięki", "przeciw", "przeciwko", "wbrew", "ku"))
# Verbs and prepositions that leave a number as it is counted: za pięć minut, przez dwa dni.
_ENDINGS: tuple[tuple[str, Case], ...] = (("ach", "locative"), ("ami", "instrumental"), ("źmi", "instrumental"))

_NO_NOUNS = frozenset(
    "a i do lub albo oraz nie tylko jako łamane kropka przecinek na razem więc za po o od że ze czyli tego".split()
)

_HOURS: Mapping[str, Case] = {
    "o": "locative",
    "po": "locative",
    "do": "genitive",
    "od": "genitive",
    "około": "genitive",
    "przed": "instrumental",
    "na": "accusative",
}
_COUNTING = ("skal", "liczb", "cyfr", "ocen", "punkt", "numer", "wybier", "wybrać", "poda", "stron", "wiek", "odlicz")


def hour_case(preposition: str, before: str) -> Case | None:
    """The case of an hour after `preposition`; None when what was said before is about other numbers (w skali od)."""
    said = before.lower()
    return None if any(word in said for word in _COUNTING) else _HOURS.get(preposition.lower())


def case_of(preposition: str, noun: str) -> Case:
    """The case of a number after `preposition`; the noun behind it, in the form written, knows best."""
    for ending, case in _ENDINGS:
        if noun.endswith(ending):
            return case
    if preposition in _GENITIVE:
        return "genitive"
    if preposition in ("z", "ze") and noun:
        return "genitive"
    if preposition in _DATIVE or (noun.endswith("om") and noun != "dom"):
        return "dative"
    if preposition in ("przed", "między", "pomiędzy") and not noun:
        return "instrumental"
    if preposition == "przy":
        return "locative"
    return "accusative" if preposition in ("za", "na", "przez", "o", "w", "po", "co", "ponad") else "nominative"


def gender_and_case(number: int, preposition: str, first: str, second: str) -> tuple[Gender, Case]:
    """Of a bare number before the words `first` and `second` (an adjective may stand before the noun)."""
    first, second = ("" if first.lower() in _NO_NOUNS else first.lower()), second.lower()
    deciding = first
    for word in (first, second):
        if word.endswith(("ach", "ami", "źmi")) and word not in ("dach", "gmach"):
            deciding = word
            break
    case = case_of(preposition, deciding)
    if is_personal(first) or (is_personal(second) and first.endswith(("ych", "ich"))):
        return "p", case
    if number == 1:
        return _of_one(first, case)
    return ("f" if is_feminine(first) or (is_feminine(second) and first.endswith(("e", "ch", "mi"))) else "m"), case


def _of_one(noun: str, case: Case) -> tuple[Gender, Case]:
    """jedna minuta, jedną minutę, jednej minuty, jedno okno."""
    if noun.endswith("ę"):
        return "f", "accusative"
    if noun.endswith("ą"):
        return "f", "instrumental"
    if is_feminine(noun):
        return "f", "genitive" if case == "nominative" and noun.endswith(("y", "i")) else case
    if case in ("nominative", "accusative"):
        return ("f" if noun.endswith("a") else "n" if noun.endswith(("o", "e")) else "m"), case
    return "m", case
