"""Word and character error rates of a model folder on held-out speech, through the unmodified faster-whisper."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from asr.training.corpus import Corpus, Prompt
from asr.training.grammar import LANGUAGES
from asr.training.recordings import Sound, speak
from asr.training.voices import Espeak

# Ten seconds of speech have less than a hundred tokens; an untrained model would go on for 448.
_OPTIONS = {
    "without_timestamps": True,
    "condition_on_previous_text": False,
    "temperature": 0.0,
    "max_new_tokens": 100,
}
_LONGEST_S = 9.9


@dataclass(frozen=True)
class Heard:
    """What was said and what came back."""

    said: str
    recognised: str


@dataclass(frozen=True)
class Score:
    """Rates in percent. `exact`: share of utterances without any error."""

    utterances: int
    word_error_rate: float
    character_error_rate: float
    exact: float


def score(heard: Sequence[Heard]) -> Score:
    word_errors = sum(Levenshtein.distance(h.said.split(), h.recognised.split()) for h in heard)
    character_errors = sum(Levenshtein.distance(h.said, h.recognised) for h in heard)
    return Score(
        utterances=len(heard),
        word_error_rate=_percent(word_errors, sum(len(h.said.split()) for h in heard)),
        character_error_rate=_percent(character_errors, sum(len(h.said) for h in heard)),
        exact=_percent(sum(h.said == h.recognised for h in heard), len(heard)),
    )


def normalised(text: str) -> str:
    """Lower-case words without punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def recognise(model: WhisperModel, signal: NDArray[np.float32], language: str, beam: int = 5) -> str:
    segments, _ = model.transcribe(signal, language=language, beam_size=beam, **_OPTIONS)
    return normalised(" ".join(segment.text for segment in segments))


def evaluate(
    folder: Path, *, per_set: int, seed: int, beam: int, threads: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Figures by set and language, ready for JSON.

    Sets: known_voices (new sentences, trained voices), new_voices, new_shapes (sentence shapes and voices never
    trained), phrases (said alone, new voices), silence. The sounds depend on `seed` alone, so figures compare.
    """
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
    started, figures = time.monotonic(), dict[str, Any]()
    for name, language, sounds in test_sounds(Corpus(seed), per_set):
        heard = [Heard(text, recognise(model, sound.signal, language, beam)) for text, sound in sounds]
        if name == "silence":
            wordy = sum(bool(h.recognised) for h in heard)
            figures.setdefault(name, {})[language] = {"utterances": len(heard), "not_empty": wordy}
            continue
        result = score(heard)
        figures.setdefault(name, {})[language] = {
            "utterances": result.utterances,
            "wer": result.word_error_rate,
            "cer": result.character_error_rate,
            "exact": result.exact,
            "wrong": [[h.said, h.recognised] for h in heard if h.said != h.recognised][:5],
        }
        say(f"evaluation: {name} {language}  WER {result.word_error_rate} %  CER {result.character_error_rate} %")
    return {"model": str(folder), "seed": seed, "beam": beam, "sets": figures, "seconds": _since(started)}


def test_sounds(corpus: Corpus, per_set: int) -> Iterator[tuple[str, str, list[tuple[str, Sound]]]]:
    """Name, language and sounds (with their texts) of every test set."""
    espeak = Espeak()
    tests = corpus.tests(2 * per_set)
    for language in LANGUAGES:
        sentences, shapes, phrases = (
            [prompt for prompt in tests[name] if prompt.language == language]
            for name in ("sentences", "shapes", "phrases")
        )
        for number, (name, prompts, held_out) in enumerate(
            [
                ("known_voices", sentences[:per_set], False),
                ("new_voices", sentences[per_set:], True),
                ("new_shapes", shapes[:per_set], True),
                ("phrases", phrases[:per_set], True),
                ("silence", [Prompt(language, "")] * (per_set // 2), True),
            ]
        ):
            random = np.random.default_rng([corpus.seed, LANGUAGES.index(language), number])
            sounds = [(prompt.text, speak(espeak, prompt, random, held_out=held_out)) for prompt in prompts]
            yield name, language, [(text, sound) for text, sound in sounds if len(sound.signal) <= _LONGEST_S * 16000]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(1, whole), 2)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)
