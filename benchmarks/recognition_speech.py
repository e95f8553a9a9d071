"""Synthetic telephone speech that the demo model was not trained on, for the benchmarks of hearing.

Texts: the sentences that no training of the demo model has heard (`asr/training/texts/*/unseen.txt`), the held-out
shapes of its grammar, its phrases; voices are those held out of the training. The synthesiser is GPL-3, so it runs in a
process of its own (`python -m benchmarks.recognition_speech SPEC OUT`); what it made is kept in a temporary folder
under the hash of what was asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.training import channel
from asr.training.corpus import Corpus
from benchmarks.rendered import rendered

RATE = 8000
FORMAT = 3  # bump it when the same saying gives other sounds
TRAINING_SEED = 1  # of the demo model; it chooses among the unseen texts

Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Saying:
    """One utterance to be made. noise_db: relative to the speech, level_db: its peak, both relative to full scale."""

    language: str
    text: str
    seed: int
    noise_db: float | None = None
    noise_kind: int = 0
    level_db: float = -8.0
    margin_s: float = 0.25


@dataclass(frozen=True)
class Spoken:
    """`audio`: 8 kHz, 16-bit mono, with `margin_s` of the line before and after the words."""

    saying: Saying
    audio: bytes


def sayings(kind: str, per_language: int, *, second_half: bool = False) -> list[Saying]:
    """kind: sentences, shapes or phrases. The two halves share no text."""
    chosen: list[Saying] = []
    prompts = Corpus(TRAINING_SEED).tests(2 * per_language)[kind]
    for language in ("pl", "en"):
        texts = [prompt.text for prompt in prompts if prompt.language == language]
        half = texts[len(texts) // 2 :] if second_half else texts[: len(texts) // 2]
        chosen += [Saying(language, text, index) for index, text in enumerate(half)]
    return chosen


def render(wanted: Sequence[Saying]) -> list[Spoken]:
    """Makes them all in one child process, or takes them from the last run."""
    asked = {"format": FORMAT, "sayings": [asdict(saying) for saying in wanted]}
    with np.load(rendered("benchmarks.recognition_speech", "speech", asked)) as sounds:
        return [Spoken(saying, sounds[str(index)].tobytes()) for index, saying in enumerate(wanted)]


def with_noise(wanted: Sequence[Saying], noise_db: float) -> list[Saying]:
    """The same sayings in noise of four kinds, one after the other."""
    return [replace(saying, noise_db=noise_db, noise_kind=index % 4) for index, saying in enumerate(wanted)]


def with_loss(audio: bytes, share: float, seed: int) -> bytes:
    """Frames of 20 ms lost at random and concealed as in a call."""
    from telephony.concealment import Concealer

    random, concealer = np.random.default_rng(seed), Concealer(RATE)
    size = 2 * RATE // 50
    frames = [audio[start : start + size] for start in range(0, len(audio) - size + 1, size)]
    return b"".join(concealer.missing() if random.random() < share else concealer.received(frame) for frame in frames)


def _make(specification: Path, output: Path) -> None:
    from asr.training.voices import Espeak, draw_manner

    espeak = Espeak()
    sounds: dict[str, Pcm] = {}
    for index, entry in enumerate(json.loads(specification.read_text(encoding="utf-8"))["sayings"]):
        saying = Saying(**entry)
        random = np.random.default_rng([saying.seed, len(saying.text)])
        speech = espeak.say(saying.text, draw_manner(saying.language, random, held_out=True))
        line = channel.Line(
            speed=1.0,
            lead_s=saying.margin_s,
            trail_s=saying.margin_s,
            band_hz=(300.0, 3400.0),
            noise_db=saying.noise_db,
            noise_kind=saying.noise_kind,
            level_db=saying.level_db,
            overdrive=1.0,
            law="a",
        )
        signal, _, _ = channel.transmit(speech.samples, speech.sample_rate, line, random)
        sounds[str(index)] = (np.clip(signal[::2], -1, 1) * 32767).astype(np.int16)  # it went through 8 kHz already
    np.savez(output, allow_pickle=False, **sounds)


if __name__ == "__main__":
    _make(Path(sys.argv[1]), Path(sys.argv[2]))
