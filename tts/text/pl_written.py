"""Polish: numbers and abbreviations in plain text, read by what stands around them.

Rules are tried in order, each on the whole text; what a rule has read holds no digits any more, so no later rule
touches it. A rule that returns None leaves its find to the next ones; the last ones read whatever is left.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from re import Match

from tts.text import pl, values
from tts.text.pl_numbers import Case, Gender, cardinal, one_by_one, ordinal, plural, with_fraction

_MONTHS = {name: number for number, name in enumerate(pl.MONTHS, 1)}
_HOUR_WORDS: dict[str, tuple[str, Case]] = {
    "o": ("godzinie", "locative"),
    "po": ("godzinie", "locative"),
    "do": ("godziny", "genitive"),
    "od": ("godziny", "genitive"),
    "około": ("godziny", "genitive"),
    "przed": ("godziną", "instrumental"),
    "na": ("godzinę", "accusative"),
}
_CURRENCY_WORDS = {
    "zł": "PLN", "złotych": "PLN", "złote": "PLN", "złoty": "PLN", "pln": "PLN", "eur": "EUR", "euro": "EUR",
    "€": "EUR", "usd": "USD", "$": "USD", "gbp": "GBP", "£": "GBP", "chf": "CHF", "czk": "CZK",
}  # fmt: skip
_UNITS: dict[str, tuple[str, str, str, str]] = {
    # for 1, for 2 to 4, for the rest, after a fraction
    "%": ("procent", "procent", "procent", "procent"),
    "gr": ("grosz", "grosze", "groszy", "grosza"),
    "kg": ("kilogram", "kilogramy", "kilogramów", "kilograma"),
    "dag": ("dekagram", "dekagramy", "dekagramów", "dekagrama"),
    "g": ("gram", "gramy", "gramów", "grama"),
    "km": ("kilometr", "kilometry", "kilometrów", "kilometra"),
    "m": ("metr", "metry", "metrów", "metra"),
    "cm": ("centymetr", "centymetry", "centymetrów", "centymetra"),
    "mm": ("milimetr", "milimetry", "milimetrów", "milimetra"),
    "l": ("litr", "litry", "litrów", "litra"),
    "h": ("godzina", "godziny", "godzin", "godziny"),
    "min": ("minuta", "minuty", "minut", "minuty"),
    "szt": ("sztuka", "sztuki", "sztuk", "sztuki"),
    "os": ("osoba", "osoby", "osób", "osoby"),
    "tys": ("tysiąc", "tysiące", "tysięcy", "tysiąca"),
    "mln": ("milion", "miliony", "milionów", "miliona"),
    "°C": ("stopień Celsjusza", "stopnie Celsjusza", "stopni Celsjusza", "stopnia Celsjusza"),
}
_ABBREVIATIONS = {
    "ul.": "ulica", "al.": "aleja", "pl.": "plac", "os.": "osiedle", "nr": "numer", "nr.": "numer", "tel.": "telefon",
    "wew.": "wewnętrzny", "np.": "na przykład", "itd.": "i tak dalej", "itp.": "i tym podobne", "tj.": "to jest",
    "tzn.": "to znaczy", "tzw.": "tak zwany", "m.in.": "między innymi", "ok.": "około", "godz.": "godzina",
    "min.": "minut", "pkt": "punkt", "ust.": "ustęp", "art.": "artykuł", "dr": "doktor", "mgr": "magister",
    "inż.": "inżynier", "prof.": "profesor", "św.": "świętego", "zob.": "zobacz", "r.": "roku", "szt.": "sztuk",
    "zł": "złotych", "woj.": "województwo", "pow.": "powiat", "dot.": "dotyczący", "ww.": "wyżej wymieniony",
    "bm.": "bieżącego miesiąca", "br.": "bieżącego roku", "wg": "według", "sp. z o.o.": "spółka z o o",
    "sp. z o. o.": "spółka z o o", "tys.": "tysięcy", "mln": "milionów", "kg": "kilogramów", "km": "kilometrów",
    "pon.": "poniedziałek", "wt.": "wtorek", "śr.": "środa", "czw.": "czwartek", "pt.": "piątek", "sob.": "sobota",
    "niedz.": "niedziela",
}  # fmt: skip
_OBLIQUE = {"ul.": "ulicy", "al.": "alei", "pl.": "placu"}  # after a preposition (przy ulicy, do placu)
_PREPOSITION_BEFORE = re.compile(r"\b(?:przy|na|w|do|od|z|ze|koło|obok)\s+$", re.I)
_SYMBOLS = {
    "%": " procent ",
    "&": " i ",
    "§": " paragraf ",
    "€": " euro ",
    "№": " numer ",
    "+": " plus ",
    "=": " równa się ",
}
_SENTENCE_ENDERS = frozenset({"itd.", "itp.", "r.", "br.", "bm.", "szt.", "min.", "tys."})
_FEMININE_AFTER = re.compile(
    r"\s+(minut|godzin|sekund|osob|osób|paczk|przesyłk|sztuk|koron|noc|faktur|wizyt|umow|umów|rat|opcj|spraw|łyż|dob)"
)


@dataclass(frozen=True)
class _Context:
    before: str
    today: datetime.date


def read(text: str, before: str, today: datetime.date) -> str:
    """`text` in words, without digits. `before` is what is said before it, `today` decides whether a year is said."""
    text = values.plain_digits(text)
    context = _Context(before, today)
    for pattern, words in _RULES:
        text = pattern.sub(lambda found, words=words: words(found, context) or found[0], text)  # type: ignore[misc]
    text = _ABBREVIATION.sub(_abbreviation, text)
    for symbol, name in _SYMBOLS.items():
        text = text.replace(symbol, name)
    return text


def _number(text: str) -> Decimal:
    number = values.decimal(text)
    return Decimal(0) if number is None else number


def _wordy_date(found: Match[str], context: _Context) -> str | None:
    written = int(found[3]) if found[3] else None
    day = values.checked_day(written, _MONTHS[found[2].lower()], int(found[1]))
    return None if day is None else pl.date(day, context.today)


def _year(found: Match[str], context: _Context) -> str:
    return f"{found[1]} {pl.year(int(found[2]), 'locative')}" if found[1] else pl.year(int(found[2]))


def _moment(hour: str, minute: str | None) -> values.Clock | None:
    return values.checked_clock(int(hour), int(minute or 0))


def _hours_range(found: Match[str], context: _Context) -> str | None:
    first, last = _moment(found[3], found[4]), _moment(found[5], found[6])
    if first is None or last is None:
        return None
    before = f"{found[1]} godzinach" if found[1] else "godzinach" if found[2].lower() == "godzinach" else "godziny"
    return f"{before} od {pl.time_in_case(first, 'genitive')} do {pl.time_in_case(last, 'genitive')}"


def _hour(found: Match[str], context: _Context) -> str | None:
    moment = _moment(found[3], found[4])
    if moment is None:
        return None
    if found[2].lower() == "godz.":
        noun, case = _HOUR_WORDS.get((found[1] or "").lower(), ("godzina", "nominative"))
        preposition = f"{found[1]} " if found[1] else ""
        return f"{preposition}{noun} {pl.time_in_case(moment, case)}"
    before = found[0][: found.start(3) - found.start()]
    return f"{before}{pl.time(moment, before)}"


def _amount(found: Match[str], context: _Context) -> str:
    return pl.amount(_number(found[1]), _CURRENCY_WORDS[found[2].lower()])


def _amount_after(found: Match[str], context: _Context) -> str:
    return pl.amount(_number(found[2]), _CURRENCY_WORDS[found[1].lower()])


def _unit(found: Match[str], context: _Context) -> str:
    number, forms = _number(found[1]), _UNITS[found[2]]
    if number != int(number):
        return f"{with_fraction(number)} {forms[3]}"
    gender: Gender = "f" if forms[0].endswith("a") else "m"
    return f"{cardinal(int(number), gender)} {plural(int(number), forms[:3])}"


def _ordinal(found: Match[str], context: _Context) -> str:
    """`3. piętro`: the ending of the next word tells the gender well enough."""
    noun = found[2]
    gender: Gender = "f" if noun.endswith("a") else "n" if noun.endswith(("o", "e", "ę")) else "m"
    return ordinal(int(found[1]), gender)


def _bare(found: Match[str], context: _Context) -> str | None:
    text = re.sub(r"\s", "", found[0])
    whole = text.isdigit()
    if whole and ((len(text) > 4 and text == found[0]) or (len(text) > 1 and text.startswith("0"))):
        words = pl.digits(text)
    else:
        number = values.decimal(text)
        feminine = whole and _FEMININE_AFTER.match(found.string, found.end())
        words = None if number is None else with_fraction(number, "f" if feminine else "m")
    return None if words is None else _apart(words, found)


def _apart(words: str, found: Match[str]) -> str:
    """With spaces where the number touched letters, as in A4."""
    text = found.string
    left = " " if found.start() and text[found.start() - 1].isalnum() else ""
    right = " " if found.end() < len(text) and text[found.end()].isalnum() else ""
    return f"{left}{words}{right}"


def _abbreviation(found: Match[str]) -> str:
    written = found[1].lower()
    oblique = written in _OBLIQUE and _PREPOSITION_BEFORE.search(found.string, 0, found.start())
    words = _OBLIQUE[written] if oblique else _ABBREVIATIONS[written]
    rest = found.string[found.end() :].lstrip()
    # A full stop that ended the abbreviation and the sentence is still needed by the voice.
    ends = written in _SENTENCE_ENDERS and (not rest or rest[0].isupper())
    capital = words[0].upper() + words[1:] if found[1][0].isupper() else words
    return f"{capital}." if ends else capital


def _clock(found: Match[str], context: _Context) -> str | None:
    moment = _moment(found[1], found[2])
    return None if moment is None else pl.time(moment, context.before + found.string[: found.start()])


def _iso_date(found: Match[str], context: _Context) -> str | None:
    day = values.day(found[0])
    return None if day is None else pl.date(day, context.today)


def _dotted_date(found: Match[str], context: _Context) -> str | None:
    day = values.checked_day(int(found[3]), int(found[2]), int(found[1]))
    return None if day is None else pl.date(day, context.today)


def _phone(found: Match[str], context: _Context) -> str | None:
    return pl.phone(found[0])


def _postcode(found: Match[str], context: _Context) -> str:
    return f"{one_by_one(found[1])}, {one_by_one(found[2])}"


def _named_number(found: Match[str], context: _Context) -> str:
    return f"{found[1]}{pl.digits(found[2])}"


def _flat(found: Match[str], context: _Context) -> str:
    return " mieszkania "


def _minus(found: Match[str], context: _Context) -> str:
    return "minus "


def _dash(found: Match[str], context: _Context) -> str:
    return " – "


def _left_over(found: Match[str], context: _Context) -> str:
    return f" {pl.digits(found[0])} "


_SPACE = r"[ \u00a0\u202f]"
_NUMBER = rf"(?<![\d.,])(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+|\d+)(?:[.,]\d+)?"
_END = r"(?!\w)"
_HM = r"(\d{1,2})(?:[:.](\d{2}))?"
_MONTH = "|".join(pl.MONTHS)
# The full stop of an abbreviation is left where it also ends the sentence.
_STOP = r"(?:\.(?!\s*$|\s+(?-i:[A-ZĄĆĘŁŃÓŚŹŻ])))?"
_YEAR_WORD = rf" ?(?:r\b{_STOP}|roku\b)"
_CURRENCY = "|".join(re.escape(word) for word in sorted(_CURRENCY_WORDS, key=len, reverse=True))
_UNIT_NAME = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))
_GROUPS_OF_NINE = r"\d{3}[ -]\d{3}[ -]\d{3}|\d{2}[ -]\d{3}[ -]\d{2}[ -]\d{2}"

_Words = Callable[[Match[str], _Context], str | None]
_RULES: tuple[tuple[re.Pattern[str], _Words], ...] = (
    (re.compile(rf"(?<!\d)\d{{4}}-\d{{2}}-\d{{2}}{_END}"), _iso_date),
    (re.compile(rf"(?<![\d.])(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}})(?!\d)(?:{_YEAR_WORD})?"), _dotted_date),
    (re.compile(rf"(?<![\d.,])(\d{{1,2}})\.? ({_MONTH})(?: (\d{{4}})(?:{_YEAR_WORD})?)?{_END}", re.I), _wordy_date),
    (re.compile(rf"(?:\b([Ww]) )?(?<![\d.,])([12]\d{{3}}){_YEAR_WORD}"), _year),
    (re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ -]?\d){8,13}(?!\d)"), _phone),
    (re.compile(rf"(?<![\d.,])(?:{_GROUPS_OF_NINE})(?!\d|[.,]\d| ?(?:{_CURRENCY}))", re.I), _phone),
    (re.compile(rf"(?<![\d-])(\d{{2}})-(\d{{3}}){_END}(?!-)"), _postcode),
    (re.compile(rf"\b(?:(w) )?(godz\.|godzinach) ?(?:od )?{_HM} ?(?:-|–|do) ?{_HM}(?![\d:])", re.I), _hours_range),
    (
        re.compile(rf"(?:\b(o|po|do|od|około|przed|na) )?(\bgodz\.|\bgodzin[aąęy]|\bgodzinie) ?{_HM}(?![\d:])", re.I),
        _hour,
    ),
    (re.compile(r"(?<![\d:.,])(\d{1,2}):(\d{2})(?![\d:])"), _clock),
    (re.compile(r"(?<=\d) m\. ?(?=\d)"), _flat),
    (re.compile(rf"({_NUMBER}) ?({_CURRENCY}){_END}", re.I), _amount),
    (re.compile(rf"(PLN|EUR|USD|GBP|€|\$|£) ?({_NUMBER})"), _amount_after),
    (
        re.compile(rf"({_NUMBER}) ?({_UNIT_NAME}){_END}(?:(?:(?<=min)|(?<=szt)|(?<=tys)|(?<=os)){_STOP})?"),
        _unit,
    ),
    (re.compile(r"(?<![\d.,])(\d{1,4})\.(?= ([^\W\d_A-ZĄĆĘŁŃÓŚŹŻ]+))"), _ordinal),
    (re.compile(r"(\b(?:numer\w*|nr\.?|kod\w*|pin|pesel|nip|regon)[ :]+)(\d{4,})", re.I), _named_number),
    (re.compile(r"(?<![\w-])[-−](?=\d)"), _minus),
    (re.compile(r"(?<=\d)\s*[-–](?=\s*\d)"), _dash),
    (re.compile(_NUMBER), _bare),
    (re.compile(r"\d+"), _left_over),
)
_ABBREVIATION = re.compile(
    rf"(?<![\w.])({'|'.join(re.escape(word) for word in sorted(_ABBREVIATIONS, key=len, reverse=True))})(?!\w)", re.I
)
