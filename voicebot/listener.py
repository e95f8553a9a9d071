"""The ear of one call: carries out what `Turns` decides.

Voice activity comes in on its own thread, is marshalled to the loop, and meets the turn-taking there. Decoding starts
at the first pause, before the turn is certain, and is thrown away when the caller goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from asr.activity import ActivityEvent, ActivityService, SpeechPaused, SpeechStarted
from asr.errors import AsrError
from asr.recogniser import Transcript
from flows import Understood
from voicebot.signals import (
    BotFinished,
    BotStarted,
    CallerPaused,
    CallerStarted,
    Decode,
    DropDecode,
    Duck,
    Effect,
    Elapsed,
    EndTurn,
    Expect,
    Guess,
    KeyPressed,
    NoInput,
    Patience,
    Signal,
    StopBot,
    Unduck,
)
from voicebot.turns import MARGIN_MS, Turns

log = logging.getLogger(__name__)

DUCK_DB = -12.0


@dataclass(frozen=True)
class Words:
    """What was recognised, and what the flow makes of it. `answers`: it can act on it; `back_channel`: a mere "mhm"."""

    transcript: Transcript
    understood: Understood
    answers: bool
    back_channel: bool


@dataclass(frozen=True)
class Utterance:
    """One caller turn. `words` is its decoding, begun at the pause; `paused_at` in loop time, seconds."""

    number: int
    words: asyncio.Task[Words]
    paused_at: float
    ended_at: float


@dataclass(frozen=True)
class _Decoding:
    words: asyncio.Task[Words]
    paused_at: float


class Voice(Protocol):
    """What the ear does to the bot's voice."""

    def duck(self, gain_db: float) -> None: ...
    def unduck(self) -> None: ...
    def interrupt(self) -> None: ...


class Listener:
    """`hear(audio)` recognises and understands; `on_turn` and `on_no_input` tell the conversation."""

    def __init__(
        self,
        activity: ActivityService,
        sample_rate: int,
        voice: Voice,
        hear: Callable[[bytes], Awaitable[Words]],
        on_turn: Callable[[Utterance], None],
        on_no_input: Callable[[], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._rate = sample_rate
        self._voice = voice
        self._hear = hear
        self._on_turn = on_turn
        self._on_no_input = on_no_input
        self._turns = Turns(sample_rate)
        self._on_fault = on_fault
        self._decoding: _Decoding | None = None  # of the pause under way; a turn that ends takes it along
        self._tasks: set[asyncio.Task[Words]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._stream = activity.open(sample_rate, self._from_activity)

    def feed(self, first_sample: int, pcm: bytes) -> None:
        """The caller's voice, from the media thread."""
        self._stream.feed(first_sample, pcm)

    async def close(self) -> None:
        """Stop hearing; decodings under way are cancelled and awaited."""
        self._closed = True
        self._stream.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What the conversation tells

    def bot_started(self, interruptible: bool) -> None:
        self._signal(BotStarted(interruptible))

    def bot_finished(self) -> None:
        self._signal(BotFinished())

    def key_pressed(self) -> None:
        self._signal(KeyPressed())

    def expect(self, patience: Patience) -> None:
        self._signal(Expect(patience))

    # Signals and effects

    def _from_activity(self, event: ActivityEvent) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_activity, event)

    def _on_activity(self, event: ActivityEvent) -> None:
        if isinstance(event, SpeechStarted):
            self._signal(CallerStarted(event.at_sample))
        elif isinstance(event, SpeechPaused):
            self._signal(CallerPaused(event.at_sample))
        elif not self._closed:
            self._on_fault(f"the caller can no longer be heard: {event.reason}")

    def _signal(self, signal: Signal) -> None:
        if self._closed:
            return
        try:
            before = self._turns.floor
            for effect in self._turns.handle(signal, self._stream.position):
                log.debug("%s -> %s: %s", before, self._turns.floor, effect)
                self._carry_out(effect)
        except Exception as error:
            log.exception("turn-taking failed on %s", signal)
            self._on_fault(f"turn-taking failed: {error}")
        self._arm_timer()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Duck():
                self._voice.duck(DUCK_DB)
            case Unduck():
                self._voice.unduck()
            case StopBot():
                self._voice.interrupt()
            case Decode(number, start, end):
                self._decode(number, start, end)
            case DropDecode():
                self._drop_decoding()
            case EndTurn(number):
                assert self._decoding is not None
                decoding, self._decoding = self._decoding, None
                self._on_turn(Utterance(number, decoding.words, decoding.paused_at, self._loop.time()))
            case NoInput():
                self._on_no_input()

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._turns.deadline
        if due is not None and not self._closed:
            # The audio clock decides; when it lags behind the wall clock we look again a frame later.
            wait_s = max(0.02, (due - self._stream.position) / self._rate)
            self._timer = self._loop.call_later(wait_s, self._signal, Elapsed())

    def _decode(self, number: int, start: int, end: int) -> None:
        self._drop_decoding()
        # The pause began before the margin that is kept behind the last voiced sample.
        since_s = (self._stream.position - end) / self._rate + MARGIN_MS / 1000
        task = asyncio.create_task(self._words(self._stream.audio(start, end)), name=f"decode {number}")
        self._decoding = _Decoding(task, self._loop.time() - since_s)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._decoded(number, done))

    def _drop_decoding(self) -> None:
        if self._decoding is not None:
            self._decoding.words.cancel()
            self._decoding = None

    async def _words(self, audio: bytes) -> Words:
        return await self._hear(audio)

    def _decoded(self, number: int, task: asyncio.Task[Words]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if not isinstance(error, AsrError):
                log.error("hearing failed", exc_info=error)
            # Whoever takes the turn meets the error; what matters here is that the turn ends.
            self._signal(Guess(number, words=True, answers=True))
            return
        words = task.result()
        said = bool(words.transcript.text)
        self._signal(Guess(number, words=said, answers=words.answers, back_channel=words.back_channel))
