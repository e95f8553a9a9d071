"""Sentences as vectors: stems, pairs of stems (neighbours, and one apart) and pieces of words, weighed by TF-IDF.

Numbers are all alike, and so is any {slot} of an example. The ends of a sentence count as words. Pieces find words that
a recogniser, or a caller, bent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from flows.contractions import in_full
from flows.knowledge.lemmas import lemma, words
from flows.numbers import find_numbers
from flows.texts import PLACEHOLDER
from flows.words import fold

_SIZES = (3, 4)  # letters of a piece of a word, its ends included
_PIECE = 0.7  # how much a piece of a word counts, beside a stem and a pair of stems
_APART = (1, 2)  # places between the stems of a pair
_NUMBER, _BEGINS, _ENDS = "0", "^", "$"
_WHOLE = frozenset((_NUMBER, _BEGINS, _ENDS))  # they are not looked at in pieces
_MOST = 2**20  # stems; a pair is told by one number
_UNKNOWN = -1  # the number of what was never seen while learning

Numbers = NDArray[np.int64]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Vector:
    """A sentence: `values`, together of length 1, in some `columns`. `known`: how much of it was learnt, 0..1."""

    columns: Numbers
    values: Values
    known: float


class Vectors:
    """Learns what occurs in some sentences and how much it counts. `rows`: these sentences."""

    def __init__(self, sentences: Iterable[str], language: str) -> None:
        self._language = language
        self._stems: dict[str, int] = {}
        self._pieces: dict[str, int] = {}
        self._parts: dict[str, tuple[int, list[int]]] = {}  # of a word: its stem and pieces
        self._pairs: Numbers = np.empty(0, np.int64)
        learnt = _Spread([[self._learn(word) for word in self._words(sentence)] for sentence in sentences])
        self._pairs = np.unique(learnt.pairs)
        size = len(self._stems) + len(self._pairs) + len(self._pieces)
        columns = self._columns(learnt)
        places = learnt.rows.astype(np.int32), columns.astype(np.int32)
        counts = sparse.csr_array((np.ones(len(columns), np.float32), places), (learnt.count, size))
        kinds = np.full(size, 1.0)
        kinds[size - len(self._pieces) :] = _PIECE
        documents = np.bincount(counts.indices, minlength=size)
        self._weights = (kinds * (np.log((1 + learnt.count) / (1 + documents)) + 1)).astype(np.float32)
        self._rarest = float(self._weights.max()) if size else 1.0
        values = (1 + np.log(counts.data)) * self._weights[counts.indices]
        lengths = np.sqrt(np.bincount(_row_of_each(counts), values.astype(np.float64) ** 2, learnt.count))
        counts.data = (values / lengths[_row_of_each(counts)]).astype(np.float32)
        self.rows = counts

    def vector(self, sentence: str) -> Vector:
        """Any sentence."""
        found = self._columns(_Spread([[self._look_up(word) for word in self._words(sentence)]]))
        columns, counts = np.unique(found[found >= 0], return_counts=True)
        weights = self._weights[columns]
        seen, unseen = float(weights @ weights), len(found[found < 0]) * self._rarest**2
        values = (1 + np.log(counts)) * weights
        length = float(np.sqrt(values @ values)) or 1.0
        return Vector(columns, (values / length).astype(np.float32), seen / (seen + unseen) if seen else 0.0)

    def _words(self, sentence: str) -> list[str]:
        """Folded words between marks of the sentence's ends; of numbers in a row one is left."""
        kept = words(fold(PLACEHOLDER.sub(f" {_NUMBER} ", sentence)))
        if not kept:
            return []
        if self._language == "en":
            kept = list(in_full(kept))
        if numbers := find_numbers(kept, self._language):
            covered = {place for number in numbers for place in range(number.start, number.end)}
            numbered = (_NUMBER if place in covered else word for place, word in enumerate(kept))
            kept = [word for word, _ in itertools.groupby(numbered)]
        return [_BEGINS, *kept, _ENDS]

    def _learn(self, word: str) -> tuple[int, list[int]]:
        """The stem and the pieces of a word, numbered as they come."""
        found = self._parts.get(word)
        if found is None:
            stem = self._stems.setdefault(lemma(word, self._language), len(self._stems))
            pieces = [self._pieces.setdefault(piece, len(self._pieces)) for piece in _pieces(word)]
            found = self._parts[word] = stem, pieces
        return found

    def _look_up(self, word: str) -> tuple[int, list[int]]:
        found = self._parts.get(word)
        if found is not None:
            return found
        stem = self._stems.get(lemma(word, self._language), _UNKNOWN)
        return stem, [self._pieces.get(piece, _UNKNOWN) for piece in _pieces(word)]

    def _columns(self, spread: _Spread) -> Numbers:
        """Of stems, pairs and pieces, in this order; or `_UNKNOWN`."""
        places = np.searchsorted(self._pairs, spread.pairs)
        places[places == len(self._pairs)] = 0
        known = self._pairs[places] == spread.pairs if len(self._pairs) else np.zeros(len(places), bool)
        stems, pairs = len(self._stems), len(self._pairs)
        pieces = np.where(spread.pieces >= 0, spread.pieces + stems + pairs, _UNKNOWN)
        return np.concatenate((spread.stems, np.where(known, places + stems, _UNKNOWN), pieces))


class _Spread:
    """Sentences, each a list of (stem, pieces), as arrays. `rows`: the sentence of each stem, pair and piece."""

    def __init__(self, sentences: Sequence[Sequence[tuple[int, list[int]]]]) -> None:
        words = list(itertools.chain.from_iterable(sentences))
        self.count = len(sentences)
        self.stems = np.array([stem for stem, _ in words], np.int64)
        self.pieces = np.array(list(itertools.chain.from_iterable(pieces for _, pieces in words)), np.int64)
        of_word = np.repeat(np.arange(self.count), [len(sentence) for sentence in sentences])
        together = [of_word[apart:] == of_word[:-apart] for apart in _APART]
        self.pairs = np.concatenate(
            [
                ((apart * _MOST + self.stems[:-apart]) * _MOST + self.stems[apart:])[same]
                for apart, same in zip(_APART, together, strict=True)
            ]
        )
        of_pair = [of_word[apart:][same] for apart, same in zip(_APART, together, strict=True)]
        of_piece = np.repeat(of_word, [len(pieces) for _, pieces in words])
        self.rows = np.concatenate((of_word, *of_pair, of_piece))


def _row_of_each(matrix: sparse.csr_array) -> Numbers:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _pieces(word: str) -> list[str]:
    if word in _WHOLE:
        return []
    padded = f" {word} "
    return [padded[at : at + size] for size in _SIZES for at in range(len(padded) - size + 1)]
