"""One conversation: the flow engine's state, and understanding in front of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from asr.recogniser import Alternative, Transcript
from flows import Action, CallStarted, Engine, Event, Expectation, Heard, State, TurnContext, Understanding, Understood
from flows.commands import Affirm, Command, CorrectSlot, Deny, Goodbye, NoMatch, SetSlot, StartFlow
from flows.slots import Rejected
from voicebot.listener import SURE, Words
from voicebot.signals import Progress
from voicebot.signs import listens, never_last, unfinished, voiced_after
from voicebot.turns import MARGIN_MS

# What answers the open question; where nothing is said here, everything does.
PIECE_BY_PIECE = ("digits", "spelled")  # values of which a part may have been said
ANSWERS: dict[str, Any] = {
    "slot": SetSlot | CorrectSlot | Affirm | Deny,
    "confirm": SetSlot | CorrectSlot | Affirm | Deny,
    "more": Affirm | Deny | StartFlow | SetSlot | Goodbye,
}


class SecondOpinion(Protocol):
    """Understanding that takes time: `prepare` begins it, `choose` waits for it, `hurry` ends the waiting."""

    def hurry(self) -> None: ...
    def prepare(self, ours: Understood, text: str, context: TurnContext) -> None: ...
    async def choose(self, ours: Understood, text: str, context: TurnContext) -> Understood: ...


class Dialog:
    """Holds the state between events. `now` is a clock, in the firm's time zone."""

    def __init__(
        self,
        engine: Engine,
        understanding: Understanding,
        now: Callable[[], datetime],
        second: SecondOpinion | None = None,
    ) -> None:
        """`second` is asked where a turn is over and `understanding`, which takes no time, is not sure."""
        self._engine = engine
        self._understanding = understanding
        self._second = second
        self._now = now
        self._state: State | None = None
        self.expect = Expectation("intent")

    @property
    def state(self) -> State:
        """The engine's state. Only after `begin`."""
        assert self._state is not None
        return self._state

    @property
    def slots(self) -> Mapping[str, Any]:
        """What was collected, in the flow that runs or ran last."""
        return {} if self._state is None else self._state.slots

    @property
    def personal(self) -> tuple[str, ...]:
        """See `State.personal`."""
        return () if self._state is None else self._state.personal

    @property
    def misses(self) -> int:
        """How often in a row the open question was not answered in words that the bot understood."""
        return 0 if self._state is None else self._state.misses

    def begin(self, started: CallStarted) -> tuple[Action, ...]:
        step = self._engine.start(started, self._now())
        self._state = step.state
        return step.actions

    async def consider(self, transcript: Transcript, *, question_heard: bool = True, paused: bool = False) -> Words:
        """What a transcript means now. Changes nothing: the caller may yet go on speaking.

        Where a value is awaited, the first reading that the flow can act on counts: of "pięć" and "pięść" only one is a
        digit. Who says yes before the open question was put agrees with what the bot is saying, and answers nothing.
        `paused`: the turn may be over, so that what takes time begins.
        """
        context = self._engine.context(self.state)
        words = await self._weigh(transcript, context)
        if context.question in ("slot", "confirm"):
            for other in () if words.answers else transcript.alternatives:
                reading = await self._weigh(_read_as(transcript, other), context)
                if reading.answers:
                    words = reading
                    break
        if paused and self._second is not None:
            self._second.prepare(words.understood, words.transcript.text, context)
        agrees = not question_heard and all(isinstance(command, Affirm) for command in words.understood.commands)
        mere = not words.answers and listens(words.transcript.text, context.language)
        return replace(words, listening=agrees or mere)

    async def _weigh(self, reading: Transcript, context: TurnContext) -> Words:
        understood = await self._understanding.understand(reading.text, context)
        answers = any(self._acts(command, context) for command in understood.commands)
        progress, why = self._progress(reading, understood.commands, answers, context)
        return Words(reading, understood, answers, progress, why)

    def _progress(
        self, heard: Transcript, commands: Sequence[Command], answers: bool, context: TurnContext
    ) -> tuple[Progress, str]:
        """How far the words have come, and what shows it."""
        if not heard.text:
            return Progress.NOTHING, ""
        value = next((command for command in commands if isinstance(command, SetSlot)), None)
        request = context.question in ("intent", "more")
        sign = unfinished(heard.text, context.language, request=request)
        if self.expect.kind in PIECE_BY_PIECE and value is not None and value.slot in context.slots:
            if not answers:
                return Progress.UNFINISHED, "digits are missing"
            if not context.slots[value.slot].plainest(value.value, heard.text, context.language):
                return Progress.OPEN, "more digits would be plainer"
        elif sign is not None:
            return Progress.UNFINISHED, sign
        elif voiced_after(heard.words, heard.audio_s - MARGIN_MS / 1000):
            return Progress.UNFINISHED, "voice without words"
        if not answers:
            return Progress.OPEN, "no answer"
        if not all(isinstance(command, ANSWERS.get(context.question, Command)) for command in commands):
            return Progress.LIKELY, "something else"
        if request and heard.text.split()[-1] in _never_last(tuple(flow.examples for flow in context.flows)):
            return Progress.LIKELY, "examples go on after this word"
        return (Progress.COMPLETE, "answers") if heard.confidence >= SURE else (Progress.LIKELY, "uncertain")

    def _acts(self, command: Command, context: TurnContext) -> bool:
        """Could the flow go on with it? A number that is not what it should be may still lack digits."""
        if isinstance(command, SetSlot) and self.expect.kind in PIECE_BY_PIECE and command.slot in context.slots:
            return not isinstance(context.slots[command.slot].accept(command.value, context.now), Rejected)
        return not isinstance(command, NoMatch)

    async def heard(self, words: Words) -> tuple[Action, ...]:
        """Take a finished turn. What was considered before the question changed is considered again."""
        current = await self.consider(words.transcript)
        understood, transcript = current.understood, current.transcript
        if self._second is not None:
            understood = await self._second.choose(understood, transcript.text, self._engine.context(self.state))
        return self.apply(Heard(understood, transcript.text, transcript.confidence))

    def hurry(self) -> None:
        """The caller waits for no second opinion: keys were pressed."""
        if self._second is not None:
            self._second.hurry()

    def apply(self, event: Event) -> tuple[Action, ...]:
        step = self._engine.step(self.state, event, self._now())
        self._state = step.state
        return step.actions


@lru_cache(maxsize=64)  # bots and their languages: thousands of examples are looked at once, not in every call
def _never_last(examples: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    return never_last(chain.from_iterable(examples))


def _read_as(transcript: Transcript, other: Alternative) -> Transcript:
    """The transcript, had this reading been the best."""
    return replace(transcript, text=other.text, confidence=other.confidence, words=(), alternatives=())
