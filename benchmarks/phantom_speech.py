"""Hard synthetic speech on a telephone line: soft, short, noisy or with lost frames, in calls of a dozen utterances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from asr.audio import from_pcm
from benchmarks.recognition_speech import RATE, Saying, Spoken, render, sayings, with_loss
from benchmarks.sounds import Random, Sound, over_the_line

KINDS = ("soft", "short", "noisy", "lossy")
WORDS = {
    "pl": "tak nie halo słucham konsultant zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć".split(),
    "en": "yes no hello okay agent zero one two three four five six seven eight nine".split(),
}
PER_CALL = 12
UTTERANCE_S = 4.5  # of line, on average: how many fit into the time that was asked for
LEAST_GAP_S, MOST_GAP_S = 1.2, 2.2  # longer than the pause that ends a turn
TEXTS = 200  # of each set and language; drawn from again when they do not last


@dataclass(frozen=True)
class Utterance:
    """`start` and `end`: samples of the call in which the words lie."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Call:
    language: str
    pcm: bytes
    utterances: tuple[Utterance, ...]

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE


def calls(minutes: float, seed: int) -> Iterator[Call]:
    """The four kinds in turn, Polish and English calls one after the other."""
    number = max(1, round(minutes * 60 / UTTERANCE_S / PER_CALL))
    wanted = [
        _draw(KINDS[index % len(KINDS)], ("pl", "en")[index // PER_CALL % 2], seed, index)
        for index in range(number * PER_CALL)
    ]
    spoken = render(wanted)
    for call in range(number):
        chosen = spoken[call * PER_CALL : (call + 1) * PER_CALL]
        yield _call(chosen, np.random.default_rng([seed, 2, call]))


def crowd() -> list[Saying]:
    """Voices for babble, without silence around them."""
    texts = [(language, text) for language in ("pl", "en") for text in _texts(language)[::20]]
    return [Saying(language, text, index, margin_s=0.0) for index, (language, text) in enumerate(texts)]


def _draw(kind: str, language: str, seed: int, index: int) -> Saying:
    random = np.random.default_rng([seed, 1, index])
    texts = WORDS[language] if kind == "short" else _texts(language)
    saying = Saying(language, texts[int(random.integers(len(texts)))], 100_000 * seed + index, noise_db=-35.0)
    if kind == "soft":
        return replace(saying, level_db=float(random.uniform(-38, -28)))
    saying = replace(saying, level_db=float(random.uniform(-20, -6)))
    if kind == "noisy":
        loud, colour = float(random.uniform(-15, -5)), int(random.integers(4))
        return replace(saying, noise_db=loud, noise_kind=colour, margin_s=1.0)
    return saying


@cache
def _texts(language: str) -> list[str]:
    chosen = sayings("phrases", TEXTS) + sayings("sentences", TEXTS)
    return [saying.text for saying in chosen if saying.language == language]


def _call(spoken: Sequence[Spoken], random: Random) -> Call:
    parts: list[Sound] = []
    utterances = []
    position = 0
    for index, one in enumerate(spoken):
        gap = _line(random.uniform(LEAST_GAP_S, MOST_GAP_S), random)
        kind = KINDS[index % len(KINDS)]
        lost = float(random.uniform(0.03, 0.1)) if kind == "lossy" else 0.0
        sound = from_pcm(with_loss(one.audio, lost, one.saying.seed))
        margin = int(one.saying.margin_s * RATE)
        start = position + len(gap) + margin
        utterances.append(Utterance(kind, one.saying.text, start, start + len(sound) - 2 * margin))
        parts += [gap, sound]
        position += len(gap) + len(sound)
    parts.append(_line(MOST_GAP_S, random))
    return Call(spoken[0].saying.language, over_the_line(np.concatenate(parts)), tuple(utterances))


def _line(seconds: float, random: Random) -> Sound:
    """A quiet line: hiss at -66 dBFS."""
    return (0.0005 * random.standard_normal(int(seconds * RATE))).astype(np.float32)
