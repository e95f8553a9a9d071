"""Masks numbers that must not be kept: PESEL, payment cards, bank accounts (IBAN, Polish NRB).

Callers dictate numbers and recognisers write them as they like: `44051401359`, `44 05 14 01359`, `4, 4, 0, 5`,
`czterdzieści cztery zero pięć ...`, `four four oh five ...`. So a text is first read as runs of digit groups, where a
number word is a group too, and every stretch of whole groups that has the length and the check digits of a secret
number is masked. One digit misheard breaks the check digits; a run of about the right length is therefore masked also
when its name ("pesel", "karta", "card", "konto" ...) stands in the same text.

Sources of the check digits: PESEL, Dz.U. 2015 poz. 1984; cards, ISO/IEC 7812-1 annex B (Luhn); IBAN, ISO 13616.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

PESEL, CARD, IBAN = "[PESEL]", "[card]", "[IBAN]"

_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
_LONGEST_RUN = 32  # digits of the longest IBAN, after its country
_SHORTEST_SECRET = 11

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
        "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
        "NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}

# Names that a caller gives to the number, and how many digits are then taken for it (one or two misheard).
_NAMED = (
    (re.compile(r"\bpesel"), PESEL, range(10, 13)),
    (re.compile(r"\b(?:kart[aeyo]|cards?)\b"), CARD, range(13, 20)),
    (re.compile(r"\b(?:iban|nrb|kont[oaue]|rachun|account)"), IBAN, range(24, 29)),
)

# Digits that are no secret and would only lengthen a run: telephone numbers with a prefix, dates, our own identifiers.
_HARMLESS = re.compile(
    r"""
    (?: \+ | (?<!\d) 00 ) 48 (?: [ -]? \d ){9} (?!\d)
    | \+ (?: [ -]? \d ){8,15} (?! [ -]? \d )
    | \b (?: sips? | tel ) : [ ]? \+? \d+
    | (?<! [\d.-] ) (?: 19 | 20 ) \d\d ([-./]) (?: 1[0-2] | 0?[1-9] ) \1 (?: 3[01] | [12]\d | 0?[1-9] )
      (?! [\d-] | \.\d )
    | (?<! [\d.-] ) (?: 3[01] | [12]\d | 0?[1-9] ) ([-./]) (?: 1[0-2] | 0?[1-9] ) \2 (?: 19 | 20 ) \d\d
      (?! [\d-] | \.\d )
    | \b [0-9a-f]{8} (?: - [0-9a-f]{4} ){3} - [0-9a-f]{12} \b
    | \b (?= [0-9]* [a-f] ) [0-9a-f]{20,} \b
    """,
    re.VERBOSE,
)

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|\s+|.", re.DOTALL)
_DIGIT = re.compile(r"[0-9]")
_WORD = re.compile(r"[^\W\d_]+")
_POLISH = str.maketrans("ąćęłńóśźż", "acelnoszz")
_BETWEEN_DIGITS = frozenset(",.;-–—/")
_HESITATION = re.compile(r"[ey]+m?|u[hm]+|er+m?|h?m+|no|potem|dalej|kreska|myslnik|przecinek|spacja|then|dash|comma")


def _words(text: str, first: int, step: int) -> dict[str, int]:
    """Number words in rising order; those that mean the same stand together, divided by `|`."""
    return {word: first + step * n for n, words in enumerate(text.split()) for word in words.split("|")}


# Written without diacritics: recognisers drop them and `_fold` does too.
_UNITS = _words("zero jeden|jedna|jedno dwa|dwie trzy cztery piec szesc siedem osiem dziewiec", 0, 1) | _words(
    "nought|oh one two three four five six seven eight nine", 0, 1
)
_TEENS = _words(
    "dziesiec|ten jedenascie|eleven dwanascie|twelve trzynascie|thirteen czternascie|fourteen pietnascie|fifteen"
    " szesnascie|sixteen siedemnascie|seventeen osiemnascie|eighteen dziewietnascie|nineteen",
    10,
    1,
)
_TENS = _words(
    "dwadziescia|twenty trzydziesci|thirty czterdziesci|forty|fourty piecdziesiat|fifty szescdziesiat|sixty"
    " siedemdziesiat|seventy osiemdziesiat|eighty dziewiecdziesiat|ninety",
    20,
    10,
)
_HUNDREDS = _words("sto dwiescie trzysta czterysta piecset szescset siedemset osiemset dziewiecset", 100, 100)
_NOUNS = _words(  # "trzy zera", "dwie siódemki"
    "zera|zer jedynki|jedynka dwojki|dwojka trojki|trojka czworki|czworka piatki|piatka szostki|szostka"
    " siodemki|siodemka osemki|osemka dziewiatki|dziewiatka",
    0,
    1,
)
_RANKED = ((_UNITS, 0), (_TEENS, 0), (_TENS, 10), (_HUNDREDS, 100))
_SPOKEN = {word: (value, rank) for words, rank in _RANKED for word, value in words.items()}
_NUMBER_WORDS = _SPOKEN.keys() | _NOUNS.keys()
_REPEATS = {"double": 2, "triple": 3, "podwojne": 2, "podwojna": 2, "podwojny": 2, "potrojne": 3, "potrojna": 3}
_ENGLISH_NUMBERS = frozenset(
    "oh one two three four five six seven eight nine zero eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred".split()
)


@dataclass(frozen=True)
class _Group:
    """Digits said or written in one go.

    `rank`: 100 or 10 when a further word may fill the places below ("sto" + "dwa"), else 0. `seam`: made of tens and a
    unit ("trzydzieści pięć"), which may also have been two groups, 30 and 5. `country`: a country code stands before.
    """

    start: int
    end: int
    digits: str
    rank: int = 0
    seam: bool = False
    country: tuple[str, int] | None = None  # code, where it begins


@dataclass
class _Reading:
    """State while a text is read from left to right."""

    runs: list[list[_Group]] = field(default_factory=lambda: [[]])
    touching: bool = False  # nothing but a space or hyphen since the last group
    repeat: tuple[int, int] | None = None  # (times, start) of a "double" that waits for its digit
    country: tuple[str, int] | None = None

    def end_run(self) -> None:
        if self.runs[-1]:
            self.runs.append([])
        self.touching = False
        self.repeat = self.country = None

    def add(self, group: _Group) -> None:
        if self.repeat is not None and len(group.digits) == 1:
            times, start = self.repeat
            group = replace(group, start=start, digits=group.digits * times)
        self.runs[-1].append(replace(group, country=self.country) if self.country else group)
        self.repeat = self.country = None
        self.touching = True

    def add_word(self, start: int, end: int, value: int, rank: int) -> None:
        """`value` by a number word; "czterdzieści" + "cztery" become one group, "cztery" + "cztery" do not."""
        last = self.runs[-1][-1] if self.runs[-1] else None
        if last and self.touching and 0 < value < last.rank:
            digits = str(int(last.digits) + value)
            seam = last.rank == 10
            self.runs[-1][-1] = replace(last, end=end, digits=digits, rank=min(rank, last.rank), seam=seam)
        else:
            self.add(_Group(start, end, str(value), rank))


def fold(word: str) -> str:
    """Lower case, without diacritics."""
    word = word.lower().translate(_POLISH)
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _read_word(reading: _Reading, word: str, start: int, end: int, english: bool) -> bool:
    """Take a word as part of a dictated number; False when it is none."""
    if word == "ten" and not english:  # Polish "this"
        return False
    if word in _SPOKEN:
        reading.add_word(start, end, *_SPOKEN[word])
    elif word in _NOUNS:
        last = reading.runs[-1][-1] if reading.runs[-1] else None
        if last and reading.touching and last.digits in ("2", "3", "4"):
            reading.runs[-1][-1] = replace(last, end=end, digits=str(_NOUNS[word]) * int(last.digits), rank=0)
        else:
            reading.add_word(start, end, _NOUNS[word], 0)
    elif word == "hundred" and reading.touching and len(reading.runs[-1][-1].digits) == 1:
        last = reading.runs[-1][-1]
        reading.runs[-1][-1] = replace(last, end=end, digits=last.digits + "00", rank=100)
    elif word == "and" and reading.touching and reading.runs[-1][-1].rank == 100:
        pass  # "four hundred and five"
    elif word in _REPEATS:
        reading.repeat = (_REPEATS[word], start)
        reading.touching = False
    elif _HESITATION.fullmatch(word):
        reading.touching = False
    else:
        return False
    return True


def _runs(text: str) -> list[list[_Group]]:
    """All stretches of digit groups with nothing but separators and hesitations between them."""
    written = _DIGIT.search(text) is not None
    if not written and not any(fold(word) in _NUMBER_WORDS for word in set(_WORD.findall(text))):
        return []  # as most texts are
    reading = _Reading()
    harmless = [match.span() for match in _HARMLESS.finditer(text)] if written else []
    english = not _ENGLISH_NUMBERS.isdisjoint(text.lower().replace("-", " ").split())
    for match in _TOKEN.finditer(text):
        start, end, token = match.start(), match.end(), match.group()
        while harmless and harmless[0][1] <= start:
            harmless.pop(0)
        if harmless and harmless[0][0] <= start:
            reading.end_run()
        elif token.isascii() and token.isdigit():
            reading.add(_Group(start, end, token))
        elif token.isspace() or token in _BETWEEN_DIGITS:
            reading.touching = reading.touching and (token.isspace() or token == "-") and "\n" not in token
        elif not _read_word(reading, fold(token), start, end, english):
            reading.end_run()
            glued = text[end : end + 1].isdigit()
            if token.upper() in _IBAN_LENGTHS and (glued or token.isupper()):  # not the words "is", "no", "at"
                reading.country = (token.upper(), start)
    return [run for run in reading.runs if run]


def _is_pesel(digits: str) -> bool:
    """Check digit and a birth date in 1900-2099 (month + 20 from 2000), which spares most telephone numbers."""
    if len(digits) != 11 or not 1 <= int(digits[4:6]) <= 31 or int(digits[2:4]) % 20 not in range(1, 13):
        return False
    if int(digits[2:4]) > 32:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _PESEL_WEIGHTS, strict=False))
    return (10 - total % 10) % 10 == int(digits[10])


def _is_card(digits: str) -> bool:
    """13-19 digits, Luhn, and a first digit of the payment industry: no 0, 1, and of the twos only 22-27."""
    if not 13 <= len(digits) <= 19 or digits[0] in "01" or (digits[0] == "2" and digits[1] not in "234567"):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_iban(country: str, rest: str) -> bool:
    """`rest`: check digits and account, without the country. Letters count 10-35."""
    if len(rest) + 2 != _IBAN_LENGTHS.get(country):
        return False
    return int("".join(str(int(sign, 36)) for sign in rest[2:] + country + rest[:2])) % 97 == 1


def _kind_of(digits: str, sizes: tuple[int, ...]) -> str | None:
    if _is_iban("PL", digits):
        return IBAN
    if _is_card(digits):
        return CARD
    spelled_as_phone = digits.startswith("48") and sizes in {(2, 3, 3, 3), (2, 2, 3, 2, 2)}
    return PESEL if _is_pesel(digits) and not spelled_as_phone else None


def _in_run(run: Sequence[_Group]) -> Iterator[tuple[int, int, str]]:
    """Every stretch of whole groups that is a secret number, overlapping ones too.

    A group of tens and unit may have been two groups; one such per number is tried apart.
    """
    for first, opening in enumerate(run):
        country, with_country = opening.country or ("PL", opening.start)
        readings = [""]  # the first is as heard, the others have one seam opened
        sizes: tuple[int, ...] = ()
        for group in run[first:]:
            opened = [readings[0] + group.digits[:-1] + "0" + group.digits[-1]] if group.seam else []
            readings = [digits + group.digits for digits in readings] + opened
            sizes += (len(group.digits),)
            if len(readings[0]) > _LONGEST_RUN:
                break
            for digits in readings:
                if _is_iban(country, digits):
                    yield with_country, group.end, IBAN
                elif kind := _kind_of(digits, sizes):
                    yield opening.start, group.end, kind


def _named(text: str, runs: Sequence[Sequence[_Group]]) -> Iterator[tuple[int, int, str]]:
    """Of runs without check digits that fit: those of about the right length, in a text that names the number."""
    folded = fold(text)
    for name, kind, lengths in _NAMED:
        if runs and name.search(folded):
            for run in runs:
                if sum(len(group.digits) for group in run) in lengths:
                    yield run[0].start, run[-1].end, kind


def _written_ibans(text: str) -> Iterator[tuple[int, int, str]]:
    """IBANs whose account part has letters (GB, NL, FR ...), with or without spaces."""
    for match in re.finditer(r"(?<![A-Za-z0-9])([A-Za-z]{2})[ -]?[0-9]{2}", text):
        country = match.group(1).upper()
        need, at, signs = _IBAN_LENGTHS.get(country, 0), match.start(), ""
        while (
            len(signs) < need and at < len(text) and (text[at] in " -" or (text[at].isascii() and text[at].isalnum()))
        ):
            signs += text[at].strip(" -")
            at += 1
        ends_here = at == len(text) or not text[at].isalnum()
        if need and ends_here and _is_iban(country, signs[2:].upper()):
            yield match.start(), at, IBAN


def _secrets(text: str) -> list[tuple[int, int, str]]:
    """What to mask, in order, without overlap. Where numbers overlap all is masked, under the name of the longest."""
    if len(text) < _SHORTEST_SECRET:
        return []
    found = list(_written_ibans(text))
    unsure = []
    for run in _runs(text):
        sure = list(_in_run(run))
        found += sure
        if not sure:
            unsure.append(run)
    found += _named(text, unsure)
    merged: list[tuple[int, int, str, int]] = []
    for start, end, kind in sorted(found):
        if merged and start < merged[-1][1]:
            last_start, last_end, last_kind, longest = merged[-1]
            kind = kind if end - start > longest else last_kind
            merged[-1] = (last_start, max(end, last_end), kind, max(longest, end - start))
        else:
            merged.append((start, end, kind, end - start))
    return [(start, end, kind) for start, end, kind, _ in merged]


def redact(text: str) -> str:
    """`text` with every PESEL, card and account number replaced by `[PESEL]`, `[card]`, `[IBAN]`.

    Order numbers (up to ten digits), dates and telephone numbers stay. Redacting twice changes nothing.
    """
    return redact_joined([text])[0]


def redact_joined(texts: Sequence[str]) -> list[str]:
    """The texts, each redacted, where a number may begin in one and go on in the next (digits dictated in pieces)."""
    joined = "\n".join(texts)
    secrets = _secrets(joined)
    if not secrets:
        return list(texts)
    redacted, begin = [], 0
    for text in texts:
        masked, done, end = "", begin, begin + len(text)
        for first, last, kind in secrets:
            if first < end and last > begin:
                masked += joined[done : max(first, begin)] + kind
                done = min(last, end)
        redacted.append(masked + joined[done:end])
        begin = end + 1
    return redacted


def has_digits(text: str) -> bool:
    """Whether any digit is written or said in `text`."""
    return bool(_runs(text))


def redact_value(value: Any) -> Any:
    """`value` with every string and whole number inside it redacted: mappings (keys too), lists, tuples, sets."""
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        masked = redact(str(value))
        return value if masked == str(value) else masked
    if isinstance(value, Mapping):
        return {redact_value(key): redact_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        kind = type(value) if type(value) in (list, tuple, set, frozenset) else tuple
        return kind(redact_value(item) for item in value)
    return value
