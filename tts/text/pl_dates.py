"""Polish: dates and hours in plain text. The rest of the numbers is read in pl_written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from re import Match

from tts.text import pl, values
from tts.text.pl_cases import hour_case
from tts.text.pl_numbers import Case, ordinal

_MONTHS = {name: number for number, name in enumerate(pl.MONTHS, 1)}
_ROMAN_MONTHS = {numeral: number for number, numeral in enumerate("I II III IV V VI VII VIII IX X XI XII".split(), 1)}
_HOUR_WORDS: dict[str, tuple[str, Case]] = {
    "o": ("godzinie", "locative"),
    "po": ("godzinie", "locative"),
    "do": ("godziny", "genitive"),
    "od": ("godziny", "genitive"),
    "około": ("godziny", "genitive"),
    "przed": ("godziną", "instrumental"),
    "na": ("godzinę", "accusative"),
}
_DECADES: dict[str, str] = {"lata": "e", "lat": "ych", "latach": "ych", "latami": "ymi"}


@dataclass(frozen=True)
class Context:
    """What is said before the text, and the day on which it is read."""

    before: str
    today: datetime.date

    def preposition(self, found: Match[str]) -> str:
        """The word before a find, in lower case."""
        return pl.last_word(self.before + found.string[: found.start()])


Words = Callable[[Match[str], Context], str | None]
Rule = tuple[re.Pattern[str], Words]


def _date(year: str | None, month: int, day: str, found: Match[str], context: Context) -> str | None:
    checked = values.checked_day(int(year) if year else None, month, int(day))
    return None if checked is None else pl.date(checked, context.today, context.preposition(found))


def _iso_date(found: Match[str], context: Context) -> str | None:
    return _date(found[1], int(found[2]), found[3], found, context)


def _dotted_date(found: Match[str], context: Context) -> str | None:
    return _date(found[3], int(found[2]), found[1], found, context)


def _short_date(found: Match[str], context: Context) -> str | None:
    return _date(None, int(found[2]), found[1], found, context)


def _roman_date(found: Match[str], context: Context) -> str | None:
    return _date(found[3], _ROMAN_MONTHS[found[2]], found[1], found, context)


def _wordy_date(found: Match[str], context: Context) -> str | None:
    return _date(found[3], _MONTHS[found[2].lower()], found[1], found, context)


def _days_of_month(found: Match[str], context: Context) -> str | None:
    """3-5 maja; 3 i 4 maja; od 3 do 5 maja; między 3 a 5 maja."""
    first, joint, last = int(found[1]), found[2].strip(), int(found[3])
    if not (1 <= first <= 31 and 1 <= last <= 31):
        return None
    between = context.preposition(found) in ("między", "pomiędzy")
    case: Case = "instrumental" if between else "genitive"
    start, end = ordinal(first, "m", case), ordinal(last, "m", case)
    if joint not in ("-", "–"):
        return f"{start} {joint} {end} {found[4]}"
    return f"{'' if context.preposition(found) == 'od' else 'od '}{start} do {end} {found[4]}"


def _year(found: Match[str], context: Context) -> str:
    return f"{found[1]} {pl.year(int(found[2]), 'locative')}" if found[1] else pl.year(int(found[2]))


def _year_of_month(found: Match[str], context: Context) -> str:
    return f"{found[1]} {pl.year(int(found[2]))}"


def _decade(found: Match[str], context: Context) -> str:
    """lata 90., w latach 90."""
    return f"{found[1]} {ordinal(int(found[2]), 'm')[:-1]}{_DECADES[found[1].lower()]}"


def _moment(hour: str, minute: str | None) -> values.Clock | None:
    return values.checked_clock(int(hour), int(minute or 0))


def _hours_range(found: Match[str], context: Context) -> str | None:
    first, last = _moment(found[3], found[4]), _moment(found[5], found[6])
    if first is None or last is None:
        return None
    before = f"{found[1]} godzinach" if found[1] else "godzinach" if found[2].lower() == "godzinach" else "godziny"
    return f"{before} od {pl.time_in_case(first, 'genitive')} do {pl.time_in_case(last, 'genitive')}"


def _clock_range(found: Match[str], context: Context) -> str | None:
    first, last = _moment(found[1], found[2]), _moment(found[3], found[4])
    if first is None or last is None:
        return None
    before = "" if context.preposition(found) == "od" else "od "
    return f"{before}{pl.time_in_case(first, 'genitive')} do {pl.time_in_case(last, 'genitive')}"


def _hour(found: Match[str], context: Context) -> str | None:
    moment = _moment(found[3], found[4])
    if moment is None:
        return None
    if found[2].lower() == "godz.":
        noun, case = _HOUR_WORDS.get((found[1] or "").lower(), ("godzina", "nominative"))
        preposition = f"{found[1]} " if found[1] else ""
        return f"{preposition}{noun} {pl.time_in_case(moment, case)}"
    before = found[0][: found.start(3) - found.start()]
    return f"{before}{pl.time(moment, before)}"


def _clock(found: Match[str], context: Context) -> str | None:
    moment = _moment(found[1], found[2])
    return None if moment is None else pl.time(moment, context.preposition(found))


def _bare_hour(found: Match[str], context: Context) -> str | None:
    """`po 20`, `o 8 rano`: a number after such a word, with no noun behind it, is an hour."""
    moment = _moment(found[2], None)
    case = hour_case(found[1], context.before + found.string[: found.start()])
    return None if moment is None or case is None else f"{found[1]} {pl.time_in_case(moment, case)}"


def _hours_from_to(found: Match[str], context: Context) -> str | None:
    first, last = _moment(found[1], None), _moment(found[2], None)
    if first is None or last is None or hour_case("od", context.before + found.string[: found.start()]) is None:
        return None
    return f"od {pl.time_in_case(first, 'genitive')} do {pl.time_in_case(last, 'genitive')}"


def _after(*words: str) -> str:
    """Right behind one of the words."""
    return "(?:" + "|".join(rf"(?<=\b{word} )" for word in words) + ")"


_END = r"(?!\w)"
_HM = r"(\d{1,2})(?:[:.](\d{2}))?"
_MONTH = "|".join(pl.MONTHS)
_MONTH_ALONE = (
    "styczeń|styczniu|luty|lutym|marzec|marcu|kwiecień|kwietniu|maj|maju|czerwiec|czerwcu|lipiec|lipcu|sierpień|"
    f"sierpniu|wrzesień|wrześniu|październik|październiku|listopad|listopadzie|grudzień|grudniu|{_MONTH}"
)
# The full stop of an abbreviation is left where it also ends the sentence.
STOP = r"(?:\.(?!\s*$|\s+(?-i:[A-ZĄĆĘŁŃÓŚŹŻ])))?"
_YEAR_WORD = rf" ?(?:r\b{STOP}|roku\b)"
# What may stand behind a bare hour: the end of a clause, or a word that is no noun.
_NO_NOUN = (
    r"(?=\s*(?:[,;!?)]|\.(?=\s*$|\s+(?-i:[A-ZĄĆĘŁŃÓŚŹŻ]))|$|"
    r"(?:rano|wieczorem|w|we|dziś|dzisiaj|jutro|pojutrze|i|lub|albo|oraz|po południu|nie|a|ale|lecz|bo|codziennie|"
    r"czasu|proszę)\b))(?![:.,]\d|\d|%)"
)

DATE_RULES: tuple[Rule, ...] = (
    (re.compile(rf"(?<!\d)(\d{{4}})-(\d{{2}})-(\d{{2}}){_END}(?:{_YEAR_WORD})?"), _iso_date),
    (re.compile(rf"(?<![\d.])(\d{{1,2}})[./](\d{{1,2}})[./](\d{{4}})(?!\d)(?:{_YEAR_WORD})?"), _dotted_date),
    (re.compile(rf"(?<![\d.])(\d{{1,2}})-(\d{{1,2}})-(\d{{4}})(?!\d)(?:{_YEAR_WORD})?"), _dotted_date),
    (re.compile(r"(?<=\bdni[au] )(\d{1,2})\.(\d{1,2})(?!\d|[.,]\d)"), _short_date),
    (
        re.compile(_after("do", "od", "po", "na", "z", "przed") + r"(\d{1,2})\.(0[1-9]|1[0-2])(?![\d:]|[.,]\d)"),
        _short_date,
    ),
    (
        re.compile(rf"(?<![\d.,-])(\d{{1,2}})( ?[-–] ?| i | do | a | lub | albo )(\d{{1,2}}) ({_MONTH}){_END}", re.I),
        _days_of_month,
    ),
    (re.compile(rf"(?<![\d.,])(\d{{1,2}})\.? ({_MONTH})(?: (\d{{4}})(?:{_YEAR_WORD})?)?{_END}", re.I), _wordy_date),
    (
        re.compile(rf"(?<![\d.,])(\d{{1,2}}) (I{{1,3}}|IV|VI{{0,3}}|IX|XI{{0,2}}) (\d{{4}})(?!\d)(?:{_YEAR_WORD})?"),
        _roman_date,
    ),
    (re.compile(rf"(?:\b([Ww]) )?(?<![\d.,])([12]\d{{3}}){_YEAR_WORD}"), _year),
    (re.compile(rf"\b({_MONTH_ALONE}) ([12]\d{{3}})(?!\d|[.,]\d)", re.I), _year_of_month),
    (re.compile(r"\b(lat(?:a|ach|ami)?) ([2-9]0)(?:\.|-tych|-te)", re.I), _decade),
)
HOUR_RULES: tuple[Rule, ...] = (
    (re.compile(rf"\b(?:(w) )?(godz\.|godzinach) ?(?:od )?{_HM} ?(?:-|–|do) ?{_HM}(?![\d:])", re.I), _hours_range),
    (
        re.compile(rf"(?:\b(o|po|do|od|około|przed|na) )?(\bgodz\.|\bgodzin[aąęy]|\bgodzinie) ?{_HM}(?![\d:])", re.I),
        _hour,
    ),
    (re.compile(r"(?<![\d:.,])(\d{1,2})[:.](\d{2}) ?[-–] ?(\d{1,2})[:.](\d{2})(?![\d:])"), _clock_range),
    (
        re.compile(
            _after("czynne", "otwarte", "godziny", "pracujemy", "pt[.]", "pt", "sob[.]", "nd[.]", "niedz[.]")
            + r"(\d{1,2})() ?[-–] ?(\d{1,2})()(?![\d:.,])",
            re.I,
        ),
        _clock_range,
    ),
    (re.compile(r"(?<![\d:.,])(\d{1,2}):(\d{2})(?![\d:])"), _clock),
    (
        re.compile(_after("o", "od", "po", "do", "przed") + r"(\d{1,2})\.([0-5]\d)(?!\d|[.,]\d| ?(?:zł|%|k))"),
        _clock,
    ),
    (re.compile(rf"\bod (\d{{1,2}}) do (\d{{1,2}}){_NO_NOUN}", re.I), _hours_from_to),
    (re.compile(rf"\b(o|po|przed|do|od|około|na) (\d{{1,2}}){_NO_NOUN}", re.I), _bare_hour),
)
