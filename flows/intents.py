"""Which flow a sentence is about: similarity to the flows' examples over character n-grams, with a class for "none".

Weights and unit vectors are those of the usual TF-IDF. The sentence goes to the flow of its nearest example, unless a
sentence that belongs to no flow is nearer or nothing is near enough. How near is enough is measured on the examples
themselves: each is compared with the others (leave one out), the foreign sentences with all.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.numbers import find_numbers
from flows.words import tokens

_SIZES = (2, 3, 4)
_NUMBER = "0"  # any number, and any {slot} of an example
_STRICTEST, _MILDEST = 0.62, 0.34
_PLACEHOLDER = re.compile(r"\{[^}]*\}")

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """The nearest flow, or none. `score` is its similarity, `confidence` 0..1 with 0.5 at the limit of acceptance."""

    flow: str | None
    score: float
    confidence: float


class IntentClassifier:
    """Trained on construction; a few milliseconds for a hundred sentences."""

    def __init__(self, examples: Mapping[str, Sequence[str]], others: Sequence[str], language: str) -> None:
        self._language = language
        labelled = [(name, _PLACEHOLDER.sub(_NUMBER, text)) for name, texts in examples.items() for text in texts]
        counted = [(name, self._grams(text)) for name, text in labelled]
        foreign = [self._grams(text) for text in others]
        documents = [grams for _, grams in counted] + foreign
        frequency = Counter(gram for grams in documents for gram in grams)
        self._index = {gram: column for column, gram in enumerate(frequency)}
        total = len(documents)
        self._weights = np.array([math.log((1 + total) / (1 + n)) + 1 for n in frequency.values()], dtype=np.float32)
        self._names = [name for name, _ in counted]
        self._matrix = self._stack([grams for _, grams in counted])
        others_matrix = self._stack(foreign)
        if counted and foreign:  # a flow may well be about what is foreign to other bots
            others_matrix = others_matrix[(others_matrix @ self._matrix.T).max(axis=1) < 0.7]
        self._others = others_matrix
        self.threshold = self._calibrate()

    def _grams(self, text: str) -> Counter[str]:
        words = tokens(text)
        covered = {place for number in find_numbers(words, self._language) for place in range(number.start, number.end)}
        kept = [_NUMBER if place in covered else word for place, word in enumerate(words)]
        grams: Counter[str] = Counter()
        for word in kept:
            if word == _NUMBER:
                continue
            padded = f" {word} "
            grams.update(padded[i : i + size] for size in _SIZES for i in range(len(padded) - size + 1))
        grams.update(f"{a} {b}" for a, b in itertools.pairwise(kept) if _NUMBER not in (a, b))
        return grams

    def _vector(self, grams: Counter[str]) -> Vector:
        vector = np.zeros(len(self._index), dtype=np.float32)
        unknown = 0.0
        rarest = float(self._weights.max()) if len(self._weights) else 1.0
        for gram, count in grams.items():
            column = self._index.get(gram)
            weight = 1 + math.log(count)
            if column is None:
                unknown += (weight * rarest) ** 2
            else:
                vector[column] = weight * self._weights[column]
        norm = math.sqrt(float(vector @ vector) + unknown * 0.25)  # words never seen make a sentence less similar
        return vector / norm if norm else vector

    def _stack(self, documents: Sequence[Counter[str]]) -> Vector:
        if not documents:
            return np.zeros((0, len(self._index)), dtype=np.float32)
        return np.stack([self._vector(grams) for grams in documents])

    def _calibrate(self) -> float:
        """Between how near foreign sentences come and how near a flow's own examples are to each other."""
        if len(self._names) < 2:
            return _STRICTEST
        own = self._matrix @ self._matrix.T
        np.fill_diagonal(own, 0.0)
        same = np.array([[a == b for b in self._names] for a in self._names])
        near = np.where(same, own, 0.0).max(axis=1)
        foreign = (self._others @ self._matrix.T).max(axis=1) if len(self._others) else np.zeros(1)
        middle = (float(np.quantile(near, 0.25)) + float(np.quantile(foreign, 0.95))) / 2
        return min(max(middle, _MILDEST), _STRICTEST)

    def guess(self, text: str) -> Guess:
        """The flow that a sentence is about."""
        grams = self._grams(text)
        if not grams or not self._names:
            return Guess(None, 0.0, 0.0)
        vector = self._vector(grams)
        scores = self._matrix @ vector
        best = int(scores.argmax())
        score = float(scores[best])
        foreign = float((self._others @ vector).max()) if len(self._others) else 0.0
        margin = min(score - self.threshold, score - foreign)
        confidence = 1 / (1 + math.exp(-12 * margin))
        return Guess(self._names[best] if margin >= 0 else None, score, confidence)
