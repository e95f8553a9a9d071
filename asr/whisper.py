"""The network itself: pieces of sound in, the best hypothesis of each out. Blocking; knows nothing of requests.

Features, tokenizer and word alignment are faster-whisper's; the encoder is called directly so that a model trained for
it gets a window of 10 s and not of 30 (25 ms on a CPU instead of 400 for the demo model), and several pieces at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from asr.audio import MODEL_RATE, Floats
from asr.device import Device
from asr.errors import ModelUnusable
from asr.guard import plain
from asr.models import ModelFiles
from asr.recogniser import Word

WHISPER_WINDOW_S = 30.0
TOKENS_PER_S = 12  # more than fast speech needs in any language
# A hypothesis is nearly as probable as the best when its mean log-probability is at most so much lower. Of such ones
# that which the flow waits for wins; the others are handed on as alternatives.
NEARLY = 0.25
# What a start-up measurement decodes: an answer of a usual length.
TRIAL_S = 2.0
TRIAL_TOKENS = 12


@dataclass(frozen=True)
class Heard:
    """The best hypothesis for one piece. log_prob: mean over its tokens and the end. Times from the piece's start.

    others: texts nearly as probable, the most probable first, each with its log_prob.
    rejected: why its text was thrown away, if it was.
    """

    text: str
    language: str
    log_prob: float
    no_speech: float
    tokens: int
    words: tuple[Word, ...]
    others: tuple[tuple[str, float], ...] = ()
    rejected: str = ""


class Network:
    """Raises ModelUnusable when the model cannot be loaded. threads: of the CPU, 0 lets CTranslate2 choose (4)."""

    def __init__(self, files: ModelFiles, device: Device, *, threads: int = 0, beam: int = 5) -> None:
        self.card, self.beam = files.card, beam
        try:
            self._whisper: Any = WhisperModel(
                str(files.folder), device=device.kind, compute_type=device.compute_type, cpu_threads=threads
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelUnusable(f"The model in {files.folder} cannot be loaded: {error}") from error
        self._model: Any = self._whisper.model
        self._tokenizers: dict[str, Any] = {}
        self.languages: tuple[str, ...] = files.card.languages or tuple(self._whisper.supported_languages)

    def window_frames(self, audio_s: float) -> int:
        """Feature frames that a piece of that length is padded to; pieces of one batch share it."""
        window_s = min(WHISPER_WINDOW_S, max(self.card.window_s, self.card.window_per_audio * audio_s))
        return math.ceil(window_s) * int(self._whisper.frames_per_second)

    def decode(
        self, pieces: Sequence[Floats], languages: Sequence[str], hints: Sequence[tuple[str, ...]]
    ) -> list[Heard]:
        """Best hypothesis of each piece (16 kHz, -1..1), all of them in one batch padded to the longest one's window.

        languages: the one that is spoken, or those to choose from; the same for all pieces. hints: for each piece.
        """
        window = self.window_frames(max(len(piece) for piece in pieces) / MODEL_RATE)
        features = [self._whisper.feature_extractor(piece)[:, :window] for piece in pieces]
        frames = [feature.shape[1] for feature in features]
        padded = np.stack([np.pad(feature, ((0, 0), (0, window - feature.shape[1]))) for feature in features])
        encoded = self._encode(padded)
        spoken = self._spoken(encoded, languages, len(pieces))
        longest = max(len(piece) for piece in pieces) / MODEL_RATE
        heard: dict[int, Heard] = {}
        for language in dict.fromkeys(spoken):
            members = [index for index, one in enumerate(spoken) if one == language]
            part = encoded if len(members) == len(pieces) else self._encode(padded[members])
            found = self._search(part, language, [hints[i] for i in members], [frames[i] for i in members], longest)
            heard.update(zip(members, found, strict=True))
        return [heard[index] for index in range(len(pieces))]

    def _encode(self, features: Floats) -> Any:
        return self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)))

    def _spoken(self, encoded: Any, languages: Sequence[str], count: int) -> list[str]:
        """The language of each piece: the only one allowed, or the allowed one that the model believes in most."""
        if len(languages) == 1 or not self._model.is_multilingual:
            return [languages[0]] * count
        believed = [
            {token[2:-2]: probability for token, probability in ranking}
            for ranking in self._model.detect_language(encoded)
        ]
        return [max(languages, key=lambda code: ranking.get(code, 0.0)) for ranking in believed]

    def _search(
        self, encoded: Any, language: str, hints: Sequence[tuple[str, ...]], frames: Sequence[int], longest_s: float
    ) -> list[Heard]:
        """Beam search, choice among what it found, and word times from the attention of the alignment heads."""
        tokenizer = self._tokenizer(language)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        results = self._model.generate(
            encoded,
            [prompt] * len(frames),
            beam_size=self.beam,
            patience=self.card.patience,
            num_hypotheses=self.beam,
            max_length=len(prompt) + 16 + int(TOKENS_PER_S * longest_s),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=False,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
        )
        found, tokens = [], []
        for result, expected in zip(results, hints, strict=True):
            log_probs = [_log_prob(*pair) for pair in zip(result.scores, result.sequences_ids, strict=True)]
            texts = [tokenizer.decode(ids).strip() for ids in result.sequences_ids]
            best, others = choose(texts, log_probs, expected)
            tokens.append([token for token in result.sequences_ids[best] if token < tokenizer.eot])
            no_speech = float(result.no_speech_prob)
            others_told = tuple((texts[index], log_probs[index]) for index in others)
            found.append(Heard(texts[best], language, log_probs[best], no_speech, len(tokens[-1]), (), others_told))
        words = self._words(tokenizer, tokens, encoded, frames)
        return [replace(one, words=aligned) for one, aligned in zip(found, words, strict=True)]

    def _words(
        self, tokenizer: Any, tokens: Sequence[list[int]], encoded: Any, frames: Sequence[int]
    ) -> list[tuple[Word, ...]]:
        if not any(tokens):
            return [()] * len(tokens)
        # An empty text cannot be aligned, but must hold its place in the batch.
        placed = [one or [tokenizer.eot - 1] for one in tokens]
        aligned = self._whisper.find_alignment(tokenizer, placed, encoded, list(frames))
        return [
            tuple(
                Word(entry["word"].strip(), float(entry["start"]), float(entry["end"]), float(entry["probability"]))
                for entry in (entries if one else ())
                if entry["word"].strip()
            )
            for one, entries in zip(tokens, aligned, strict=True)
        ]

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._whisper.hf_tokenizer, self._model.is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def trial_s(self, size: int) -> float:
        """Seconds for a batch of `size` made-up answers of two seconds and twelve tokens each, words aligned."""
        tokenizer = self._tokenizer(self.languages[0])
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        window = self.window_frames(TRIAL_S)
        features = np.random.default_rng(1).standard_normal((size, self._model.n_mels, window)).astype(np.float32)
        started = time.perf_counter()
        encoded = self._encode(features)
        results = self._model.generate(
            encoded,
            [prompt] * size,
            beam_size=self.beam,
            patience=self.card.patience,
            max_length=len(prompt) + TRIAL_TOKENS,
            suppress_blank=False,
            suppress_tokens=[tokenizer.eot],  # none may end early
        )
        tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
        self._words(tokenizer, tokens, encoded, [window // 2] * size)
        return time.perf_counter() - started


def _log_prob(score: float, tokens: Sequence[int]) -> float:
    """Mean over the tokens and the end; CTranslate2's score is divided by the tokens alone."""
    return score * len(tokens) / (len(tokens) + 1)


def choose(texts: Sequence[str], log_probs: Sequence[float], hints: Sequence[str]) -> tuple[int, list[int]]:
    """Indices of the hypothesis to believe and of the others nearly as probable, the most probable first.

    Believed is the most probable, or one that is nearly as probable and was expected.
    """
    ranked = sorted(range(len(texts)), key=lambda index: -log_probs[index])
    near = [index for index in ranked if log_probs[ranked[0]] - log_probs[index] <= NEARLY]
    expected = {plain(hint) for hint in hints}
    best = next((index for index in near if plain(texts[index]) in expected), ranked[0])
    different = {plain(texts[index]): index for index in reversed(near)}  # the most probable of those that read alike
    different.pop(plain(texts[best]))
    return best, [index for index in near if index in different.values() and plain(texts[index])]
