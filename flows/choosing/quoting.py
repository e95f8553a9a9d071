"""The caller's words by their place: a model points at them, and what stands there is read.

So a model that shortens, reorders or invents words changes no value: it can only point, and a number is never cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.numbers import find_numbers
from flows.words import tokens

_CHUNK = re.compile(r"\S+")
LONGEST = 1000  # characters of an utterance that a model is shown and may point at
HIDDEN = "…"


@dataclass(frozen=True)
class _Word:
    """A word or digit group, and where in the text the written piece with it begins and ends."""

    word: str
    start: int
    end: int


def _located(text: str) -> list[_Word]:
    chunks = _CHUNK.finditer(text)
    return [_Word(word, chunk.start(), chunk.end()) for chunk in chunks for word in tokens(chunk[0])]


def quoted(words: str, text: str, language: str) -> str | None:
    """The shortest part of a text that holds these words in this order, or None.

    Digits may be grouped otherwise ("123 456" is "123456"). Numbers that begin or end in it are taken whole. What is
    beyond LONGEST characters is not looked at.
    """
    said = _located(text[:LONGEST])
    span = _shortest(
        [(atom, place) for place, word in enumerate(said) for atom in _atoms(word.word)],
        [atom for word in tokens(words[:LONGEST]) for atom in _atoms(word)],
    )
    if span is None:
        return None
    first, last = span
    for number in find_numbers([word.word for word in said], language):
        if number.start <= first < number.end:
            first = number.start
        if number.start <= last < number.end:
            last = number.end - 1
    return text[said[first].start : said[last].end].strip(" ,;:")


def _atoms(word: str) -> list[str]:
    return list(word) if word.isdigit() else [word]


def _shortest(atoms: list[tuple[str, int]], wanted: list[str]) -> tuple[int, int] | None:
    """First and last place of the shortest run of atoms with the wanted ones in order, or None."""
    best: tuple[int, int] | None = None
    for start, (atom, first) in enumerate(atoms if wanted else []):
        if atom != wanted[0]:
            continue
        last = _last(atoms, start, wanted)
        if last is None:
            break  # what does not follow here, does not follow later either
        if best is None or last - first < best[1] - best[0]:
            best = first, last
    return best


def _last(atoms: list[tuple[str, int]], start: int, wanted: list[str]) -> int | None:
    """The place of the last wanted atom when the first one is at `start`."""
    met = 0
    for atom, place in atoms[start:]:
        met += atom == wanted[met]
        if met == len(wanted):
            return place
    return None


def without_numbers(text: str, language: str) -> str:
    """The text with HIDDEN in place of its numbers, spoken or written."""
    said, hidden = _located(text), text
    for number in reversed(find_numbers([word.word for word in said], language)):
        hidden = hidden[: said[number.start].start] + HIDDEN + hidden[said[number.end - 1].end :]
    return hidden
