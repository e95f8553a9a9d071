"""Which flow a sentence is about, learned from the flows' examples and from what no flow is about.

A linear classifier over stems, pairs of stems and pieces of words: ridge regression on the classes' signs (regularised
least squares; Rifkin and Klautau, "In Defense of One-Vs-All Classification", 2004), every class with the same weight,
solved by conjugate gradients. How sure it is comes from a second, small model: see `_SURE_LITTLE`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from flows.grams import Vector, Vectors

_RIDGE = 0.3
_STEPS, _CLOSE_ENOUGH = 60, 3e-3  # of the conjugate gradients
# Log odds that a guess is right, by what is measured of it (in the order of `measure`) and 1, for bots that have
# learned little and much; between the two it is in proportion. By `benchmarks.understanding --fit`, on the tuning set.
_SURE_LITTLE = (3.64, -4.11, -0.97, 0.57, -4.72, -0.64, 0.24, -0.89)
_SURE_MUCH = (3.42, -2.87, -3.10, 5.13, -8.16, 0.79, 1.73, -4.34)
_LITTLE, _MUCH = 12, 400  # examples a flow

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """The likeliest flow, or none; `confidence` 0..1 that it is right. What is below 0.5 is not guessed."""

    flow: str | None
    confidence: float

    @property
    def reason(self) -> str:
        """For the record, where nothing comes of it."""
        return f"no flow is likely enough ({self.confidence:.2f})"


class IntentClassifier:
    """Trained on construction, in about half a second for four thousand sentences.

    `learned`: how much, from 0 (a dozen examples a flow) to 1 (hundreds).
    """

    def __init__(self, examples: Mapping[str, Sequence[str]], others: Sequence[str], language: str) -> None:
        self._language = language
        self._flows = [flow for flow, sentences in examples.items() if sentences]
        labelled = [(number, text) for number, flow in enumerate(self._flows) for text in examples[flow]]
        labelled += [(len(self._flows), text) for text in others]
        self._vectors = Vectors((text for _, text in labelled), language)
        rows = self._vectors.rows
        self._class = np.array([number for number, _ in labelled], dtype=np.int32)
        self._begins = np.flatnonzero(np.diff(self._class, prepend=-1))  # where the examples of each class begin
        self._examples = rows.tocsc()
        share = math.log(max(len(labelled) - len(others), 1) / max(len(self._flows), 1) / _LITTLE)
        self.learned = min(max(share / math.log(_MUCH / _LITTLE), 0.0), 1.0)
        self._weights = _fit(rows, self._class, len(self._flows) + 1)

    def guess(self, text: str) -> Guess:
        """The flow that a sentence is about."""
        flow, measures = self.measure(text)
        if flow is None:
            return Guess(None, 0.0)
        weights = (few + self.learned * (many - few) for few, many in zip(_SURE_LITTLE, _SURE_MUCH, strict=True))
        odds = sum(weight * value for weight, value in zip(weights, (*measures, 1.0), strict=True))
        sure = 1 / (1 + math.exp(-odds))
        return Guess(flow if sure >= 0.5 else None, sure)

    def measure(self, text: str) -> tuple[str | None, tuple[float, ...]]:
        """The likeliest flow, and what tells how likely it is.

        Scores of this flow, the next one and none; likeness (cosine) to the nearest example of this flow, of none and
        of the other flows; how much of the sentence is known at all.
        """
        vector = self._vectors.vector(text)
        if not self._flows or not len(vector.columns):
            return None, ()
        scores = vector.values @ self._weights[vector.columns]
        none = len(self._flows)
        first, *others = sorted(range(none), key=lambda number: -scores[number])
        nearest = self._nearest(vector)
        return self._flows[first], (
            float(scores[first]),
            float(scores[others[0]]) if others else -1.0,
            float(scores[none]),
            float(nearest[first]),
            float(nearest[none]),
            float(max((nearest[number] for number in others), default=0.0)),
            vector.known,
        )

    def _nearest(self, vector: Vector) -> NDArray[np.float64]:
        """Likeness to the nearest example of each class. Only the examples that share something are looked at."""
        examples = self._examples
        starts = examples.indptr[vector.columns]
        counts = examples.indptr[vector.columns + 1] - starts
        ends = np.cumsum(counts)
        shared = np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
        products = examples.data[shared] * np.repeat(vector.values, counts)
        alike = np.bincount(examples.indices[shared], products, len(self._class))
        nearest = np.full(len(self._flows) + 1, -1.0)
        nearest[self._class[self._begins]] = np.maximum.reduceat(alike, self._begins)
        return nearest


def _fit(rows: sparse.csr_array, classes: NDArray[np.int32], count: int) -> Matrix:
    """The weights of all classes, features x classes: the ridge solution in its dual form.

    With X the rows, Y the signs and C the weights of the rows: W = X' A, where (X X' + ridge / C) A = Y.
    """
    signs = np.where(classes[:, None] == np.arange(count)[None], 1.0, -1.0).astype(np.float32)
    sizes = np.bincount(classes, minlength=count)
    softness = (_RIDGE * count * sizes[classes] / max(len(classes), 1)).astype(np.float32)[:, None]
    # What stands in one example only makes it like itself and no other.
    shared = rows[:, np.bincount(rows.indices, minlength=rows.shape[1]) > 1]
    alone = _squares(rows) - _squares(shared) + softness
    across = shared.T.tocsr()
    solution = np.zeros_like(signs)
    residual = signs.copy()
    direction = residual / (1 + softness)
    agreed = np.einsum("ij,ij->j", residual, direction)
    wanted = _CLOSE_ENOUGH**2 * np.maximum(agreed, 1e-12)
    for _ in range(_STEPS):
        pushed = shared @ (across @ direction) + alone * direction
        step = agreed / np.maximum(np.einsum("ij,ij->j", direction, pushed), 1e-12)
        solution += step * direction
        residual -= step * pushed
        scaled = residual / (1 + softness)
        before, agreed = agreed, np.einsum("ij,ij->j", residual, scaled)
        if np.all(agreed <= wanted):
            break
        direction = scaled + (agreed / np.maximum(before, 1e-12)) * direction
    return np.asarray(rows.T @ solution, dtype=np.float32)


def _squares(rows: sparse.csr_array) -> Matrix:
    return np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float32)[:, None]
