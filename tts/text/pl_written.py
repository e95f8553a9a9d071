"""Polish: numbers in plain text, read by what stands around them. The words themselves are in pl_words.

Rules are tried in order, each on the whole text; what a rule has read holds no digits any more, so no later rule
touches it. A rule that returns None leaves its find to the next ones; the last ones read whatever is left.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from re import Match

from tts.text import pl, signs, values
from tts.text.pl_cases import case_of, gender_and_case
from tts.text.pl_dates import DATE_RULES, HOUR_RULES, STOP, Context, Rule
from tts.text.pl_nouns import CURRENCIES, ORDINAL_NOUNS, UNITS, ordinal_case
from tts.text.pl_numbers import Gender, cardinal, ordinal, with_fraction
from tts.text.pl_words import read_words

_CURRENCY_WORDS = {
    "zł": "PLN", "złotych": "PLN", "złote": "PLN", "złoty": "PLN", "pln": "PLN", "eur": "EUR", "euro": "EUR",
    "€": "EUR", "usd": "USD", "$": "USD", "gbp": "GBP", "£": "GBP", "chf": "CHF", "czk": "CZK",
}  # fmt: skip
_FRACTIONS = {
    (1, 2): "jedna druga", (1, 3): "jedna trzecia", (2, 3): "dwie trzecie", (1, 4): "jedna czwarta",
    (3, 4): "trzy czwarte", (1, 5): "jedna piąta", (2, 5): "dwie piąte", (1, 8): "jedna ósma",
    (1, 10): "jedna dziesiąta",
}  # fmt: skip


def read(text: str, before: str, today: datetime.date) -> str:
    """`text` in words, without digits. `before` is what is said before it, `today` decides whether a year is said."""
    text = values.plain_digits(text)
    text = signs.EMAIL.sub(_address, text)
    text = signs.URL.sub(_address, text)
    if any(character.isdigit() for character in text):
        context = Context(before, today)
        for pattern, words in _RULES:
            text = pattern.sub(lambda found, words=words: words(found, context) or found[0], text)  # type: ignore[misc]
    return read_words(text, before)


def _address(found: Match[str]) -> str:
    return pl.address(found[0]) or found[0]


def _number(text: str) -> Decimal:
    number = values.decimal(text)
    return Decimal(0) if number is None else number


# Amounts and measures


def _amount(found: Match[str], context: Context) -> str:
    case = case_of(context.preposition(found), "")
    return pl.amount(_number(found[1]), _CURRENCY_WORDS[found[2].lower()], case)


def _amount_after(found: Match[str], context: Context) -> str:
    case = case_of(context.preposition(found), "")
    return pl.amount(_number(found[2]), _CURRENCY_WORDS[found[1].lower()], case)


def _thousands_of_money(found: Match[str], context: Context) -> str:
    """3 tys. zł, 2,5 mln euro."""
    number, unit = _number(found[1]), UNITS[found[2]]
    currency = CURRENCIES[_CURRENCY_WORDS[found[3].lower()]][0]
    return f"{unit.counted(number, case_of(context.preposition(found), ''))} {currency.many}"


def _unit(found: Match[str], context: Context) -> str:
    preposition = context.preposition(found)
    # "po 15 min" is a time that passes; a piece of goods ("po 2 kg") is handed out and stays in the accusative.
    late = preposition == "po" and found[2] in ("h", "min", "s", "sek", "mies", "godz")
    return UNITS[found[2]].counted(_number(found[1]), "locative" if late else case_of(preposition, ""))


def _range(found: Match[str], context: Context) -> str | None:
    """`3-5 dni`: od trzech do pięciu dni; before a noun in the nominative both are counted (dwie, trzy osoby)."""
    noun, preposition = found[3] or "", context.preposition(found)
    first, last = int(found[1]), int(found[2])
    if first >= last:
        return None
    gender, _ = gender_and_case(last, "", noun, "")
    if last % 10 in (2, 3, 4) and last % 100 not in (12, 13, 14) and noun and noun not in ("dni", "osób", "godzin"):
        return f"{cardinal(first, gender)}, {cardinal(last, gender)}"
    if not noun or preposition in ("za", "na", "przez", "po", "o", "w", "co"):
        return f"{cardinal(first, gender)} do {cardinal(last, gender, 'genitive')}"
    before = "" if preposition == "od" else "od "
    return f"{before}{cardinal(first, gender, 'genitive')} do {cardinal(last, gender, 'genitive')}"


def _between(found: Match[str], context: Context) -> str:
    return " ".join(
        (found[1], cardinal(int(found[2]), "m", "instrumental"), found[3], cardinal(int(found[4]), "m", "instrumental"))
    )


def _fraction(found: Match[str], context: Context) -> str | None:
    said = _FRACTIONS.get((int(found[2]), int(found[3])))
    if (
        said is None
        or context.preposition(found) in ("ulica", "numer", "nr")
        or _STREET.search(found.string, 0, found.start())
    ):
        return None
    return f"{cardinal(int(found[1]))} i {said}" if found[1] else said


def _slash(found: Match[str], context: Context) -> str:
    return " na " if found.string[found.start() - 2 : found.end() + 1] == "24/7" else " łamane przez "


# Identifiers and ordinals


def _phone(found: Match[str], context: Context) -> str | None:
    return pl.phone(found[0])


def _postcode(found: Match[str], context: Context) -> str | None:
    return pl.postcode(found[0])


def _iban(found: Match[str], context: Context) -> str | None:
    return pl.grouped(values.identifier_groups("iban", found[0]))


def _nip(found: Match[str], context: Context) -> str | None:
    return pl.grouped(values.identifier_groups("nip", found[0]))


def _pesel(found: Match[str], context: Context) -> str | None:
    named = context.preposition(found).startswith("pesel")
    return pl.grouped(values.identifier_groups("pesel", found[0])) if named or values.is_pesel(found[0]) else None


def _named_number(found: Match[str], context: Context) -> str:
    return f"{found[1]}{pl.digits(found[2])}"


def _version(found: Match[str], context: Context) -> str:
    return " kropka ".join(cardinal(int(part)) for part in found[0].split("."))


def _ordinal(found: Match[str], context: Context) -> str:
    """`3. piętro`: a noun we know tells gender and case, else its ending tells the gender well enough."""
    noun = found[2]
    agreed = ordinal_case(noun, context.preposition(found))
    gender: Gender = "f" if noun.endswith("a") else "n" if noun.endswith(("o", "e", "ę")) else "m"
    return ordinal(int(found[1]), *(agreed or (gender, "nominative")))


def _floor(found: Match[str], context: Context) -> str | None:
    """`na 3 piętrze`: a singular noun behind a number makes it an ordinal."""
    agreed = ordinal_case(found[2], context.preposition(found))
    return None if agreed is None or agreed[1] == "nominative" else ordinal(int(found[1]), *agreed)


def _bare(found: Match[str], context: Context) -> str | None:
    text = re.sub(r"\s", "", found[0])
    whole = text.isdigit()
    if whole and ((len(text) > 4 and text == found[0]) or (len(text) > 1 and text.startswith("0"))):
        words = pl.digits(text)
    else:
        number = values.decimal(text)
        if number is None:
            return None
        behind = _TWO_WORDS.match(found.string, found.end())
        first, second = (behind[1], behind[2] or "") if behind else ("", "")
        gender, case = gender_and_case(int(number) if whole else 0, context.preposition(found), first, second)
        words = with_fraction(number, gender, case)
    return None if words is None else _apart(words, found)


def _apart(words: str, found: Match[str]) -> str:
    """With spaces where the number touched letters, as in A4."""
    text = found.string
    left = " " if found.start() and text[found.start() - 1].isalnum() else ""
    right = " " if found.end() < len(text) and text[found.end()].isalnum() else ""
    return f"{left}{words}{right}"


def _word(said: str) -> Callable[[Match[str], Context], str]:
    return lambda found, context: said


def _left_over(found: Match[str], context: Context) -> str:
    return f" {pl.digits(found[0])} "


_SPACE = r"[ \u00a0\u202f]"
_NUMBER = rf"(?<![\d.,])(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+|\d+)(?:[.,]\d+)?"
_END = r"(?!\w)"
_CURRENCY = "|".join(re.escape(word) for word in sorted(_CURRENCY_WORDS, key=len, reverse=True))
_UNIT_NAME = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
_GROUPS_OF_NINE = r"\d{3}[ -]\d{3}[ -]\d{3}|\d{2}[ -]\d{3}[ -]\d{2}[ -]\d{2}|\d{3}[ -]\d{2}[ -]\d{2}[ -]\d{2}"
_TWO_WORDS = re.compile(r"\s+([^\W\d_]+)(?:\s+([^\W\d_]+))?")
_STREET = re.compile(
    r"(?:\b(?:ul|al|pl|os)\.|\bulic[aęyą]|\balej[aięą]|\bplac\w*|\bnr|\bnumer\w*|\bdom\w*)[^.!?]*$", re.I
)
_PLURAL_LOOK = frozenset(
    "piętra wojny klasy raty części edycji kategorii grupy strony zmiany instancji rocznicy kolejki miejsca półrocza "
    "liceum dzień tydzień miesiąc etap kwartał semestr stopień rozdział tom poziom peron filar wiek piętro klasa rata "
    "część strona grupa zmiana kolejka miejsce edycja kategoria wojna instancja rocznica półrocze wydział wieku".split()
)  # may be counted as well: 3 raty, 2 strony, 1 dzień
_SINGULAR_ONLY = "|".join(sorted(set(ORDINAL_NOUNS) - _PLURAL_LOOK, key=len, reverse=True))

_RULES: tuple[Rule, ...] = (
    (signs.IBAN, _iban),
    *DATE_RULES,
    (re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ -]?\d){8,13}(?!\d)"), _phone),
    (re.compile(r"(?<![\d-])(?:\d{3}-\d{3}-\d{2}-\d{2}|\d{3}-\d{2}-\d{2}-\d{3})(?![\d-])"), _nip),
    (re.compile(r"(?<![\d.,])\d{11}(?![\d])"), _pesel),
    (re.compile(rf"(?<![\d.,])(?<!\d )(?:{_GROUPS_OF_NINE})(?!\d|[.,]\d| ?(?:{_CURRENCY}))", re.I), _phone),
    (re.compile(rf"(?<![\d-])(\d{{2}})-(\d{{3}}){_END}(?!-)"), _postcode),
    (re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){2,3}(?![\d.]*\d)"), _version),
    (
        re.compile(r"(?:(?<=wersj[aięą] )|(?<=\bv)|(?<=\bv\.))\d{1,3}\.\d{1,3}(?!\d)", re.I),
        _version,
    ),
    *HOUR_RULES,
    (re.compile(r"(?<=\d) m\. ?(?=\d)"), _word(" mieszkania ")),
    (re.compile(r"(?<=\d) lok\. ?(?=\d)"), _word(" lokal ")),
    (re.compile(r"(?<![\w-])(?<!\d )[-−](?=\d)"), _word("minus ")),
    (re.compile(rf"({_NUMBER}) ?(tys|mln|mld)\.? ?({_CURRENCY}){_END}", re.I), _thousands_of_money),
    (re.compile(rf"({_NUMBER}) ?({_CURRENCY})(?![\w/])", re.I), _amount),
    (re.compile(rf"(PLN|EUR|USD|GBP|€|\$|£) ?({_NUMBER})"), _amount_after),
    (
        re.compile(
            rf"({_NUMBER}) ?({_UNIT_NAME})(?![\w/])"
            rf"(?:(?:(?<=min)|(?<=szt)|(?<=tys)|(?<=os)|(?<=godz)|(?<=mies)|(?<=opak)|(?<=kpl)|(?<=sek)|(?<=proc))"
            rf"{STOP})?"
        ),
        _unit,
    ),
    (re.compile(r"(?<![\d/.,])(?:(\d{1,2}) )?(\d{1,2})/(\d{1,2})(?![\d/.,]\d|\d|/)"), _fraction),
    (re.compile(r"(?<=\d)/(?=\d)"), _slash),
    (re.compile(r"(?<![\d.,])(\d{1,4})\.(?= ([^\W\d_A-ZĄĆĘŁŃÓŚŹŻ]+))"), _ordinal),
    (re.compile(rf"(?<![\d.,])(\d{{1,2}})(?= ({_SINGULAR_ONLY})\b)"), _floor),
    (re.compile(r"(\b(?:numer\w*|nr\.?|kod\w*|pin|pesel|nip|regon)[ :]+)(\d{4,})", re.I), _named_number),
    (re.compile(r"\b((?:po)?między) (\d{1,4}) (a|i) (\d{1,4})(?![\w.,:]*\d)", re.I), _between),
    (re.compile(r"(?<![\w.,-])(\d{1,4}) ?[-–] ?(\d{1,4})(?![\w.,-]*\d)(?:(?= ([^\W\d_]+))|)"), _range),
    (re.compile(r"(?<=\d)\s*[-–](?=\s*\d)"), _word(" – ")),
    (re.compile(r"(?<=\d) ?[x×] ?(?=\d)"), _word(" na ")),
    (re.compile(_NUMBER), _bare),
    (re.compile(r"\d+"), _left_over),
)
