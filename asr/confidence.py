"""Confidence that means what it says: of texts told with 0.8, eight in ten are right. Pure; plain numpy.

What a network believes of itself is fitted to what was right on speech that it had not heard, by logistic regression
(Platt, "Probabilistic Outputs for Support Vector Machines", 1999), once per model; the weights lie in its
`recognition.json`. They hold for speech like that of the fitting and for nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EDGE = 1e-3  # a belief of 0 or 1 has no logit
RIDGE = 1e-2  # keeps the weights finite when everything was right
STEPS = 50


@dataclass(frozen=True)
class Calibration:
    """Weights of the logistic curves; the first is the constant.

    text: logit of the mean probability of the tokens, logit of the least probable word, logarithm of the number of
    words. word: logit of the word's probability, logit of the text's mean, logit of the least probable word beside it.
    """

    text: tuple[float, float, float, float]
    word: tuple[float, float, float, float]

    def of_text(self, mean: float, words: Sequence[float]) -> float:
        """mean: 0..1, geometric mean of the token probabilities. words: the probability of each word."""
        return _curve(self.text, text_features(mean, words))

    def of_words(self, mean: float, words: Sequence[float]) -> list[float]:
        return [_curve(self.word, features) for features in word_features(mean, words)]


def text_features(mean: float, words: Sequence[float]) -> list[float]:
    return [logit(mean), logit(min(words, default=mean)), math.log(max(1, len(words)))]


def word_features(mean: float, words: Sequence[float]) -> list[list[float]]:
    rows = []
    for index, word in enumerate(words):
        beside = [*words[max(0, index - 1) : index], *words[index + 1 : index + 2]]
        rows.append([logit(word), logit(mean), logit(min(beside, default=mean))])
    return rows


def logit(probability: float) -> float:
    clipped = min(1 - EDGE, max(EDGE, probability))
    return math.log(clipped / (1 - clipped))


def _curve(weights: Sequence[float], features: Sequence[float]) -> float:
    total = weights[0] + sum(weight * feature for weight, feature in zip(weights[1:], features, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def fit(features: Floats, right: NDArray[np.bool_]) -> Floats:
    """Weights, the constant first, by Newton's method on the penalised likelihood. features: (n, k), right: (n,)."""
    columns = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(columns.shape[1])
    penalty = RIDGE * len(columns) / 100 * np.eye(columns.shape[1])
    for _ in range(STEPS):
        predicted = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
        gradient = columns.T @ (right - predicted) - penalty @ weights
        curvature = columns.T @ (columns * (predicted * (1 - predicted))[:, np.newaxis]) + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights


@dataclass(frozen=True)
class Bin:
    """Of `count` predictions around `confidence`, the share `right` was right."""

    confidence: float
    right: float
    count: int


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """Equal widths of confidence; empty ones are left out."""
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[index == one].mean()), float(right[index == one].mean()), int((index == one).sum()))
        for one in range(bins)
        if (index == one).any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: how far confidence is from the share that was right, on average."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / max(1, total)
