"""What the callers of `benchmarks.turns` say, and where they pause: drawn from a seed, nothing of it is sound yet.

A turn answers one question of the benchmark's bot. Six turns in ten are Polish, the rest English. How it is said:

    whole       without a pause
    unfinished  stopped where the sentence is open ("chciałbym zapytać o ... moje zamówienie")
    hesitation  the same, with "yyy" or "um" in the gap, after a pause of its own or run on to the words
    lead        first "zaraz sprawdzę", "hmm" or "numer to", a pause, then the answer
    groups      a number in groups of one to three digits
    adds        a complete answer, a pause, something more ("tak ... zgadza się")
    trailing    a complete answer with a hesitation run on to it, a pause, something more

Pauses are log-normal, drawn again outside 200 to 1500 ms; `PAUSES` holds the medians. The voice rises before 85 % of
the inner pauses (before 30 % of those that follow a complete answer) and before 10 % of the ends of turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from asr.training import numbers

WORDS = Path(__file__).with_name("turns_words.yaml")
POLISH = 0.6
CONDITIONS = ("clean", "noise", "loss")
NOISE_DB = (-15.0, -10.0)

# Questions of the bot, how often each is answered, and the kind of answer that the flow waits for.
QUESTIONS = {
    "intent": (25, "intent"), "yes_no": (10, "yes_no"), "confirm": (10, "yes_no"), "choice": (10, "choice"),
    "order_number": (15, "digits"), "phone": (9, "digits"), "pesel": (6, "digits"),
    "name": (5, "free"), "day": (5, "free"), "description": (5, "free"),
}  # fmt: skip
DIGITS = {"order_number": 6, "phone": 9, "pesel": 11}
# How turns are said, by kind of answer.
SHAPES = {
    "intent": {"whole": 35, "unfinished": 20, "hesitation": 15, "lead": 10, "adds": 10, "trailing": 10},
    "yes_no": {"whole": 70, "lead": 12, "adds": 12, "trailing": 6},
    "choice": {"whole": 50, "unfinished": 15, "hesitation": 10, "lead": 15, "adds": 5, "trailing": 5},
    "digits": {"whole": 20, "groups": 60, "lead": 20},
    "free": {"whole": 40, "unfinished": 25, "hesitation": 15, "lead": 10, "adds": 5, "trailing": 5},
}
# Median of the pause in ms and the spread of its logarithm.
PAUSES = {
    "unfinished": (600, 0.5), "hesitation": (500, 0.5), "lead": (800, 0.5), "groups": (500, 0.5),
    "adds": (500, 0.4), "trailing": (600, 0.5),
}  # fmt: skip
SHORTEST_MS, LONGEST_MS = 200, 1500
RUN_ON_MS = 80  # between words and a hesitation without a pause
RISES, RISES_COMPLETE, RISES_AT_END = 0.85, 0.3, 0.1


@dataclass(frozen=True)
class Piece:
    """Words in one breath, and the silence behind them; 0 behind the last. slow: a hesitation, drawn out."""

    text: str
    pause_ms: int
    rises: bool
    slow: bool = False


@dataclass(frozen=True)
class Turn:
    """noise_db is relative to the speech; `seed` decides voice, noise and loss."""

    question: str
    language: str
    shape: str
    pieces: tuple[Piece, ...]
    condition: str
    noise_db: float
    noise_kind: int
    seed: int

    @property
    def kind(self) -> str:
        return QUESTIONS[self.question][1]

    def __str__(self) -> str:
        said = [f"{piece.text} [{piece.pause_ms}]" if piece.pause_ms else piece.text for piece in self.pieces]
        return f"{self.question}, {self.shape}, {self.condition}: {' '.join(said)}"


def turns(count: int, seed: int) -> list[Turn]:
    """Turn `i` depends on the seed and on `i` alone: fewer turns are the first of more."""
    words = YAML(typ="safe").load(WORDS)
    return [_turn(index, Random(f"{seed}/{index}"), words) for index in range(count)]


def _turn(index: int, rng: Random, words: Mapping[str, Any]) -> Turn:
    language = "pl" if rng.random() < POLISH else "en"
    question = _weighted({name: weight for name, (weight, _) in QUESTIONS.items()}, rng)
    shape = _weighted(SHAPES[QUESTIONS[question][1]], rng)
    pieces = _Caller(words[language], language, rng).answer(question, shape)
    return Turn(
        question,
        language,
        shape,
        tuple(pieces),
        CONDITIONS[index % len(CONDITIONS)],
        noise_db=rng.uniform(*NOISE_DB),
        noise_kind=rng.randrange(4),
        seed=rng.randrange(2**31),
    )


class _Caller:
    """One caller with the words of a language."""

    def __init__(self, words: Mapping[str, Any], language: str, rng: Random) -> None:
        self._words, self._language, self._rng = words, language, rng

    def answer(self, question: str, shape: str) -> list[Piece]:
        if question in DIGITS:
            return self._number(DIGITS[question], shape)
        parts, more = self._sentence(question, shape)
        whole = " ".join(parts)
        match shape:
            case "whole":
                return [self._last(whole)]
            case "unfinished":
                return [*(self._inner(part, shape) for part in parts[:-1]), self._last(parts[-1])]
            case "hesitation":
                before = self._inner(parts[0], shape) if self._rng.random() < 0.5 else Piece(parts[0], RUN_ON_MS, True)
                return [before, self._hesitation(shape), self._last(" ".join(parts[1:]))]
            case "lead":
                return [self._lead("fillers"), self._last(whole)]
            case "adds":
                return [self._inner(whole, shape, RISES_COMPLETE), self._last(more)]
            case _:
                return [Piece(whole, RUN_ON_MS, True), self._hesitation(shape), self._last(more)]

    def _sentence(self, question: str, shape: str) -> tuple[list[str], str]:
        """Its parts, and what is added to it."""
        needed = {"unfinished": "/", "hesitation": "/", "adds": "+", "trailing": "+"}.get(shape, "")
        line = self._rng.choice([line for line in self._words["answers"][question] if needed in line])
        filled = line.format_map({name: self._rng.choice(of) for name, of in self._words["lists"].items()})
        answer, _, more = filled.partition("+")
        return [part.strip() for part in answer.split("/")], more.strip()

    def _number(self, length: int, shape: str) -> list[Piece]:
        groups = [self._spoken(size) for size in self._sizes(length)]
        if shape == "whole":
            return [self._last(" ".join(groups))]
        said = [*(self._inner(group, "groups") for group in groups[:-1]), self._last(groups[-1])]
        if shape == "groups":
            return said
        return [self._lead("number" if self._rng.random() < 0.5 else "searches"), *said]

    def _sizes(self, length: int) -> list[int]:
        """Half of the callers keep to one size of group."""
        steady = self._rng.choice([2, 3]) if self._rng.random() < 0.5 else None
        sizes: list[int] = []
        while (left := length - sum(sizes)) > 0:
            sizes.append(min(left, steady or self._rng.randint(1, 3)))
        return sizes

    def _spoken(self, size: int) -> str:
        """Digit by digit, or (four groups in ten that do not begin with a zero) as one number."""
        group = "".join(self._rng.choice("0123456789") for _ in range(size))
        if group[0] != "0" and self._rng.random() < 0.4:
            return numbers.cardinal(int(group), self._language)
        return numbers.digits(group, self._language, self._rng)

    def _inner(self, text: str, pause: str, rises: float = RISES) -> Piece:
        return Piece(text, self._pause_ms(pause), self._rng.random() < rises)

    def _last(self, text: str) -> Piece:
        return Piece(text, 0, self._rng.random() < RISES_AT_END)

    def _hesitation(self, pause: str) -> Piece:
        return Piece(self._rng.choice(self._words["hesitations"]), self._pause_ms(pause), True, slow=True)

    def _lead(self, words: str) -> Piece:
        if self._rng.random() < 0.3:
            return self._hesitation("lead")
        return self._inner(self._rng.choice(self._words[words]), "lead")

    def _pause_ms(self, pause: str) -> int:
        median, spread = PAUSES[pause]
        while True:
            drawn = round(self._rng.lognormvariate(math.log(median), spread))
            if SHORTEST_MS <= drawn <= LONGEST_MS:
                return drawn


def _weighted(weights: Mapping[str, int], rng: Random) -> str:
    names: Sequence[str] = list(weights)
    return rng.choices(names, list(weights.values()))[0]
