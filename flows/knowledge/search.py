"""Finds the passages that answer a question: BM25F over word stems, and a score that means the same for every folder.

The order is that of BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009):
a word counts the more the fewer passages know it, and more in a heading or a listed question than in the text. Its
sums have no fixed scale, so what is compared with the threshold is another figure, the coverage: how much of what the
question is about (its words, weighed by their rarity) the passage knows at all. A word that no passage knows counts as
the rarest of all; if it is much like a known one in its letters, it is taken for a slip of that.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flows.knowledge.lemmas import lemmas, telling, words
from flows.knowledge.passages import Passage
from flows.words import fold

THRESHOLD = 0.55  # coverage below which nothing is found
_K1, _B = 1.2, 0.75
_HEADING, _QUESTION = 2.0, 2.0  # times a word counts that stands there
_ALIKE = 0.6  # of the letter pairs and triples; "reklamacia" has 0.7 of "reklamacja"
_SHORTEST_SLIP = 5  # letters; shorter words are alike too easily
_MOST_WORDS = 60  # of a question; who says more has not asked yet
_TELLING = math.log(4)  # the rarity of a word that a quarter of the passages know


@dataclass(frozen=True)
class Match:
    """A passage, and how much of the question it knows: THRESHOLD to 1."""

    passage: Passage
    score: float


class Search:
    """The index of one language's passages, made once."""

    def __init__(self, passages: Sequence[Passage], language: str) -> None:
        self._passages, self._language = tuple(passages), language
        texts = [telling(passage.text, language) for passage in self._passages]
        average = sum(map(len, texts)) / len(texts) if texts else 1.0
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)  # word, passage: BM25F's weighted frequency
        self._asked: dict[frozenset[str], int] = {}  # all words of a listed question
        self._forms: dict[str, str] = {}  # as written, folded: its stem
        for number, (passage, text) in enumerate(zip(self._passages, texts, strict=True)):
            length = 1 - _B + _B * len(text) / max(average, 1.0)
            self._add(number, text, 1 / length)
            self._add(number, set(telling(" ".join(passage.headings), language)), _HEADING)
            self._add(number, set(telling(" ".join(passage.questions), language)), _QUESTION)
            for question in passage.questions:
                self._asked.setdefault(frozenset(lemmas(question, language)), number)
            for word in words(" ".join((passage.text, *passage.headings, *passage.questions))):
                if stem := next(iter(telling(word, language)), None):
                    self._forms[fold(word)] = stem
        self._grams: dict[str, list[str]] = defaultdict(list)
        for form in self._forms:
            for gram in _grams(form):
                self._grams[gram].append(form)

    def _add(self, number: int, found: Sequence[str] | set[str], weight: float) -> None:
        for word in found:
            self._weights[word][number] = self._weights[word].get(number, 0.0) + weight

    def best(self, question: str, most: int = 3) -> list[Match]:
        """The passages that cover at least THRESHOLD of the question, best first; none where nothing does."""
        said = " ".join(words(question)[:_MOST_WORDS])
        exact = self._asked.get(frozenset(lemmas(said, self._language)))
        sums: Counter[int] = Counter()
        covered: Counter[int] = Counter()
        whole = 0.0
        for word, weight, sure in self._terms(said):
            whole += weight
            for number, frequency in self._weights.get(word, {}).items():
                sums[number] += weight * sure * frequency * (_K1 + 1) / (_K1 + frequency)
                covered[number] += weight * sure
        needed = max(whole * THRESHOLD, min(_TELLING, self._rarity(1)))
        found = [number for number, _ in sums.most_common() if number != exact and covered[number] >= needed]
        matches = [Match(self._passages[number], min(covered[number] / whole, 1.0)) for number in found]
        if exact is not None:
            matches.insert(0, Match(self._passages[exact], 1.0))
        return matches[:most]

    def _terms(self, said: str) -> list[tuple[str, float, float]]:
        """What the question is about: stems, their weight, and how sure it is that they were meant."""
        terms: dict[str, tuple[float, float]] = {}
        for word in words(said):
            for stem in telling(word, self._language):
                if stem in self._weights:
                    terms[stem] = self._rarity(len(self._weights[stem])), 1.0
                elif not stem.isdigit():  # a number of the caller's own says little about what is asked
                    meant, alike = self._slip(fold(word))
                    known = self._weights.get(meant, {})
                    terms.setdefault(meant or stem, (self._rarity(len(known)), alike))
        return [(stem, weight, sure) for stem, (weight, sure) in terms.items()]

    def _rarity(self, known: int) -> float:
        """The inverse document frequency of a word that so many passages know."""
        return math.log(1 + (len(self._passages) - known + 0.5) / (known + 0.5))

    def _slip(self, word: str) -> tuple[str, float]:
        """The stem of the known word that was likely meant, and its likeness (Dice); else ("", 0)."""
        grams = _grams(word)
        if len(word) < _SHORTEST_SLIP or not grams:
            return "", 0.0
        shared = Counter(form for gram in grams for form in self._grams.get(gram, ()))
        likeness = {form: 2 * count / (len(grams) + len(_grams(form))) for form, count in shared.most_common(20)}
        best = max(likeness, key=lambda form: likeness[form], default="")
        return (self._forms[best], likeness[best]) if best and likeness[best] >= _ALIKE else ("", 0.0)


@lru_cache(maxsize=20_000)
def _grams(word: str) -> frozenset[str]:
    padded = f" {word} "
    return frozenset(padded[at : at + size] for size in (2, 3) for at in range(len(padded) - size + 1))
