"""Numbers as callers say them: lower-case words, no punctuation (num2words, and what it lacks)."""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random

from num2words import num2words


def cardinal(n: int, language: str) -> str:
    """`n` >= 0 as a plain count: "dwadzieścia jeden", "one hundred and five"."""
    return _words(num2words(n, lang=language))


def digits(number: str, language: str, rng: Random) -> str:
    """Digit by digit; an English zero is "oh" or "zero"."""
    words = (_digit(digit, language) for digit in number)
    return " ".join("oh" if word == "zero" and language == "en" and rng.random() < 0.5 else word for word in words)


def day_of_month(n: int, language: str) -> str:
    """1..31 as in a date: "dwudziestego pierwszego" (genitive), "twenty first"."""
    words = _words(num2words(n, lang=language, to="ordinal"))
    return words if language == "en" else " ".join(_polish_ordinal(word, "ego") for word in words.split())


def hour(n: int, language: str) -> str:
    """1..24 as after "at": "siódmej" (feminine locative), "seven"."""
    if language == "en":
        return cardinal(n, language)
    return " ".join(_polish_ordinal(word, "ej") for word in _words(num2words(n, lang=language, to="ordinal")).split())


def plural(n: int, forms: tuple[str, ...]) -> str:
    """The form that goes with `n`; `forms` is (one, many), or (one, few, many) as Polish needs it."""
    if n == 1:
        return forms[0]
    few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
    return forms[1] if few else forms[-1]


@lru_cache(maxsize=16)
def _digit(digit: str, language: str) -> str:
    return cardinal(int(digit), language)


def _words(text: str) -> str:
    return " ".join(re.sub(r"[^\w']+", " ", text.lower()).split())


def _polish_ordinal(word: str, ending: str) -> str:
    """pierwszy -> pierwszego, pierwszej; drugi -> drugiego, drugiej; trzeci -> trzeciego, trzeciej."""
    return word[:-1] + ("i" if word.endswith("i") else "") + ending
