"""One Whisper model: sound in, transcript out. Blocking, one call at a time; the engine decides whose turn it is.

Features, tokenizer and word alignment are faster-whisper's; the encoder is called directly so that a model trained for
it gets a window of 10 s and not of 30 (25 ms on a CPU instead of 400 for the demo model).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from asr import audio as sound
from asr.audio import MODEL_RATE, TELEPHONE_RATE, Floats
from asr.device import Device
from asr.errors import ModelUnusable, RequestRefused
from asr.guard import invented, plain
from asr.models import ModelFiles
from asr.recogniser import RecognitionRequest, Transcript, Word
from asr.silero import Silero, SpeechCheck

log = logging.getLogger(__name__)

WHISPER_WINDOW_S = 30.0
SHORTEST_S = 0.06
TOKENS_PER_S = 12  # more than fast speech needs in any language
# A hypothesis that the flow waits for wins over a better one when it is nearly as probable (mean log-probability).
HINT_MARGIN = 0.25


class Abandoned(Exception):
    """The request was cancelled between two pieces."""


@dataclass(frozen=True)
class Piece:
    """The text of one window; `reason` says why a text was thrown away as invented."""

    words: tuple[Word, ...]
    text: str
    log_prob: float
    no_speech: float
    tokens: int
    reason: str | None = None


class Decoder:
    """Raises ModelUnusable when the model cannot be loaded. threads: of the CPU, 0 lets CTranslate2 choose (4)."""

    def __init__(self, files: ModelFiles, device: Device, *, threads: int = 0, beam: int = 5) -> None:
        self.files, self.device, self.beam = files, device, beam
        try:
            self._whisper: Any = WhisperModel(
                str(files.folder), device=device.kind, compute_type=device.compute_type, cpu_threads=threads
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelUnusable(f"The model in {files.folder} cannot be loaded: {error}") from error
        self._model: Any = self._whisper.model
        self._tokenizers: dict[str, Any] = {}
        self._speech = SpeechCheck(Silero())

    def warm_up(self) -> None:
        """One decode of a second of nothing: the first is slower, and a missing GPU library shows here."""
        language = self.files.card.languages[0] if self.files.card.languages else "en"
        try:
            self._decode(np.zeros(MODEL_RATE, np.float32), language, ())
        except RuntimeError as error:
            raise ModelUnusable(
                f"The model does not run on {self.device.kind}: {error}",
                "For a GPU install voicebot[gpu]; or set the device to cpu.",
            ) from error

    def transcribe(self, request: RecognitionRequest, is_abandoned: Callable[[], bool] = lambda: False) -> Transcript:
        """Raises RequestRefused, and Abandoned when `is_abandoned` turns true between two pieces."""
        started = time.perf_counter()
        self._check(request)
        prepared = self._prepare(request)
        highest = self._presence(prepared)
        pieces: list[Piece] = []
        if highest is None:
            for start, piece in sound.split(prepared, MODEL_RATE, self.files.card.longest_s):
                if is_abandoned():
                    raise Abandoned
                if len(piece) >= SHORTEST_S * MODEL_RATE:
                    pieces.append(self._piece(piece, start / MODEL_RATE, request))
        return self._joined(request, pieces, highest, time.perf_counter() - started)

    def _check(self, request: RecognitionRequest) -> None:
        if len(request.audio) % 2 or not 8000 <= request.sample_rate <= 48000:
            raise RequestRefused("The audio is not 16-bit PCM at 8000 to 48000 Hz.")
        if request.language not in (self.files.card.languages or self._whisper.supported_languages):
            raise RequestRefused(
                f"The model {self.files.name!r} does not know the language {request.language!r}.",
                "Set another model, or remove the language from the bot.",
            )

    def _prepare(self, request: RecognitionRequest) -> Floats:
        """The request's sound at 16 kHz and at a level that the model knows."""
        samples, rate = sound.from_pcm(request.audio), request.sample_rate
        if self.files.card.narrowband and rate != TELEPHONE_RATE:
            samples, rate = sound.resample(samples, rate, TELEPHONE_RATE), TELEPHONE_RATE
        return sound.levelled(sound.resample(samples, rate, MODEL_RATE))

    def _presence(self, prepared: Floats) -> float | None:
        """None when there is speech; else the highest probability of it that was seen."""
        if len(prepared) < SHORTEST_S * MODEL_RATE:
            return 0.0
        probability = self._speech.probability(prepared, MODEL_RATE)
        return None if probability >= self._speech.threshold else probability

    def _piece(self, piece: Floats, start_s: float, request: RecognitionRequest) -> Piece:
        found = self._decode(piece, request.language, request.hints)
        audio_s = len(piece) / MODEL_RATE
        reason = invented(found.text, log_prob=found.log_prob, no_speech=found.no_speech, audio_s=audio_s)
        if reason is not None:
            if reason != "empty":
                log.info("call %s: text thrown away as invented (%s)", request.call_id, reason)
            return Piece((), "", found.log_prob, found.no_speech, 0, reason)
        words = tuple(
            Word(word.text, start_s + min(word.start_s, audio_s), start_s + min(word.end_s, audio_s), word.confidence)
            for word in found.words
        )
        return Piece(words, found.text, found.log_prob, found.no_speech, found.tokens)

    def _decode(self, piece: Floats, language: str, hints: tuple[str, ...]) -> Piece:
        """Beam search over one window, and word times from the attention of the alignment heads."""
        tokenizer = self._tokenizer(language)
        window = self._window_frames(len(piece) / MODEL_RATE)
        features = self._whisper.feature_extractor(piece)[:, :window]
        frames = features.shape[1]
        features = np.pad(features, ((0, 0), (0, window - frames)))[np.newaxis]
        encoded = self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)))
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=self.beam,
            patience=self.files.card.patience,
            num_hypotheses=self.beam if hints else 1,
            max_length=len(prompt) + 16 + int(TOKENS_PER_S * len(piece) / MODEL_RATE),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=False,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
        )[0]
        log_probs = [_log_prob(*pair) for pair in zip(result.scores, result.sequences_ids, strict=True)]
        texts = [tokenizer.decode(ids).strip() for ids in result.sequences_ids]
        best = choose(texts, log_probs, hints)
        tokens = [token for token in result.sequences_ids[best] if token < tokenizer.eot]
        words = self._words(tokenizer, tokens, encoded, frames)
        return Piece(words, texts[best], log_probs[best], float(result.no_speech_prob), len(tokens))

    def _window_frames(self, audio_s: float) -> int:
        card = self.files.card
        window_s = min(WHISPER_WINDOW_S, max(card.window_s, card.window_per_audio * audio_s))
        return math.ceil(window_s) * int(self._whisper.frames_per_second)

    def _words(self, tokenizer: Any, tokens: list[int], encoded: Any, frames: int) -> tuple[Word, ...]:
        aligned = self._whisper.find_alignment(tokenizer, [tokens], encoded, frames) if tokens else []
        return tuple(
            Word(entry["word"].strip(), float(entry["start"]), float(entry["end"]), float(entry["probability"]))
            for entry in (aligned[0] if aligned else ())
            if entry["word"].strip()
        )

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._whisper.hf_tokenizer, self._model.is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _joined(
        self, request: RecognitionRequest, pieces: Sequence[Piece], highest: float | None, decode_s: float
    ) -> Transcript:
        spoken = [piece for piece in pieces if piece.text]
        tokens = sum(piece.tokens for piece in spoken)
        log_prob = sum(piece.log_prob * piece.tokens for piece in spoken) / tokens if tokens else -math.inf
        no_speech = 1.0 - highest if highest is not None else min((piece.no_speech for piece in pieces), default=1.0)
        return Transcript(
            text=" ".join(piece.text for piece in spoken),
            language=request.language,
            confidence=min(1.0, math.exp(log_prob)),
            no_speech=no_speech,
            words=tuple(word for piece in spoken for word in piece.words),
            audio_s=request.seconds,
            decode_s=decode_s,
            model=self.files.name,
        )


def _log_prob(score: float, tokens: Sequence[int]) -> float:
    """Mean over the tokens and the end; CTranslate2's score is divided by the tokens alone."""
    return score * len(tokens) / (len(tokens) + 1)


def choose(texts: Sequence[str], log_probs: Sequence[float], hints: Sequence[str]) -> int:
    """Index of the hypothesis to believe: the most probable, or one that is nearly as probable and was expected."""
    best = max(range(len(texts)), key=lambda index: log_probs[index])
    expected = {plain(hint) for hint in hints}
    for index in sorted(range(len(texts)), key=lambda index: -log_probs[index]):
        if plain(texts[index]) in expected and log_probs[best] - log_probs[index] <= HINT_MARGIN:
            return index
    return best
