"""Which language a caller speaks, where it is not the call's: words of it, or the wish to speak it.

Recognisers write foreign speech in the letters of the language that they were told: Ukrainian reaches a Polish bot as
"dobryj deń, ja ne rozumiju polśkoju". So the words are listed as they come, in both alphabets. Words that Polish or
English have, too, are left out: who speaks the call's language must never be taken for a foreigner.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.phrasebook import PhraseSet
from flows.words import fold, tokens

FOREIGN = Path(__file__).parent / "phrases" / "foreign.yaml"
_ENOUGH_WORDS, _ENOUGH_SHARE = 3, 0.4  # different ones, and of all
_CYRILLIC = ("Ѐ", "ӿ")
_UKRAINIAN_LETTERS, _RUSSIAN_LETTERS = frozenset("іїєґ"), frozenset("ыэъё")


@lru_cache(maxsize=1)
def _languages() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(FOREIGN.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _surely() -> dict[str, PhraseSet]:
    return {code: PhraseSet(entry["surely"], exact=True) for code, entry in _languages().items()}


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    return {code: frozenset(fold(word) for word in str(entry["words"]).split()) for code, entry in _languages().items()}


def told(language: str, *, connecting: bool) -> str | None:
    """What a bot that does not speak this language says in it; `connecting`: and that a person comes."""
    entry = _languages().get(language)
    if entry is None:
        return None
    return f"{entry['told']} {entry['connecting']}" if connecting else str(entry["told"])


def spoken_language(text: str, current: str, *, by_words: bool = True) -> str | None:
    """The language that is spoken or asked for, if it is another than the current one and there is no doubt.

    `by_words` false: only phrases that leave no doubt count, and other letters.
    """
    cyrillic = _cyrillic(text)
    if cyrillic is not None:
        return cyrillic
    words = tokens(text)
    for code, phrases in _surely().items():
        if code != current and phrases.occurs(words):
            return code
    if not by_words:
        return None
    different = set(words)
    counts = {code: len(different & known) for code, known in _words().items()}
    own = counts.pop(current, 0)
    code = max(counts, key=lambda code: counts[code])
    enough = counts[code] >= _ENOUGH_WORDS and counts[code] >= _ENOUGH_SHARE * len(different)
    return code if enough and counts[code] > 2 * own else None


def _cyrillic(text: str) -> str | None:
    letters = [letter for letter in text.lower() if letter.isalpha()]
    if sum(_CYRILLIC[0] <= letter <= _CYRILLIC[1] for letter in letters) * 2 <= len(letters) or not letters:
        return None
    if _RUSSIAN_LETTERS & set(letters):
        return "ru"
    return "uk" if _UKRAINIAN_LETTERS & set(letters) or not _sounds_russian(text) else "ru"


def _sounds_russian(text: str) -> bool:
    russian = frozenset(str(_languages()["ru"]["cyrillic"]).split())
    return bool(russian & set(text.lower().split()))
