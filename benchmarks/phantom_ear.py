"""The hearing side of one call without its clock: frames of 20 ms, voice activity, turn-taking, recognition, guard.

Turn-taking is the call's own (`voicebot.turns`), and so is what is cut out for recognition. Decoding happens between
two frames and its answer is told `ANSWER_FRAMES` later. The flow is one that understands nothing: every turn is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from asr.activity import (
    ActivityEvent,
    ActivityFailed,
    ActivityService,
    ActivitySettings,
    ActivityStream,
    SpeechPaused,
    SpeechStarted,
)
from asr.decoder import Decoder
from asr.recogniser import RecognitionRequest, Transcript
from voicebot.signals import (
    BotFinished,
    BotStarted,
    CallerPaused,
    CallerStarted,
    Decode,
    DropDecode,
    Elapsed,
    EndTurn,
    Expect,
    Guess,
    Patience,
    Progress,
    Signal,
)
from voicebot.turns import Turns

RATE = 8000
FRAME = RATE // 50
ANSWER_FRAMES = 5


@dataclass
class Piece:
    """What was recognised. `ended`: it became a turn of the caller; else it was noise, or the caller went on."""

    start: int
    end: int
    transcript: Transcript
    ended: bool = False


@dataclass
class Overheard:
    """What came of one call, in samples from its start: where voice activity believed in speech, and the pieces."""

    speech: list[tuple[int, int]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """Of the turns that had any."""
        return [piece.transcript.text for piece in self.pieces if piece.ended and piece.transcript.text]

    def detected(self, start: int, end: int) -> bool:
        return any(first < end and last > start for first, last in self.speech)

    def within(self, start: int, end: int) -> list[Piece]:
        """The pieces that overlap this stretch."""
        return [piece for piece in self.pieces if piece.start < end and piece.end > start]


class Ear:
    """Calls one after the other, in one thread, faster than real time."""

    def __init__(self, decoder: Decoder, settings: ActivitySettings | None = None) -> None:
        self._decoder = decoder
        self._activity = ActivityService(settings)

    def listen(
        self, pcm: bytes, language: str, played: bytes = b"", sayings: Iterable[tuple[int, int]] = ()
    ) -> Overheard:
        """pcm: of the caller, 8 kHz. played: what the caller is sent meanwhile. sayings: where the bot speaks."""
        call = _Call(self._decoder, self._activity, language, sayings)
        for start in range(0, len(pcm) // 2 - FRAME + 1, FRAME):
            frame = slice(2 * start, 2 * (start + FRAME))
            call.frame(start, pcm[frame], played[frame])
            self._activity.step()
            call.work()
        return call.close()


class _Call:
    """Stands where `voicebot.listener.Listener` stands, on the audio clock alone."""

    def __init__(
        self, decoder: Decoder, activity: ActivityService, language: str, sayings: Iterable[tuple[int, int]]
    ) -> None:
        self._decoder, self._language = decoder, language
        self._overheard = Overheard()
        self._turns = Turns(RATE)
        self._stream: ActivityStream = activity.open(RATE, self._on_activity)
        self._signals: list[Signal] = []
        self._bot: list[tuple[int, Signal]] = []
        for start, end in sayings:
            self._bot += [(start, BotStarted()), (end, BotFinished())]
        self._decoding: tuple[Decode, int] | None = None  # and when it was asked for
        self._heard: dict[int, Piece] = {}
        self._speech_start: int | None = None
        self._signal(Expect(Patience()))

    def frame(self, first_sample: int, pcm: bytes, played: bytes) -> None:
        self._stream.feed(first_sample, pcm)
        if played:
            self._stream.played(first_sample, played)

    def work(self) -> None:
        """Everything that has become due with the frame."""
        now = self._stream.position
        while self._bot and self._bot[0][0] <= now:
            self._signals.append(self._bot.pop(0)[1])
        while self._signals:
            self._signal(self._signals.pop(0))
        if self._decoding is not None and now >= self._decoding[1] + ANSWER_FRAMES * FRAME:
            self._answer(self._decoding[0])
        while (due := self._turns.deadline) is not None and due <= now:
            self._signal(Elapsed())

    def close(self) -> Overheard:
        self._stream.close()
        if self._speech_start is not None:
            self._overheard.speech.append((self._speech_start, self._stream.position))
        return self._overheard

    def _on_activity(self, event: ActivityEvent) -> None:
        if isinstance(event, SpeechStarted):
            self._speech_start = event.at_sample
            self._signals.append(CallerStarted(event.at_sample))
        elif isinstance(event, SpeechPaused):
            if self._speech_start is not None:
                self._overheard.speech.append((self._speech_start, event.at_sample))
            self._speech_start = None
            self._signals.append(CallerPaused(event.at_sample))
        elif isinstance(event, ActivityFailed):
            raise RuntimeError(event.reason)

    def _signal(self, signal: Signal) -> None:
        for effect in self._turns.handle(signal, self._stream.position):
            match effect:
                case Decode():
                    self._decoding = (effect, self._stream.position)
                case DropDecode():
                    self._decoding = None
                case EndTurn(number):
                    if self._decoding is not None:
                        self._recognise(self._decoding[0])
                    self._heard[number].ended = True
                    self._signals.append(Expect(Patience()))

    def _answer(self, decode: Decode) -> None:
        piece = self._recognise(decode)
        self._signal(Guess(decode.utterance, Progress.OPEN if piece.transcript.text else Progress.NOTHING))

    def _recognise(self, decode: Decode) -> Piece:
        self._decoding = None
        audio = self._stream.audio(decode.start, decode.end)
        transcript = self._decoder.transcribe(RecognitionRequest(audio, RATE, self._language, "phantoms"))
        piece = self._heard[decode.utterance] = Piece(decode.start, decode.end, transcript)
        self._overheard.pieces.append(piece)
        return piece
