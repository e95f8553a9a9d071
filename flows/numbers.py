"""Spoken numbers to values: Polish (with its cases) and English, as people dictate them.

"sto dwadzieścia trzy czterysta pięćdziesiąt sześć", "one twenty three", "double five" and "12 34" are read. A text is
cut into `Number`s, each as long as grammar allows; how the numbers of a dictation join into one string of digits is
ambiguous ("sto dwa" is 102 or 1002), so `digit_readings` gives all readings, the likeliest first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rapidfuzz.distance import OSA

from flows.words import fold, tokens

_MAX_READINGS = 128
_NO_LEVEL = 10**12

Kind = Literal["zero", "unit", "teen", "tens", "hundreds", "hundred", "scale", "repeat"]


@dataclass(frozen=True)
class Number:
    """A number found in a text: words `start` to `end` (exclusive). `parts` are its spoken summands, as digits."""

    value: int
    start: int
    end: int
    parts: tuple[str, ...]
    ordinal: bool = False

    @property
    def digits(self) -> str:
        """The number as dictated: "007" keeps its zeros."""
        return self.parts[0] if len(self.parts) == 1 else str(self.value)


@dataclass(frozen=True)
class _Word:
    kind: Kind
    value: int
    ordinal: bool = False
    plural: bool = False  # "zera", "jedynki": a digit that a count may precede


def _polish() -> dict[str, _Word]:
    words: dict[str, _Word] = {}

    def add(kind: Kind, value: int, forms: str, *, ordinal: bool = False, plural: bool = False) -> None:
        for form in forms.split():
            words.setdefault(fold(form), _Word(kind, value, ordinal, plural))

    add("zero", 0, "zero zerem zeru")
    add("zero", 0, "zera zer", plural=True)
    units = {
        1: "jeden jedna jedno jednego jednej jedną jednym jednemu jedynka jedynkę",
        2: "dwa dwie dwóch dwu dwoma dwiema dwóm dwoje dwójka dwójkę",
        3: "trzy trzech trzem trzema troje trójka trójkę",
        4: "cztery czterech czterem czterema czworo czwórka czwórkę",
        5: "pięć pięciu pięcioma pięcioro piątka piątkę",
        6: "sześć sześciu sześcioma sześcioro szóstka szóstkę",
        7: "siedem siedmiu siedmioma siódemka siódemkę",
        8: "osiem ośmiu ośmioma ósemka ósemkę",
        9: "dziewięć dziewięciu dziewięcioma dziewiątka dziewiątkę",
    }
    for value, forms in units.items():
        add("unit", value, forms)
    plurals = "jedynki dwójki trójki czwórki piątki szóstki siódemki ósemki dziewiątki".split()
    for value, form in enumerate(plurals, 1):
        add("unit", value, form, plural=True)
    teens = "dziesięć jedenaście dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście"
    for value, form in enumerate([*teens.split(), "dziewiętnaście"], 10):
        oblique = form[:-1] + "iu" if form.endswith("ć") else form[:-4] + "astu"
        add("teen", value, f"{form} {oblique} {oblique[:-1]}oma")
    add("teen", 12, "dwunastu")
    tens = (
        "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt"
    )
    oblique_tens = "dwudziestu trzydziestu czterdziestu pięćdziesięciu sześćdziesięciu siedemdziesięciu osiemdziesięciu"
    for value, form in enumerate(tens.split(), 2):
        add("tens", value * 10, form)
    for value, form in enumerate([*oblique_tens.split(), "dziewięćdziesięciu"], 2):
        add("tens", value * 10, form)
    hundreds = "sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset"
    oblique = "stu dwustu trzystu czterystu pięciuset sześciuset siedmiuset ośmiuset dziewięciuset"
    for value, (form, other) in enumerate(zip(hundreds.split(), oblique.split(), strict=True), 1):
        add("hundreds", value * 100, f"{form} {other}")
    add("scale", 1000, "tysiąc tysiące tysięcy tysiąca tysiącom tysiącami tysiącach")
    add("scale", 1_000_000, "milion miliony milionów miliona")
    add("repeat", 2, "podwójne podwójna podwójny podwójną podwójnie dwukrotnie")
    add("repeat", 3, "potrójne potrójna potrójny potrójną potrójnie trzykrotnie")
    endings = {"": "y a e ego emu ej ą ym ych", "i": "i a e ego emu ej ą im ich"}
    ordinals: list[tuple[Kind, int, str]] = [
        ("unit", 1, "pierwsz"), ("unit", 2, "drug"), ("unit", 3, "trzec"), ("unit", 4, "czwart"), ("unit", 5, "piąt"),
        ("unit", 6, "szóst"), ("unit", 7, "siódm"), ("unit", 8, "ósm"), ("unit", 9, "dziewiąt"),
        ("teen", 10, "dziesiąt"), ("teen", 11, "jedenast"), ("teen", 12, "dwunast"), ("teen", 13, "trzynast"),
        ("teen", 14, "czternast"), ("teen", 15, "piętnast"), ("teen", 16, "szesnast"), ("teen", 17, "siedemnast"),
        ("teen", 18, "osiemnast"), ("teen", 19, "dziewiętnast"), ("tens", 20, "dwudziest"), ("tens", 30, "trzydziest"),
        ("tens", 40, "czterdziest"), ("tens", 50, "pięćdziesiąt"),
    ]  # fmt: skip
    for kind, value, stem in ordinals:
        for ending in endings["i" if stem in ("drug", "trzec") else ""].split():
            soft = "i" if stem == "trzec" and ending[0] != "i" else "i" if stem == "drug" and ending[0] == "e" else ""
            add(kind, value, stem + soft + ending, ordinal=True)
    return words


def _english() -> dict[str, _Word]:
    words: dict[str, _Word] = {}
    for word in ("zero", "oh", "o", "nought", "nil"):
        words[word] = _Word("zero", 0)
    words |= {word: _Word("zero", 0, plural=True) for word in ("zeros", "zeroes")}
    units = "one two three four five six seven eight nine".split()
    teens = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    words |= {word: _Word("unit", value) for value, word in enumerate(units, 1)}
    words |= {word + ("es" if word == "six" else "s"): _Word("unit", n, plural=True) for n, word in enumerate(units, 1)}
    words |= {word: _Word("teen", value) for value, word in enumerate(teens, 10)}
    words |= {word: _Word("tens", value * 10) for value, word in enumerate(tens, 2)}
    words |= {"hundred": _Word("hundred", 100), "hundreds": _Word("hundred", 100)}
    words |= {"thousand": _Word("scale", 1000), "million": _Word("scale", 1_000_000)}
    words |= {"double": _Word("repeat", 2), "triple": _Word("repeat", 3), "treble": _Word("repeat", 3)}
    ordinals = "first second third fourth fifth sixth seventh eighth ninth".split()
    words |= {word: _Word("unit", value, ordinal=True) for value, word in enumerate(ordinals, 1)}
    teens_th = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
    words |= {word: _Word("teen", value, ordinal=True) for value, word in enumerate(teens_th.split(), 10)}
    words |= {word[:-1] + "ieth": _Word("tens", value * 10, ordinal=True) for value, word in enumerate(tens, 2)}
    return words


_WORDS = {"pl": _polish(), "en": _english()}
# Words that people put between the digits of one number.
_FILLERS = {
    "pl": frozenset("eee eem yyy yhm hmm mhm i no to potem dalej a myslnik kreska ukosnik pauza nastepnie".split()),
    "en": frozenset("uh um er hmm and then dash hyphen slash so well".split()),
}
LANGUAGES = frozenset(_WORDS)


@lru_cache(maxsize=20_000)
def _look_up(token: str, language: str, fuzzy: bool) -> _Word | None:
    lexicon = _WORDS[language]
    found = lexicon.get(token)
    if found is not None or not fuzzy or token.isdigit():
        return found
    # Short words are left alone: "right" is no slip of "eight", nor "jednak" of "jedna".
    long = ((form, word) for form, word in lexicon.items() if len(form) >= 6 and form[0] == token[0])
    near = {word for form, word in long if OSA.distance(token, form, score_cutoff=1) <= 1}
    near = {word for word in near if not word.ordinal} or near
    return near.pop() if len({word.value for word in near}) == 1 else None


def find_numbers(text: str | Sequence[str], language: str, *, fuzzy: bool = False) -> list[Number]:
    """The numbers of a text in order. `fuzzy` forgives one wrong letter in words of six or more."""
    words = tokens(text) if isinstance(text, str) else list(text)
    found: list[Number] = []
    position = 0
    while position < len(words):
        number = _read_number(words, position, language, fuzzy)
        if number is None:
            position += 1
        else:
            found.append(number)
            position = number.end
    return found


def _read_number(words: list[str], start: int, language: str, fuzzy: bool) -> Number | None:
    if words[start].isdigit():
        digits = words[start]
        return Number(int(digits[:18]), start, start + 1, (digits,))
    first = _look_up(words[start], language, fuzzy)
    if first is None:
        return None
    following = _look_up(words[start + 1], language, fuzzy) if start + 1 < len(words) else None
    counts = first.kind == "repeat" or (first.kind == "unit" and first.value <= 5 and not first.plural)
    if counts and following is not None and (following.plural or first.kind == "repeat") and following.value < 10:
        digits = str(following.value) * first.value
        return Number(int(digits), start, start + 2, (digits,))
    if first.kind == "repeat":
        return None
    if first.kind == "zero":
        return Number(0, start, start + 1, ("0",), first.ordinal)
    return _Sum(language).read(words, start, fuzzy)


class _Sum:
    """Adds up number words as long as each is of a smaller order than the one before."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._parts: list[int] = []
        self._level = _NO_LEVEL  # what follows must be of a smaller order than this
        self._scale = _NO_LEVEL  # the last "thousand" or "million"
        self._group = 0  # index of the first part after it
        self._ordinal = False

    def read(self, words: list[str], start: int, fuzzy: bool) -> Number | None:
        position = end = start
        while position < len(words):
            word = _look_up(words[position], self._language, fuzzy)
            if word is None and words[position] == "and" and self._parts and self._level >= 100:
                position += 1  # "one hundred and five"; a trailing "and" is not part of the number
                continue
            following = _look_up(words[position + 1], self._language, fuzzy) if position + 1 < len(words) else None
            if word is None or self._begins_another(word, following) or not self._take(word):
                break
            position += 1
            end = position
        if not self._parts:
            return None
        return Number(sum(self._parts), start, end, tuple(map(str, self._parts)), self._ordinal)

    def _begins_another(self, word: _Word, following: _Word | None) -> bool:
        """Whether "five" after "five hundred" belongs to a next "five hundred"."""
        return self._level <= 100 and following is not None and following.kind == "hundred" and word.kind == "unit"

    def _take(self, word: _Word) -> bool:
        if word.plural and self._parts:
            return False
        if word.kind == "scale":
            return self._multiply(word.value)
        if word.kind == "hundred":
            if not self._parts[self._group :]:
                self._parts.append(100)
            elif self._level == 1 and self._parts[-1] < 100:
                last = sum(self._parts[self._group :])
                self._parts[self._group :] = [last * 100]
            else:
                return False
            self._level = 100
            return True
        order = {"unit": 1, "teen": 10, "tens": 10, "hundreds": 100}.get(word.kind)
        if order is None or order >= self._level:
            return False
        self._parts.append(word.value)
        self._level = 1 if word.kind == "teen" else order
        self._ordinal = self._ordinal or word.ordinal
        return True

    def _multiply(self, scale: int) -> bool:
        if scale >= self._scale:
            return False
        count = sum(self._parts[self._group :]) or 1
        self._parts[self._group :] = [count * scale]
        self._group = len(self._parts)
        self._scale, self._level = scale, _NO_LEVEL
        return True


