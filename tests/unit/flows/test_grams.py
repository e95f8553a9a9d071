"""Sentences as vectors: what counts as the same, and what is known of a new sentence."""

from __future__ import annotations

import numpy as np
import pytest

from flows.grams import Vectors

SENTENCES = ["where is my parcel", "where is my parcel now", "i want to return two pairs of shoes", "order {number}"]


@pytest.fixture
def vectors() -> Vectors:
    return Vectors(SENTENCES, "en")


def test_a_learnt_sentence_is_its_own_row(vectors: Vectors) -> None:
    for row, sentence in zip(vectors.rows.toarray(), SENTENCES, strict=True):
        vector = vectors.vector(sentence)
        there = np.zeros_like(row)
        there[vector.columns] = vector.values
        assert there == pytest.approx(row, abs=1e-6)
        assert vector.known == 1.0
        assert np.linalg.norm(row) == pytest.approx(1.0)


def test_numbers_are_alike(vectors: Vectors) -> None:
    likeness = vectors.rows @ _dense(vectors, "order one two three four")
    assert likeness[3] == pytest.approx(1.0)
    assert max(likeness[:3]) < 0.1


def test_what_was_never_seen_makes_a_sentence_less_known(vectors: Vectors) -> None:
    likeness = [vectors.vector(said).known for said in ("where is my parcel", "where is my parsel", "who is grandma")]
    assert likeness == sorted(likeness, reverse=True)
    assert len(set(likeness)) == 3
    assert vectors.vector("xyzzy").known < 0.1
    nothing = vectors.vector("...")
    assert (len(nothing.columns), nothing.known) == (0, 0.0)


def test_contractions_are_their_words() -> None:
    vectors = Vectors(["i am not sure that it is mine", "where is it"], "en")
    for said in ("I'm not sure that it's mine", "im not sure that its mine"):
        assert (vectors.rows @ _dense(vectors, said))[0] == pytest.approx(1.0)


def test_order_counts(vectors: Vectors) -> None:
    learnt, turned = (vectors.rows[0] @ _dense(vectors, said) for said in ("where is my parcel", "parcel my is where"))
    assert turned < learnt


def test_nothing_is_learnt_of_nothing() -> None:
    assert Vectors([], "en").vector("where is my parcel").known == 0.0


def _dense(vectors: Vectors, sentence: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = vectors.vector(sentence)
    dense = np.zeros(vectors.rows.shape[1], np.float32)
    dense[vector.columns] = vector.values
    return dense
