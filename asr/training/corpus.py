"""Which texts are said: an endless stream in numbered chunks for training, and fixed sets for measuring.

Chunk `i` depends on the seed and on `i` alone: work can be divided, stopped and taken up again without changing a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from asr.training.grammar import LANGUAGES, load

CHUNK = 1000
# 10 s are 500 frames; a text longer than this many characters would not fit at the slowest voice.
LONGEST = 110

# Shares of the stream. Phrases are what callers say alone and what the model hears worst; numbers are where one wrong
# word costs a call; mixed and scrambled words break the habits of the grammar, so that the decoder must listen; silence
# teaches that an empty answer exists.
POLISH = 0.48
SHARES = {"sentence": 0.36, "phrase": 0.2, "number": 0.12, "mixed": 0.18, "scrambled": 0.11, "silence": 0.03}


@dataclass(frozen=True)
class Prompt:
    """One thing to be said; the empty text is a line on which nobody speaks."""

    language: str
    text: str


class Corpus:
    """`size`: prompts in a chunk."""

    def __init__(self, seed: int, size: int = CHUNK) -> None:
        self.seed, self.size = seed, size
        self._grammars = {code: load(code) for code in LANGUAGES}
        self._reserved = {(code, text) for code, grammar in self._grammars.items() for text in grammar.unseen}

    def chunk(self, index: int) -> list[Prompt]:
        """`size` prompts for training; no sentence of the test sets is among them."""
        rng = Random(f"{self.seed}/chunk/{index}")
        return [self._prompt(rng) for _ in range(self.size)]

    def tests(self, per_set: int) -> dict[str, list[Prompt]]:
        """What is measured, by set; at most `per_set` prompts for each language.

        sentences: never trained, but of trained shapes; shapes: shapes never trained; phrases: what callers say alone.
        """
        sets: dict[str, list[Prompt]] = {"sentences": [], "shapes": [], "phrases": []}
        for code, grammar in self._grammars.items():
            rng = Random(f"{self.seed}/tests/{code}")
            unseen = rng.sample(grammar.unseen, min(per_set, len(grammar.unseen)))
            sets["sentences"] += [Prompt(code, text) for text in unseen]
            sets["shapes"] += [Prompt(code, text) for text in _distinct(grammar.held_out_sentence, rng, per_set)]
            sets["phrases"] += [Prompt(code, text) for text in _distinct(grammar.phrase, rng, per_set)]
        return sets

    def words(self, chunks: int = 8) -> Counter[str]:
        """How often each word is said in the first chunks; every word of the word lists occurs."""
        counts: Counter[str] = Counter()
        for grammar in self._grammars.values():
            counts.update(dict.fromkeys(grammar.words, 1))
        for index in range(chunks):
            for prompt in self.chunk(index):
                counts.update(prompt.text.split())
        return counts

    def _prompt(self, rng: Random) -> Prompt:
        code = "pl" if rng.random() < POLISH else "en"
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        if kind == "silence":
            return Prompt(code, "")
        grammar = self._grammars[code]
        draw: Callable[[Random], str] = getattr(grammar, kind)
        while True:
            text = draw(rng)
            if len(text) <= LONGEST and (code, text) not in self._reserved:
                return Prompt(code, text)


def _distinct(draw: Callable[[Random], str], rng: Random, count: int) -> list[str]:
    """Up to `count` different texts; fewer when the grammar has no more to say."""
    texts: dict[str, None] = {}
    for _ in range(20 * count):
        text = draw(rng)
        if len(texts) < count and len(text) <= LONGEST:
            texts[text] = None
    return list(texts)
