"""Spelled words and codes: "ka o wu", "M jak Maria", "A jeden dwa", "B for Bravo", "double l"."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cached_property

from flows.letters import ALSO_WORDS, AROUND, AS_IN, DOUBLED, LETTER_NAMES, LONGEST_NAME
from flows.numbers import find_numbers
from flows.words import fold

_WORD = re.compile(r"[^\W\d_]+|\d+|[@_.+/-]")


@dataclass(frozen=True)
class Piece:
    """Words that stand for characters: "em jak maria" is "m". `characters` is None for a plain word."""

    start: int
    end: int
    characters: str | None = None
    sure: bool = True  # false: "a", "i", "o" and the like may also be words


class Spelling:
    """A text as pieces: spelled letters, digits, and words that are neither. Polish letters are kept."""

    def __init__(self, text: str, language: str, *, digits: bool = True) -> None:
        self.words = _WORD.findall(text.lower())
        self._language = language
        self._folded = [fold(word) for word in self.words]
        numbers = find_numbers(self._folded, language) if digits else []
        self._numbers = {number.start: number for number in numbers if not number.ordinal}

    @cached_property
    def pieces(self) -> list[Piece]:
        """All of the text, in order."""
        found: list[Piece] = []
        position = 0
        while position < len(self.words):
            piece = self._piece(position)
            found.append(piece)
            position = piece.end
        return [self._alone(found, index) for index in range(len(found))]

    def _alone(self, pieces: list[Piece], index: int) -> Piece:
        """The piece, as a plain word where it is one ("mike") and no other letter is beside it."""
        piece = pieces[index]
        if piece.end - piece.start > 1 or self.words[piece.start] not in ALSO_WORDS[self._language]:
            return piece
        beside = [*pieces[max(index - 1, 0) : index], *pieces[index + 1 : index + 2]]
        return piece if any(other.characters for other in beside) else Piece(piece.start, piece.end)

    def _piece(self, start: int) -> Piece:
        if (word := self.words[start]) in DOUBLED[self._language] and start + 1 < len(self.words):
            name = self._letter(start + 1)
            if self._letter(start) is None and name is not None:
                return Piece(start, name.end, (name.characters or "") * DOUBLED[self._language][word])
        letter = self._letter(start)
        example = self._example(letter.end if letter else start + 1)
        if example is not None:
            return self._by_example(start, letter, example)
        if start in self._numbers and (letter is None or not letter.sure or len(self._numbers[start].digits) > 1):
            number = self._numbers[start]
            return Piece(start, number.end, number.digits)
        return letter or Piece(start, start + 1)

    def _letter(self, start: int) -> Piece | None:
        """A letter by its name, the longest that there is."""
        for length in range(min(LONGEST_NAME, len(self.words) - start), 0, -1):
            named = LETTER_NAMES[self._language].get(tuple(self.words[start : start + length]))
            if named is not None:
                return Piece(start, start + length, named, sure=length > 1 or len(self.words[start]) > 1)
        return None

    def _example(self, position: int) -> int | None:
        """Where "jak Maria" ends that begins here."""
        for words in AS_IN[self._language]:
            end = position + len(words)
            if tuple(self.words[position:end]) == words and end < len(self.words) and self.words[end].isalpha():
                return end + 1
        return None

    def _by_example(self, start: int, letter: Piece | None, end: int) -> Piece:
        """The letter that was said, unless the word does not begin with it: then the word's own."""
        example = self.words[end - 1]
        said = (letter.characters if letter else self.words[start]) or ""
        if len(said) <= 2 and (example.startswith(said) or fold(said) == fold(example)[:1] or said in "ąęńóy"):
            return Piece(start, end, said)
        return Piece(start, end, example[0])

    def runs(self) -> list[str]:
        """Characters that are spelled one after the other; words of no meaning may stand between them."""
        runs: list[str] = [""]
        for index, piece in enumerate(self.pieces):
            characters = piece.characters or self._literal(index)
            if characters is not None:
                runs[-1] += characters
            elif not all(w in AROUND[self._language] or w in "-./" for w in self.words[piece.start : piece.end]):
                runs.append("")
        return [run for run in runs if run]

    def characters(self) -> str:
        """The longest run, or nothing; of equal ones the last."""
        return max(reversed(self.runs()), key=len, default="")

    def _literal(self, index: int) -> str | None:
        """Two or three letters beside digits or letters ("ab 123") are written as they are."""
        piece = self.pieces[index]
        word = self.words[piece.start]
        if not (word.isalpha() and len(word) <= 3) or word in AROUND[self._language]:
            return None
        beside = itertools.chain(self.pieces[max(index - 1, 0) : index], self.pieces[index + 1 : index + 2])
        vowels = set(fold(word)) & set("aeiouy")
        return word if not vowels and any(other.characters for other in beside) else None
