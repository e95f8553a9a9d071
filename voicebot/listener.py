"""The ear of one call: carries out what `Turns` decides.

Voice activity comes in on its own thread, is marshalled to the loop, and meets the turn-taking there. Decoding starts
at the first pause, before the turn is certain, and is thrown away when the caller goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

from asr.activity import (
    ActivityEvent,
    ActivityService,
    SpeechDismissed,
    SpeechPaused,
    SpeechStarted,
    SpeechSuspected,
)
from asr.errors import AsrError
from asr.partials import PartialText
from asr.recogniser import Transcript
from flows import Understood
from voicebot.signals import (
    BotFinished,
    BotStarted,
    CallerDismissed,
    CallerPaused,
    CallerStarted,
    CallerSuspected,
    Decode,
    DropDecode,
    Duck,
    Effect,
    Elapsed,
    EndTurn,
    Expect,
    Follow,
    Guess,
    Hold,
    KeyPressed,
    NoInput,
    PartialGuess,
    Patience,
    Progress,
    Resume,
    Signal,
    StopBot,
    Unduck,
)
from voicebot.turns import MARGIN_MS, Floor, Turns

log = logging.getLogger(__name__)

DUCK_DB = -12.0
SURE = 0.5  # of the recogniser's confidence
REOPENED_MOST = 3  # a call whose hearing fails more often goes to people
LOOK_S = 0.05  # how often it is looked whether a partial text is due


@dataclass(frozen=True)
class Words:
    """What was recognised, and what the flow makes of it.

    answers: the flow could act on it. progress: how far it has come, `why`: what shows that. listening: a mere "mhm",
    or a yes to what the bot was saying.
    """

    transcript: Transcript
    understood: Understood
    answers: bool
    progress: Progress
    why: str = ""
    listening: bool = False

    @property
    def sure(self) -> bool:
        """The recogniser is, in what it heard."""
        return self.transcript.confidence >= SURE


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
    def hold(self) -> None: ...
    def resume(self) -> None: ...
    def interrupt(self) -> None: ...


class Mind(Protocol):
    """What the ear asks of the conversation, and tells it."""

    async def recognise(self, audio: bytes, *, final: bool) -> Transcript: ...
    async def consider(self, transcript: Transcript, *, paused: bool = False) -> Words:
        """What it means; `paused`: the turn may be over."""
        ...

    def turn_ended(self, utterance: Utterance) -> None: ...
    def no_input(self) -> None: ...
    def saying(self, text: str) -> None:
        """The caller has said so much by now, and speaks on."""

    def decided(self, effect: Resume | StopBot | EndTurn) -> None: ...
    def was_deaf(self, reason: str) -> None:
        """The caller could not be heard for a while, and is heard again."""

    def fault(self, message: str) -> None: ...


class Listener:
    """Hears for a `Mind`, and handles the bot's `Voice`."""

    def __init__(self, activity: ActivityService, sample_rate: int, voice: Voice, mind: Mind) -> None:
        self._loop = asyncio.get_running_loop()
        self._rate = sample_rate
        self._voice = voice
        self._mind = mind
        self._turns = Turns(sample_rate)
        self._decoding: _Decoding | None = None  # of the pause under way; a turn that ends takes it along
        self._following: asyncio.Task[None] | None = None  # of what is being said
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._activity = activity
        self._reopened = 0
        self._stream = activity.open(sample_rate, self._from_activity)

    def feed(self, first_sample: int, pcm: bytes) -> None:
        """The caller's voice, from the media thread."""
        self._stream.feed(first_sample, pcm)

    def played(self, first_sample: int, pcm: bytes) -> None:
        """What the caller is sent meanwhile, from the media thread: its echo is no speech."""
        self._stream.played(first_sample, pcm)

    async def close(self) -> None:
        """Stop hearing; decodings under way are cancelled and awaited."""
        self._closed = True
        self._stream.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def caller_speaks(self) -> bool:
        """The caller has the floor."""
        return self._turns.floor in (Floor.CALLER, Floor.CONTESTED)

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
        if isinstance(event, SpeechSuspected):
            self._signal(CallerSuspected())
        elif isinstance(event, SpeechDismissed):
            self._signal(CallerDismissed())
        elif isinstance(event, SpeechStarted):
            self._signal(CallerStarted(event.at_sample))
        elif isinstance(event, SpeechPaused):
            self._signal(CallerPaused(event.at_sample))
        elif not self._closed:
            self._hear_again(event.reason)

    def _hear_again(self, reason: str) -> None:
        """Voice activity has failed: go on with another stream. What was being said ends where it was heard last."""
        self._reopened += 1
        if self._reopened > REOPENED_MOST:
            self._mind.fault(f"the caller can no longer be heard: {reason}")
            return
        self._signal(CallerDismissed())
        if self._turns.speaking:
            self._signal(CallerPaused(self._stream.position))
        self._stream = self._activity.open(self._rate, self._from_activity)
        self._mind.was_deaf(reason)

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
            self._mind.fault(f"turn-taking failed: {error}")
        self._arm_timer()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Duck():
                self._voice.duck(DUCK_DB)
            case Unduck():
                self._voice.resume()
            case Hold():
                self._voice.hold()
            case Resume():
                self._stop_following()
                self._voice.resume()
            case StopBot():
                self._voice.interrupt()
            case Follow(start):
                self._stop_following()
                self._following = self._task(self._follow(start), "follow")
                self._following.add_done_callback(self._followed)
            case Decode(number, start, end):
                self._stop_following()
                self._decode(number, start, end)
            case DropDecode():
                self._drop_decoding()
            case EndTurn(number):
                assert self._decoding is not None
                decoding, self._decoding = self._decoding, None
                self._mind.turn_ended(Utterance(number, decoding.words, decoding.paused_at, self._loop.time()))
            case NoInput():
                self._mind.no_input()
        if isinstance(effect, Resume | StopBot | EndTurn):
            self._mind.decided(effect)

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
        task = self._task(self._words(self._stream.audio(start, end)), f"decode {number}")
        self._decoding = _Decoding(task, self._loop.time() - since_s)
        task.add_done_callback(lambda done: self._decoded(number, done))

    def _task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _drop_decoding(self) -> None:
        if self._decoding is not None:
            self._decoding.words.cancel()
            self._decoding = None

    async def _words(self, audio: bytes) -> Words:
        return await self._mind.consider(await self._mind.recognise(audio, final=True), paused=True)

    def _decoded(self, number: int, task: asyncio.Task[Words]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if not isinstance(error, AsrError):
                log.error("hearing failed", exc_info=error)
            # Whoever takes the turn meets the error; what matters here is that the turn ends.
            self._signal(Guess(number, Progress.COMPLETE))
            return
        words = task.result()
        self._signal(Guess(number, words.progress, words.listening, words.sure))

    # While the caller speaks

    async def _follow(self, start: int) -> None:
        """Partial texts, until cancelled. One that is shed under load is made up for by the next."""
        partial = PartialText(self._rate, start)
        while True:
            span = partial.due(self._stream.position)
            if span is None:
                await asyncio.sleep(LOOK_S)
                continue
            try:
                transcript = await self._mind.recognise(self._stream.audio(*span), final=False)
            except AsrError as error:
                log.debug("no partial text: %s", error)
                partial.missed()
                continue
            if partial.heard(transcript.words):
                self._mind.saying(partial.text)
            if self._turns.floor is Floor.CONTESTED:
                words = await self._mind.consider(replace(transcript, text=partial.guess))
                self._signal(PartialGuess(words.progress, words.listening, words.sure))

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def _followed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("following the caller failed", exc_info=error)
            self._mind.fault(f"following the caller failed: {error}")
