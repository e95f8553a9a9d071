"""Finds the passages that answer a question: BM25F over word stems, and a score that means the same for every folder.

The order is that of BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009):
a word counts the more the fewer passages know it, and more in a heading or a listed question than in the text. Its
sums have no fixed scale, so what is compared with the threshold is another figure, the coverage: how much of what the
question is about (its words, weighed by their rarity) the passage knows at all. A word that no passage knows counts as
the rarest of all; if it is much like a known one in its letters, it is taken for a slip of that. Who says all of a
listed question and something else besides ("... of the shoes for my daughter") has asked it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flows.knowledge.lemmas import lemmas, telling, words
from flows.knowledge.passages import Passage
from flows.words import fold

THRESHOLD = 0.52  # coverage below which nothing is found
_K1, _B = 1.2, 0.75
_HEADING, _QUESTION, _OUTER_HEADING = 2.0, 2.0, 1.0  # times a word counts that stands there
_MENTIONED = 0.8  # of a word's coverage where only the text has it
_ALIKE = 0.6  # of the letter pairs and triples; "reklamacia" has 0.7 of "reklamacja"
_SHORTEST_SLIP = 5  # letters; shorter words are alike too easily
_MOST_WORDS = 60  # of a question; who says more has not asked yet
_LEAST = math.log(8)  # what a passage has to cover: the rarity of one word that an eighth of the passages know
_CONTAINED = 2  # telling words of a listed question that make it worth more when all of them are said


@dataclass(frozen=True)
class Match:
    """A passage, and how much of the question it knows: THRESHOLD to 1."""

    passage: Passage
    score: float


class Search:
    """The index of one language's passages, made once."""

    def __init__(self, passages: Sequence[Passage], language: str) -> None:
        self._passages, self._language = tuple(passages), language
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)  # word, passage: BM25F's weighted frequency
        self._named: dict[str, set[int]] = defaultdict(set)  # word: passages whose heading or questions have it
        self._asked: dict[frozenset[str], int] = {}  # all words of a listed question
        self._phrases: list[tuple[frozenset[str], int]] = []  # telling words of headings and listed questions
        self._forms: dict[str, str] = {}  # as written, folded: its stem
        texts = [self._telling(passage.text) for passage in self._passages]
        average = max(sum(map(len, texts)) / max(len(texts), 1), 1.0)
        for number, (passage, text) in enumerate(zip(self._passages, texts, strict=True)):
            self._add(number, text, 1 / (1 - _B + _B * len(text) / average))
            self._add_names(number, passage)
        self._known = Counter({word: len(found) for word, found in self._weights.items()})
        for number, passage in enumerate(self._passages):  # they say what a passage is about, not what sets it apart
            self._add(number, set(self._telling(" ".join(passage.headings[:-1]))), _OUTER_HEADING)
        self._least = min(_LEAST, self._rarity(1))
        self._grams: dict[str, list[str]] = defaultdict(list)
        for form in self._forms:
            for gram in _grams(form):
                self._grams[gram].append(form)

    def _telling(self, text: str) -> list[str]:
        found = telling(text, self._language)
        self._forms.update((fold(word), stem) for word, stem in found)
        return [stem for _, stem in found]

    def _add_names(self, number: int, passage: Passage) -> None:
        heading = set(self._telling(" ".join(passage.headings[-1:])))
        asked = set(self._telling(" ".join(passage.questions)))
        self._add(number, heading, _HEADING)
        self._add(number, asked, _QUESTION)
        for word in heading | asked:
            self._named[word].add(number)
        for phrase in (*passage.headings[-1:], *passage.questions):
            if len(stems := frozenset(self._telling(phrase))) >= _CONTAINED:
                self._phrases.append((stems, number))
        for question in passage.questions:
            self._asked.setdefault(frozenset(lemmas(question, self._language)), number)

    def _add(self, number: int, found: Iterable[str], weight: float) -> None:
        for word in found:
            self._weights[word][number] = self._weights[word].get(number, 0.0) + weight

    def best(self, question: str, most: int = 3) -> list[Match]:
        """The passages that cover at least THRESHOLD of the question, best first; none where nothing does."""
        said = " ".join(words(question)[:_MOST_WORDS])
        exact = self._asked.get(frozenset(lemmas(said, self._language)))
        terms = self._terms(said)
        order: dict[int, float] = defaultdict(float)
        covered: dict[int, float] = defaultdict(float)
        for word, weight, sure in terms:
            for number, frequency in self._weights.get(word, {}).items():
                order[number] += weight * sure * frequency * (_K1 + 1) / (_K1 + frequency)
                covered[number] += weight * sure * (1.0 if number in self._named[word] else _MENTIONED)
        whole = sum(weight for _, weight, _ in terms)
        scores = {number: sum_ / whole for number, sum_ in covered.items() if sum_ >= self._least}
        for number in self._contained({word for word, _, _ in terms}) & scores.keys():
            scores[number] = (scores[number] + 1) / 2
        if exact is not None:
            scores[exact], order[exact] = 1.0, whole * (_K1 + 1)
        found = [number for number, score in scores.items() if score >= THRESHOLD]
        found.sort(key=lambda number: -order[number] * scores[number])
        return [Match(self._passages[number], min(scores[number], 1.0)) for number in found[:most]]

    def _contained(self, asked: set[str]) -> set[int]:
        """The passages with a heading or listed question that the question contains, whatever else it says."""
        return {number for phrase, number in self._phrases if phrase <= asked}

    def _terms(self, said: str) -> list[tuple[str, float, float]]:
        """What the question is about: stems, their weight, and how sure it is that they were meant."""
        terms: dict[str, tuple[float, float]] = {}
        for word, stem in telling(said, self._language):
            if stem in self._weights:
                terms[stem] = self._rarity(self._known[stem]), 1.0
            elif not stem.isdigit():  # a number of the caller's own says little about what is asked
                meant, alike = self._slip(fold(word))
                terms.setdefault(meant or stem, (self._rarity(self._known[meant]), alike))
        if all(stem.isdigit() for stem in terms):
            return []
        return [(stem, weight, sure) for stem, (weight, sure) in terms.items()]

    def _rarity(self, known: int) -> float:
        """The inverse document frequency of a word that so many passages know."""
        known = max(known, 1)
        return math.log(1 + (len(self._passages) - known + 0.5) / (known + 0.5))

    def _slip(self, word: str) -> tuple[str, float]:
        """The stem of the known word that was likely meant, and its likeness (Dice); else ("", 0)."""
        grams = _grams(word)
        if len(word) < _SHORTEST_SLIP or not grams:
            return "", 0.0
        shared = Counter(form for gram in grams for form in self._grams.get(gram, ()) if form[0] == word[0])
        likeness = {form: 2 * count / (len(grams) + len(_grams(form))) for form, count in shared.most_common(20)}
        best = max(likeness, key=lambda form: likeness[form], default="")
        return (self._forms[best], likeness[best]) if best and likeness[best] >= _ALIKE else ("", 0.0)


@lru_cache(maxsize=20_000)
def _grams(word: str) -> frozenset[str]:
    padded = f" {word} "
    return frozenset(padded[at : at + size] for size in (2, 3) for at in range(len(padded) - size + 1))
