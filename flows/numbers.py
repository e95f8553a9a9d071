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

from rapidfuzz.distance import OSA

from flows.number_words import FILLERS, WORDS, Word
from flows.words import tokens

_MAX_READINGS = 128
_NO_LEVEL = 10**12
# "3 go", "21 st": how an ordinal is written in digits, as tokens.
_ORDINAL_ENDS = {
    "pl": frozenset("go ego szego tego mego ej szej tej mej szy ty my".split()),
    "en": frozenset("st nd rd th".split()),
}


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


LANGUAGES = frozenset(WORDS)
# Words much like number words that are none.
_NO_SLIPS = frozenset("czwartek czwartku czwartkiem czwartki piatek piatku piatkiem piatki".split())


@lru_cache(maxsize=20_000)
def _look_up(token: str, language: str, fuzzy: bool) -> Word | None:
    lexicon = WORDS[language]
    found = lexicon.get(token)
    if found is not None or not fuzzy or not token or token in _NO_SLIPS or token.isdigit():
        return found
    # Short words are left alone: "right" is no slip of "eight", nor "jednak" of "jedna".
    long = ((form, word) for form, word in lexicon.items() if len(form) >= 6 and form[0] == token[0])
    near = {word for form, word in long if OSA.distance(token, form, score_cutoff=1) <= 1}
    near = {word for word in near if not word.ordinal} or near
    return near.pop() if len({word.value for word in near}) == 1 else None


def find_numbers(text: str | Sequence[str], language: str, *, fuzzy: bool = False) -> list[Number]:
    """The numbers of a text in order. `fuzzy` forgives one wrong letter in words of six or more."""
    words = tokens(text) if isinstance(text, str) else list(text)
    if not fuzzy and WORDS[language].keys().isdisjoint(words) and not any(map(str.isdigit, words)):
        return []  # most sentences; thousands of examples are looked at when a bot is loaded
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
        return _read_written(words, start, language, fuzzy)
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


def _read_written(words: list[str], start: int, language: str, fuzzy: bool) -> Number:
    """Digits, "2 tysiące", "3-go", "21st"."""
    digits = words[start]
    following = words[start + 1] if start + 1 < len(words) else ""
    scale = _look_up(following, language, fuzzy)
    if scale is not None and scale.kind == "scale" and len(digits) <= 3 and int(digits):
        number = _Sum(language).read(words, start, fuzzy)
        assert number is not None
        return number
    ordinal = following in _ORDINAL_ENDS[language] and len(digits) <= 4
    return Number(int(digits[:18]), start, start + 1 + ordinal, (digits,), ordinal)


class _Sum:
    """Adds up number words as long as each is of a smaller order than the one before."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._parts: list[int] = []
        self._level = _NO_LEVEL  # what follows must be of a smaller order than this
        self._scale = _NO_LEVEL  # the last "thousand" or "million"
        self._group = 0  # index of the first part after it
        self._ordinal = False
        self._tens_are_cardinal = False

    def read(self, words: list[str], start: int, fuzzy: bool) -> Number | None:
        position = end = start
        while position < len(words):
            word = self._word(words, position, fuzzy)
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

    def _word(self, words: list[str], position: int, fuzzy: bool) -> Word | None:
        """The word, or digits that belong to a sum: those before a "thousand", and those behind it."""
        digits = words[position]
        if not digits.isdigit():
            return _look_up(digits, self._language, fuzzy)
        scale = _look_up(words[position + 1], self._language, fuzzy) if position + 1 < len(words) else None
        before = scale is not None and scale.kind == "scale"
        behind = self._level == self._scale and self._scale < _NO_LEVEL
        if (before or behind) and digits[0] != "0" and len(digits) <= 3:
            return Word("unit", int(digits))
        return None

    def _begins_another(self, word: Word, following: Word | None) -> bool:
        """Whether "five" after "five hundred" belongs to a next "five hundred"."""
        return self._level <= 100 and following is not None and following.kind == "hundred" and word.kind == "unit"

    def _take(self, word: Word) -> bool:
        if word.plural and self._parts:
            return False
        if self._ordinal and not word.ordinal:
            return False  # "dwudziesta pięć" is an hour and minutes
        if self._language == "pl" and word.ordinal and word.kind == "unit" and self._tens_are_cardinal:
            return False  # "za dwadzieścia czwarta" are minutes and an hour; 24th is "dwudziesta czwarta"
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
        self._tens_are_cardinal = word.kind == "tens" and not word.ordinal
        return True

    def _multiply(self, scale: int) -> bool:
        if scale >= self._scale:
            return False
        count = sum(self._parts[self._group :]) or 1
        self._parts[self._group :] = [count * scale]
        self._group = len(self._parts)
        self._scale = self._level = scale
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
        if runs and all(word in FILLERS[language] for word in between):
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
