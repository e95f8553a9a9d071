"""Works out how sure the intent classifier may be: the constants `_SURE_...` of `flows.intents`, on the tuning set."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import flows
from benchmarks.understanding_corpus import SET, STARTERS, utterances
from flows.intents import IntentClassifier
from flows.phrasebook import other_sentences

SIZES = (12, 40, None)  # examples a flow: bots are younger than the starters
WHOLE = 3.0  # times the weight of bots with all their examples
_STEPS, _RIDGE = 30, 0.05  # of Newton's method


Numbers = NDArray[np.float64]


def fit() -> str:
    """The constants, as they are written there. A logistic regression, by Newton's method."""
    rows = [row for most in SIZES for row in _rows(most)]
    measures = np.array([[*values, *(learned * value for value in values)] for values, learned, _, _ in rows])
    right = np.array([right for *_, right, _ in rows], dtype=float)
    weights = np.array([weight for *_, weight in rows])
    little, more = np.split(_regress(measures, right, weights), 2)
    constants = {"_SURE_LITTLE": little, "_SURE_MUCH": little + more}
    return "\n".join(f"{name} = ({', '.join(f'{value:.2f}' for value in each)})" for name, each in constants.items())


def _rows(most: int | None) -> Iterator[tuple[tuple[float, ...], float, bool, float]]:
    """What is measured of each guess, and 1; how much was learned; whether the guess is right; its weight.

    Of utterances with one wish or none.
    """
    for name, said in utterances(SET.with_name("understanding_tuning")).items():
        bot = flows.load_bot(STARTERS / name)
        entries = {flow.name for flow in bot.flows.values() if flow.entry}
        for language in bot.languages:
            choose = random.Random(0)
            few = {
                flow: choose.sample(sentences, min(most or len(sentences), len(sentences)))
                for flow in sorted(entries)
                if (sentences := bot.flows[flow].examples.get(language, []))
            }
            not_served = list(bot.not_served.get(language, ()))
            refused = choose.sample(not_served, min(most or len(not_served), len(not_served)))
            classifier = IntentClassifier(few, [*other_sentences(language), *refused], language)
            for one in said:
                wishes = {wish for reading in one.readings for wish in reading}
                if one.language != language or len(one.readings[0]) > 1 or not wishes <= few.keys():
                    continue
                flow, measures = classifier.measure(one.text)
                if flow is not None:
                    yield (*measures, 1.0), classifier.learned, (flow,) in one.readings, WHOLE if most is None else 1.0


def _regress(rows: Numbers, right: Numbers, weights: Numbers) -> Numbers:
    found = np.zeros(rows.shape[1])
    ridge = np.diag([*([_RIDGE] * (rows.shape[1] - 1)), 0.0])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weights * (chance - right)) + ridge @ found
        curvature = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + ridge
        found -= np.linalg.solve(curvature, slope)
    return found
