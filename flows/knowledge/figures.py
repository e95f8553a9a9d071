"""The figures of a text with their units: numbers, amounts, times, dates, percentages, telephone numbers.

Figures are compared as they stand, "15 zł" with "piętnaście złotych" and "8:30" with "ósma trzydzieści"; no amount is
worked out, so "półtora tysiąca" is not 1500, and "12 złotych 50 groszy" not 12,50 zł.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flows.knowledge.lemmas import lemma, words
from flows.numbers import Number, find_numbers
from flows.words import fold

LINK = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)\S*[\w/]|\b(?:[\w-]+\.)+(?:pl|com|eu|org|net)\b")
_CLAUSE = re.compile(r"(?<!\d)[,;.:!?…()]+|[,;.:!?…()]+(?!\d)")
_WRITTEN = re.compile(r"\+?\d+(?:[.,:/ \u00a0–-]\d+)*")
_RANGE = re.compile(r"(\d{1,2}(?:[:.]\d\d)?|\d{1,4})[–-](\d{1,2}(?:[:.]\d\d)?|\d{1,4})")
_POSTCODE = re.compile(r"\d\d-\d{3}")
_FRACTION = re.compile(r"(\d+)([.,:])(\d{1,2})")
_SYMBOLS = {"%": " % ", "€": " euro ", "£": " pounds ", "$": " dollars "}
_BEFORE = re.compile(r"([€£$])\s*(\d[\d.,]*\d|\d)")
_UNITS = {
    "pl": {
        "zł": "zł złoty złote złotych złotego złotówek pln", "gr": "gr grosz grosze groszy", "euro": "euro eur",
        "%": "procent procenta proc", "min": "min minuta minuty minut", "h": "h godz godzina godziny godzin",
        "doba": "doba doby dób dobę", "day": "dzień", "week": "tydzień", "month": "miesiąc", "year": "rok",
        "kg": "kg kilo kilogram kilogramy kilogramów", "km": "km kilometr", "m": "m metr", "rate": "rata rat",
        "piece": "sztuka sztuk szt", "person": "osoba osób", "dollar": "dolar dollars", "pound": "funt pounds",
    },
    "en": {
        "zł": "zł zloty zlotys pln", "gr": "grosz groszy", "euro": "euro euros eur", "%": "percent",
        "min": "min mins minute", "h": "h hr hrs hour", "day": "day", "week": "week", "month": "month",
        "year": "year", "kg": "kg kilo kilogram", "km": "km kilometre", "m": "m metre", "rate": "instalment",
        "piece": "piece item", "person": "person people", "dollar": "dollar", "pound": "pound", "am": "am", "pm": "pm",
    },
}  # fmt: skip
# The common form of a unit's words: the unit.
UNIT_OF = {
    language: {lemma(form, language): unit for unit, forms in units.items() for form in forms.split()}
    for language, units in _UNITS.items()
}
_WORKING = re.compile(r"robocz|working$|business$")
_TELLS_HALF_DAY = frozenset(("am", "pm"))


@dataclass(frozen=True)
class Figure:
    """A number as comparable text ("15", "12.5", "8:30"), its unit or "", and the words it was found in."""

    value: str
    unit: str
    said: str

    def stands_in(self, others: Sequence[Figure]) -> bool:
        """Whether one of them is the same. One without a unit may have left it out ("5 or 6 zlotys")."""
        units = {other.unit for other in others if other.value == self.value}
        return self.unit in units or ("" in units and self.unit not in _TELLS_HALF_DAY)


def figures(text: str, language: str) -> list[Figure]:
    """The figures of a text in order; links and e-mail addresses are left out."""
    plain = _BEFORE.sub(r"\2 \1", LINK.sub(" ", text))
    for symbol, word in _SYMBOLS.items():
        plain = plain.replace(symbol, word)
    return [figure for clause in _CLAUSE.split(plain) for figure in _of_clause(clause, language)]


def _of_clause(clause: str, language: str) -> list[Figure]:
    pieces: list[str] = []
    end = 0
    for written in _WRITTEN.finditer(clause):
        pieces += [*_spoken(clause[end : written.start()]), *_values(written[0])]
        end = written.end()
    pieces += _spoken(clause[end:])
    found: list[Figure] = []
    # A value like "8:30" is no number word: it is looked at by itself.
    numbers = {number.start: number for number in find_numbers(pieces, language)}
    position = 0
    while position < len(pieces):
        if position in numbers:
            value, end = _run(numbers, position)
        elif pieces[position][0].isdigit():
            value, end = pieces[position], position + 1
        else:
            position += 1
            continue
        unit = _unit(pieces[end : end + 3], language)
        found.append(Figure(value, unit, " ".join(pieces[position : end + (1 if unit else 0)])))
        position = end
    return found


def _spoken(text: str) -> list[str]:
    return ["%" if word == "%" else fold(word) for part in text.split() for word in (words(part) or [part]) if word]


def _values(written: str) -> list[str]:
    """The comparable value of digits with what joins them, or the two ends of a range with a dash between."""
    if (ends := _RANGE.fullmatch(written)) and not _POSTCODE.fullmatch(written):
        return [*_values(ends[1]), "–", *_values(ends[2])]
    if fraction := _FRACTION.fullmatch(written):
        whole, sign, rest = fraction[1], fraction[2], fraction[3]
        clock = sign != "," and len(rest) == 2 and int(whole) <= 24 and int(rest) < 60
        if clock:
            return [str(int(whole)) + (f":{rest}" if int(rest) else "")]
        return [format(Decimal(f"{whole}.{rest}").normalize(), "f")]
    digits = re.sub(r"\D", "", written)
    if written.startswith("+48") and len(digits) == 11:
        digits = digits[2:]
    return [digits.lstrip("0") or "0" if len(digits) <= 2 else digits]


def _run(numbers: dict[int, Number], start: int) -> tuple[str, int]:
    """Numbers said one behind the other are one figure: a time, or digits in groups."""
    run = [numbers[start]]
    while run[-1].end in numbers:
        run.append(numbers[run[-1].end])
    if len(run) == 2 and run[0].value <= 24 and 0 < run[1].value < 60:
        return f"{run[0].value}:{run[1].value:02}", run[-1].end
    return "".join(number.digits for number in run), run[-1].end


def _unit(following: Sequence[str], language: str) -> str:
    if not following:
        return ""
    near = [UNIT_OF[language].get(lemma(word, language), "") for word in following]
    if following[0] == "%":
        return "%"
    if any(_WORKING.match(word) for word in following):
        return "working day" if "day" in near else ""
    return near[0]
