"""Words as the parsers see them: lower case, no punctuation, Polish letters folded, written digits kept."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

FORGIVEN = 6  # letters from which on one may be wrong
_TOKEN = re.compile(r"[a-z]+|[0-9]+")
_LETTERS = str.maketrans("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", "acelnoszzACELNOSZZ")


def fold(text: str) -> str:
    """Lower case without accents, so that typed text and recogniser text compare equal."""
    folded = unicodedata.normalize("NFKC", text).translate(_LETTERS).lower().translate(_LETTERS)
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))


def tokens(text: str) -> list[str]:
    """Folded words and digit groups of a text; apostrophes join ("that's" is "thats"), everything else separates."""
    return _TOKEN.findall(fold(text).replace("'", "").replace("’", ""))


def begins(word: str, pattern: str) -> bool:
    """Whether a word is a pattern exactly; a pattern ending in `*` is a stem."""
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@lru_cache(maxsize=20_000)
def similar(word: str, pattern: str) -> bool:
    """Whether a word is a pattern, give or take what a recogniser gets wrong.

    A pattern ending in `*` is a stem: only the word's beginning counts. Words under six letters must be exact, and
    first letters always: "incorrect" is not a slip of "correct".
    """
    if begins(word, pattern):
        return True
    stem = pattern.endswith("*")
    wanted = pattern[:-1] if stem else pattern
    allowed = 0 if len(wanted) < FORGIVEN else 1 if len(wanted) < 10 else 2
    if not allowed or len(word) < len(wanted) - allowed or word[0] != wanted[0]:
        return False
    heads = {word[: len(wanted) + shift] for shift in range(-allowed, allowed + 1)} if stem else {word}
    return any(OSA.distance(head, wanted, score_cutoff=allowed) <= allowed for head in heads)
