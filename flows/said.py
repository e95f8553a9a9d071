"""A text with its numbers marked, for parsers that are patterns: "za kwadrans ósma" is "za kwadrans <o8>".

A mark is `<c15>` for a cardinal in words, `<o8>` for an ordinal, `<d05>` for written digits (zeros are kept).
"""

from __future__ import annotations

import re
from functools import lru_cache

from flows.numbers import find_numbers
from flows.words import tokens

NUMBER = r"<[cod]\d+>"
_MARK = re.compile(r"<[cod](\d+)>")


@lru_cache(maxsize=512)
def said(text: str, language: str) -> str:
    """The words, folded, with marks for numbers; one space before and after each."""
    words = tokens(text)
    pieces: list[str] = []
    position = 0
    for number in find_numbers(words, language, fuzzy=True):
        pieces += words[position : number.start]
        written = words[number.start].isdigit() and number.end == number.start + 1
        kind = "o" if number.ordinal else "d" if written else "c"
        pieces.append(f"<{kind}{number.digits}>")
        position = number.end
    return f" {' '.join([*pieces, *words[position:]])} "


def value(mark: str) -> int:
    """The number of a mark."""
    found = _MARK.search(mark)
    return int(found[1]) if found else 0


def values(marked: str) -> list[int]:
    """All numbers of a marked text, in order."""
    return [int(number) for number in _MARK.findall(marked)]
