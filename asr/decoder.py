"""One Whisper model: requests in, transcripts out. Blocking; the engine decides whose turn it is."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr import audio as sound
from asr.audio import MODEL_RATE, TELEPHONE_RATE, Floats
from asr.device import Device
from asr.errors import AsrError, ModelUnusable, RequestRefused
from asr.guard import invented
from asr.models import ModelFiles
from asr.presence import Presence, SpeechCheck
from asr.recogniser import Alternative, RecognitionRequest, Transcript, Word
from asr.silero import Silero
from asr.whisper import Heard, Network

log = logging.getLogger(__name__)

SHORTEST_S = 0.06


class Abandoned(Exception):
    """The request was cancelled between two pieces."""


@dataclass(frozen=True)
class BatchKey:
    """What requests must have in common to be decoded together."""

    window_frames: int
    languages: tuple[str, ...]
    hinted: bool


class Decoder:
    """Raises ModelUnusable when the model cannot be loaded. threads: of the CPU, 0 lets CTranslate2 choose (4)."""

    def __init__(self, files: ModelFiles, device: Device, *, threads: int = 0, beam: int = 5) -> None:
        self.files, self.device, self.beam = files, device, beam
        self.network = Network(files, device, threads=threads, beam=beam)
        self._speech = SpeechCheck(Silero())

    def warm_up(self) -> None:
        """One decode of a second of nothing: the first is slower, and a missing GPU library shows here."""
        try:
            self.network.decode([np.zeros(MODEL_RATE, np.float32)], self.network.languages[:1], [()])
        except RuntimeError as error:
            raise ModelUnusable(
                f"The model does not run on {self.device.kind}: {error}",
                "For a GPU install voicebot[gpu]; or set the device to cpu.",
            ) from error

    def batch_key(self, request: RecognitionRequest) -> BatchKey | None:
        """Requests with the same key may share a batch; None: this one is decoded alone, it has several pieces."""
        if request.seconds > self.files.card.longest_s:
            return None
        window = self.network.window_frames(request.seconds)
        return BatchKey(window, (request.language, *request.languages), bool(request.hints))

    def transcribe(self, request: RecognitionRequest, is_abandoned: Callable[[], bool] = lambda: False) -> Transcript:
        """Raises RequestRefused, and Abandoned when `is_abandoned` turns true between two pieces."""
        started = time.perf_counter()
        self._check(request)
        prepared = self._prepare(request)
        presence = self._look(request)
        pieces: list[Heard] = []
        if not presence.reason:
            languages = _languages(request)
            for start, piece in sound.split(prepared, MODEL_RATE, self.files.card.longest_s):
                if is_abandoned():
                    raise Abandoned
                if len(piece) >= SHORTEST_S * MODEL_RATE:
                    found = self.network.decode([piece], languages, [request.hints])[0]
                    pieces.append(self._believed(found, len(piece), start, presence, request))
                    languages = (found.language,)  # what the first piece decided holds for the others
        return self._joined(request, pieces, presence, time.perf_counter() - started)

    def transcribe_batch(self, requests: Sequence[RecognitionRequest]) -> list[Transcript | AsrError]:
        """Requests of one `batch_key`, decoded together. A refused one has its error in its place."""
        started = time.perf_counter()
        answers: list[Transcript | AsrError | None] = [None] * len(requests)
        prepared: dict[int, Floats] = {}
        looks: dict[int, Presence] = {}
        for index, request in enumerate(requests):
            try:
                self._check(request)
            except RequestRefused as error:
                answers[index] = error
                continue
            samples = self._prepare(request)
            looks[index] = self._look(request)
            if looks[index].reason:
                answers[index] = self._joined(request, (), looks[index], time.perf_counter() - started)
            else:
                prepared[index] = samples
        if prepared:
            hints = [requests[index].hints for index in prepared]
            found = self.network.decode(list(prepared.values()), _languages(requests[next(iter(prepared))]), hints)
            decode_s = time.perf_counter() - started
            for (index, samples), heard in zip(prepared.items(), found, strict=True):
                believed = self._believed(heard, len(samples), 0, looks[index], requests[index])
                answers[index] = self._joined(requests[index], [believed], looks[index], decode_s)
        return [answer for answer in answers if answer is not None]

    def _check(self, request: RecognitionRequest) -> None:
        if len(request.audio) % 2 or not 8000 <= request.sample_rate <= 48000:
            raise RequestRefused("The audio is not 16-bit PCM at 8000 to 48000 Hz.")
        for language in (request.language, *request.languages):
            if language not in self.network.languages:
                raise RequestRefused(
                    f"The model {self.files.name!r} does not know the language {language!r}.",
                    "Set another model, or remove the language from the bot.",
                )

    def _prepare(self, request: RecognitionRequest) -> Floats:
        """The request's sound at 16 kHz and at a level that the model knows."""
        samples, rate = sound.from_pcm(request.audio), request.sample_rate
        if self.files.card.narrowband and rate != TELEPHONE_RATE:
            samples, rate = sound.resample(samples, rate, TELEPHONE_RATE), TELEPHONE_RATE
        return sound.levelled(sound.resample(samples, rate, MODEL_RATE))

    def _look(self, request: RecognitionRequest) -> Presence:
        if request.seconds < SHORTEST_S:
            return Presence(0.0, "too short")
        # Telephone sound at its own rate: brought up to 16 kHz it is strange to Silero.
        rate = TELEPHONE_RATE if request.sample_rate == TELEPHONE_RATE or self.files.card.narrowband else MODEL_RATE
        samples = sound.resample(sound.from_pcm(request.audio), request.sample_rate, rate)
        return self._speech.look(sound.levelled(samples), rate)

    def _believed(
        self, found: Heard, samples: int, start: int, presence: Presence, request: RecognitionRequest
    ) -> Heard:
        """The piece with times from the request's start; without any text when it cannot have been said."""
        audio_s, start_s = samples / MODEL_RATE, start / MODEL_RATE
        reason = invented(
            found.text, log_prob=found.log_prob, no_speech=found.no_speech, audio_s=audio_s, voice=presence.voice
        )
        if reason is not None:
            if reason != "empty":
                log.info("call %s: text thrown away as invented (%s)", request.call_id, reason)
            return replace(found, text="", words=(), tokens=0, others=(), rejected=reason)
        words = tuple(
            Word(word.text, start_s + min(word.start_s, audio_s), start_s + min(word.end_s, audio_s), word.confidence)
            for word in found.words
        )
        return replace(found, words=words)

    def _joined(
        self, request: RecognitionRequest, pieces: Sequence[Heard], presence: Presence, decode_s: float
    ) -> Transcript:
        spoken = [piece for piece in pieces if piece.text]
        tokens = sum(piece.tokens for piece in spoken)
        log_prob = sum(piece.log_prob * piece.tokens for piece in spoken) / tokens if tokens else -math.inf
        words = [word for piece in spoken for word in piece.words]
        confidence = min(1.0, math.exp(log_prob))
        calibration = self.files.card.calibration
        if calibration is not None and spoken:
            raw = [word.confidence for word in words]
            calibrated = calibration.of_words(confidence, raw)
            words = [replace(word, confidence=sure) for word, sure in zip(words, calibrated, strict=True)]
            confidence = calibration.of_text(confidence, raw)
        others = spoken[0].others if len(pieces) == 1 and spoken else ()
        no_speech = min((piece.no_speech for piece in pieces), default=1.0 - presence.voice)
        return Transcript(
            text=" ".join(piece.text for piece in spoken),
            language=spoken[0].language if spoken else request.language,
            confidence=confidence,
            no_speech=no_speech,
            words=tuple(words),
            audio_s=request.seconds,
            decode_s=decode_s,
            model=self.files.name,
            alternatives=tuple(
                Alternative(text, confidence * math.exp(min(0.0, other - log_prob))) for text, other in others
            ),
            rejected=presence.reason or ", ".join(dict.fromkeys(piece.rejected for piece in pieces if piece.rejected)),
        )


def _languages(request: RecognitionRequest) -> tuple[str, ...]:
    return tuple(dict.fromkeys((request.language, *request.languages)))
