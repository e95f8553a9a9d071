"""The phrases that ship with each language: what the bot says by itself, and what callers say in every conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.words import FORGIVEN, begins, similar, tokens

FOLDER = Path(__file__).parent / "phrases"
LANGUAGES = ("pl", "en")
_GAP, _LONGEST_GAP = "...", 3  # it may stand for so many words
_REMEMBERED = 1024  # words of which a set of phrases remembers what they may begin: most that callers say is said often


@lru_cache(maxsize=4096)
def _pattern_tokens(phrase: str) -> tuple[str, ...]:
    words: list[str] = []
    for piece in phrase.split():
        if piece == _GAP:
            words.append(piece)
            continue
        found = tokens(piece)
        if found:
            words += found[:-1]
            words.append(found[-1] + ("*" if piece.endswith("*") else ""))
    return tuple(words)


class Pattern:
    """A phrase: words, stems ("konsultant*"), gaps ("..." is up to three words). Small errors are forgiven."""

    def __init__(self, phrase: str, *, exact: bool = False) -> None:
        self.phrase = phrase
        self._words = _pattern_tokens(phrase)
        self._same = begins if exact else similar

    @property
    def begins_with(self) -> str:
        """The word that it begins with, or a gap, where that has to be exact and whole; else its letter and a `*`."""
        first = self._words[0] if self._words else ""
        whole = not first.endswith("*") and (self._same is begins or len(first) < FORGIVEN)
        return first if whole else f"{first[0]}*"

    def may_begin_with(self, word: str) -> bool:
        """Whether there is any use in looking for it where this word stands."""
        return bool(self._words) and (self._words[0] == _GAP or self._same(word, self._words[0]))

    def match_at(self, words: Sequence[str], start: int) -> int | None:
        """Where the phrase ends (exclusive) when it begins at `start`, or None."""
        return self._match(self._words, words, start)

    def _match(self, pattern: tuple[str, ...], words: Sequence[str], start: int) -> int | None:
        position = start
        for index, wanted in enumerate(pattern):
            if wanted == _GAP:
                rest = pattern[index + 1 :]
                ends = (self._match(rest, words, position + skip) for skip in range(_LONGEST_GAP + 1))
                return next((end for end in ends if end is not None), None)
            if position >= len(words) or not self._same(words[position], wanted):
                return None
            position += 1
        return position if position > start else None

    def occurs(self, text: str | Sequence[str]) -> bool:
        """Whether the phrase stands anywhere in the text."""
        words = tokens(text) if isinstance(text, str) else text
        return any(self.match_at(words, start) is not None for start in range(len(words)))


class PhraseSet:
    """Phrases with one meaning."""

    def __init__(self, phrases: Iterable[str], *, exact: bool = False) -> None:
        self._beginning: dict[str, list[Pattern]] = {}  # by the first word, or by its first letter
        for phrase in phrases:
            pattern = Pattern(phrase, exact=exact)
            if pattern.begins_with:
                self._beginning.setdefault(pattern.begins_with, []).append(pattern)
        self._beginning_with = lru_cache(maxsize=_REMEMBERED)(self._find_beginning_with)

    def _find_beginning_with(self, word: str) -> tuple[Pattern, ...]:
        keys = (word, f"{word[0]}*", _GAP)
        return tuple(
            pattern for key in keys for pattern in self._beginning.get(key, ()) if pattern.may_begin_with(word)
        )

    def occurs(self, text: str | Sequence[str]) -> bool:
        """Whether one of them stands anywhere in the text."""
        words = tokens(text) if isinstance(text, str) else text
        return any(self._beginning_with(word) and self._end(words, start) for start, word in enumerate(words))

    def starts(self, text: str | Sequence[str]) -> bool:
        """Whether the text begins with one of them."""
        return self.after(tokens(text) if isinstance(text, str) else text) is not None

    def after(self, words: Sequence[str]) -> list[str] | None:
        """The words behind the longest phrase that the text begins with, or None."""
        end = self._end(words, 0) if words else 0
        return list(words[end:]) if end else None

    def ends(self, words: Sequence[str]) -> bool:
        """Whether the text ends with one of them."""
        return any(self._end(words, start) == len(words) for start in range(len(words)))

    def covers(self, words: Sequence[str]) -> bool:
        """Whether the text is one of them, or several, and nothing else."""
        position = 0
        while position < len(words) and (end := self._end(words, position)):
            position = end
        return 0 < position >= len(words)

    def spans(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Where they stand: the first word and the one behind the last, the longest phrase from each first word."""
        found = ((start, self._end(words, start)) for start in range(len(words)))
        return [(start, end) for start, end in found if end]

    def without(self, words: Sequence[str]) -> list[str]:
        """The words that belong to none of the phrases."""
        kept: list[str] = []
        position = 0
        while position < len(words):
            end = self._beginning_with(words[position]) and self._end(words, position)
            if not end:
                kept.append(words[position])
            position = end or position + 1
        return kept

    def _end(self, words: Sequence[str], start: int) -> int:
        """Where the longest phrase ends (exclusive) that begins at `start`; 0 when none does."""
        end = 0
        for pattern in self._beginning_with(words[start]):
            end = max(end, pattern.match_at(words, start) or 0)
        return end


@lru_cache(maxsize=8)
def _file(language: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=8)
def understood_phrases(language: str) -> dict[str, PhraseSet]:
    """What callers say in every conversation, by meaning.

    A wish for a person is put together of ways to reach somebody and of persons. Those that take a meaning away
    (`handoff_not`) and those that end in `_exact` have to be said exactly, or they would be found in words much alike.
    """
    phrases: dict[str, list[str]] = dict(_file(language)["understand"])
    wishes = [f"{reach} {who}" for reach in phrases.pop("handoff_reach") for who in phrases["handoff_person_exact"]]
    phrases["handoff"] = [*phrases["handoff"], *wishes]
    return {
        meaning: PhraseSet(listed, exact=meaning.endswith(("_not", "_exact"))) for meaning, listed in phrases.items()
    }


def other_sentences(language: str) -> list[str]:
    """Things callers say that no flow is about, for the reject class of the intent classifier."""
    return list(_file(language)["other"])


def spoken_phrases(language: str) -> dict[str, list[str]]:
    """What the bot says by itself, by name; each has one wording or several."""
    return {name: [texts] if isinstance(texts, str) else texts for name, texts in _file(language)["say"].items()}