def parse_integer(text: str, language: str) -> int | None:
    """The whole text as one cardinal number ("minus" allowed), or None."""
    words = tokens(text)
    negative = bool(words) and words[0] == "minus"
    words = words[1:] if negative else words
    numbers = find_numbers(words, language)
    if len(numbers) != 1 or numbers[0].start != 0 or numbers[0].end != len(words) or numbers[0].ordinal:
        return None
    return -numbers[0].value if negative else numbers[0].value


def digit_runs(text: str, language: str, *, fuzzy: bool = False) -> list[list[Number]]:
    """Numbers grouped into dictations: numbers next to each other, or with only fillers between."""
    words = tokens(text)
    runs: list[list[Number]] = []
    for number in find_numbers(words, language, fuzzy=fuzzy):
        if number.ordinal:
            continue
        between = words[runs[-1][-1].end : number.start] if runs else []
        if runs and all(word in _FILLERS[language] for word in between):
            runs[-1].append(number)
        else:
            runs.append([number])
    # A lone "oh" is a sigh, not a zero.
    return [run for run in runs if not (len(run) == 1 and words[run[0].start] in ("oh", "o"))]


def digit_readings(numbers: Sequence[Number]) -> Iterator[str]:
    """The digit strings that a dictation can mean, the plainest first, each once; at most a few dozen."""
    readings = itertools.product(*(_splits(number.parts) for number in numbers))
    seen: set[str] = set()
    for reading in sorted(itertools.islice(readings, _MAX_READINGS), key=lambda r: sum(len(group) for group in r)):
        digits = "".join(piece for group in reading for piece in group)
        if digits not in seen:
            seen.add(digits)
            yield digits


def _splits(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """How a number's summands can be heard as several numbers: 123 is 123, 100 23, 120 3 or 100 20 3."""
    if len(parts) == 1:
        return [parts]
    splits: list[tuple[str, ...]] = []
    for cuts in itertools.product((False, True), repeat=len(parts) - 1):
        groups = [[parts[0]]]
        for cut, part in zip(cuts, parts[1:], strict=True):
            if cut:
                groups.append([part])
            else:
                groups[-1].append(part)
        splits.append(tuple(str(sum(map(int, group))) for group in groups))
    return sorted(splits, key=len)
