"""Sentences as vectors: stems, pairs of stems (neighbours, and one apart) and pieces of words, weighed by TF-IDF."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse

from flows.knowledge.lemmas import lemma, words
from flows.numbers import find_numbers
from flows.texts import PLACEHOLDER
from flows.words import fold

_SIZES = (3, 4)  # letters of a piece of a word, its ends included
_PIECE = 0.7  # how much a piece of a word counts, beside a stem and a pair of stems
_NUMBER = "0"  # any number, and any {slot} of an example


def grams(text: str, language: str) -> Counter[str]:
    """What a sentence is made of. Numbers are all alike; pieces find words that a recogniser, or a caller, bent."""
    plain = words(PLACEHOLDER.sub(f" {_NUMBER} ", text))
    numbers = find_numbers([_folded(word) for word in plain], language)
    covered = {place for number in numbers for place in range(number.start, number.end)}
    kept = [_NUMBER if place in covered or word.isdigit() else word for place, word in enumerate(plain)]
    kept = [word for word, _ in itertools.groupby(kept)] if _NUMBER in kept else kept
    stems = [_NUMBER if word == _NUMBER else lemma(_folded(word), language) for word in kept]
    found = Counter(f"= {stem}" for stem in stems)
    found.update(f"= {one} {other}" for one, other in itertools.pairwise(stems))
    found.update(f"= {one} * {other}" for one, other in zip(stems, stems[2:], strict=False))
    for word in kept:
        if word != _NUMBER:
            found.update(_pieces(word))
    return found


_folded = lru_cache(maxsize=20_000)(fold)


@lru_cache(maxsize=20_000)
def _pieces(word: str) -> tuple[str, ...]:
    padded = f" {_folded(word)} "
    return tuple(padded[at : at + size] for size in _SIZES for at in range(len(padded) - size + 1))


class Vectors:
    """Learns the weights of all that occurs in some documents, each as `grams` gives it."""

    def __init__(self, documents: Sequence[Counter[str]]) -> None:
        frequency = Counter(itertools.chain.from_iterable(documents))
        self._columns = {gram: column for column, gram in enumerate(frequency)}
        counts = np.fromiter(frequency.values(), dtype=np.float32, count=len(frequency))
        kinds = np.fromiter(
            (1.0 if gram.startswith("= ") else _PIECE for gram in frequency), np.float32, len(frequency)
        )
        self._weights = (kinds * (np.log((1 + len(documents)) / (1 + counts)) + 1)).astype(np.float32)
        self._rarest = float(self._weights.max()) if len(self._weights) else 1.0

    def rows(self, documents: Iterable[Counter[str]]) -> sparse.csr_array:
        """One row of length 1 for each document; what was never seen while learning is left out."""
        indices: list[int] = []
        values: list[float] = []
        ends = [0]
        for document in documents:
            for gram, count in document.items():
                if (column := self._columns.get(gram)) is not None:
                    indices.append(column)
                    values.append(1 + math.log(count) if count > 1 else 1.0)
            ends.append(len(indices))
        columns = np.array(indices, dtype=np.int32)
        data = np.array(values, dtype=np.float32) * self._weights[columns]
        squares = np.concatenate(([0.0], np.cumsum(data.astype(np.float64) ** 2)))
        lengths = np.sqrt(np.diff(squares[ends]))
        data /= np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(ends)).astype(np.float32)
        return sparse.csr_array((data, columns, ends), shape=(len(ends) - 1, len(self._columns)))

    def known(self, document: Counter[str]) -> float:
        """How much of a document was seen while learning, 0..1; what was never seen counts as the rarest."""
        seen = sum(float(self._weights[at]) ** 2 for gram in document if (at := self._columns.get(gram)) is not None)
        unseen = sum(gram not in self._columns for gram in document) * self._rarest**2
        return seen / (seen + unseen) if seen else 0.0
