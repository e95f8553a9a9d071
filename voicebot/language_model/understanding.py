"""Understanding that asks a language model where ours is not sure, and takes ours whenever that comes to nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from flows import Bot, TurnContext, Understanding, Understood, command_name
from flows.choosing import Dropped, Question, Spoken, moves, question, read, read_rewording, rewording
from flows.commands import (
    Abuse,
    AskHuman,
    AskKnowledge,
    AskMachine,
    Command,
    Emergency,
    NoMatch,
    RefuseRecording,
    SetSlot,
    SpeakLanguage,
)
from flows.knowledge import Passage
from flows.words import tokens
from voicebot.config import LanguageModelSettings, PriceSettings
from voicebot.language_model.answer import Answer, Failure

log = logging.getLogger(__name__)

SOURCE = "llm"
_CONFIDENCE, _AGREED = 0.8, 0.95  # models do not know how sure they are; that ours says the same counts for more
_AT_ONCE = Abuse | AskHuman | AskMachine | Emergency | RefuseRecording | SpeakLanguage
_DICTATED = ("digits", "spelled")
_KEPT = 4  # questions of a call whose answers may be wanted again
_STOOD_IN = {Failure.TIMEOUT: "slow", Failure.BUSY: "busy", Failure.LEFT_ALONE: "left_alone"}
_PASSAGES = 3  # that an answer may be made of
_LEAST_S = 0.2  # no model writes a sentence in less, and one that can not is no failure of its server
_GRACE_S = 0.05  # for the model to end by its own deadline, which tells more


class Model(Protocol):
    """`LanguageModel`, or a fake. Raises nothing but CancelledError, and keeps its deadline."""

    name: str

    async def ask(self, question: Question, deadline_s: float | None = None) -> Answer: ...


@dataclass(frozen=True)
class Decision:
    """What became of one question to the model, for the call's record: nothing of it is the caller's words.

    `purpose`: "meaning" (of the caller's words), "rewording" (of a passage) or "summary" (of the call). `outcome`:
    "chosen", "reworded" or "told" (a summary); "nothing" (no move or words that may be used), "superseded" (the caller
    went on, or the call ended), or a `Failure`. `cost` is in the currency of the settings' prices, None where the
    server does not count tokens.
    """

    mode: str
    outcome: str
    reason: str
    ms: int
    first_token_ms: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    commands: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    purpose: str = "meaning"

    @classmethod
    def of(cls, answer: Answer, prices: PriceSettings, outcome: str, reason: str, **more: Any) -> Decision:
        """What became of the question that was answered so."""
        cost = None
        if answer.tokens_in is not None and answer.tokens_out is not None:
            cost = (answer.tokens_in * prices.input + answer.tokens_out * prices.output) / 1_000_000
        return cls(
            answer.mode,
            outcome,
            reason,
            round(answer.total_s * 1000),
            None if answer.first_token_s is None else round(answer.first_token_s * 1000),
            answer.tokens_in,
            answer.tokens_out,
            cost,
            **more,
        )

    @property
    def stood_in(self) -> str:
        """Why ours answered for a model that could not: slow, busy, left_alone or failed; empty when it could."""
        if self.outcome not in set(Failure):
            return ""
        return _STOOD_IN.get(Failure(self.outcome), "failed")

    def as_told(self) -> dict[str, Any]:
        """The fields of `voicebot.events.LanguageModelAsked`."""
        dropped = [f"{each.command}: {each.why}" for each in self.dropped]
        return {**vars(self), "commands": [*self.commands], "dropped": dropped}


@dataclass(eq=False)
class _Asked:
    """Words that the model was asked about, or is. The task gives why the last question came to nothing, or ""."""

    words: tuple[str, ...]
    context: TurnContext
    until: float
    understood: Understood | None = None  # what the model has made of them so far; None: ours counts
    task: asyncio.Task[str] = field(init=False)

    def is_about(self, words: tuple[str, ...], context: TurnContext) -> bool:
        """Whatever the hour: an interruption that is told in between moves it on."""
        return self.words == words and self.context == replace(context, now=self.context.now)


class ChoosingUnderstanding:
    """Implements Understanding, for one call. `turns` gives what was said before, `tell` takes every decision.

    Where a passage of the knowledge answers, the model may then put it into other words, within the same deadline.
    The same words in the same context are asked about once: a pause starts the question, the end of the turn finds the
    answer. Other words cancel it. Close it at the end of the call.
    """

    def __init__(
        self,
        embedded: Understanding,
        model: Model,
        bot: Bot,
        settings: LanguageModelSettings,
        *,
        turns: Callable[[], Sequence[Spoken]] = tuple,
        tell: Callable[[Decision], None] = lambda decision: None,
    ) -> None:
        self._embedded = embedded
        self._model = model
        self._settings = settings
        self._knowledge = bot.knowledge
        self._not_offered = frozenset() if bot.emergency else frozenset({"emergency"})
        self._turns = turns
        self._tell = tell
        self._asked: list[_Asked] = []  # the newest last
        self._tasks: set[asyncio.Task[str]] = set()
        self._awaited: set[asyncio.Task[str]] = set()
        self._closed = False

    async def understand(self, text: str, context: TurnContext) -> Understood:
        """What was meant, at the latest when the model's deadline is over."""
        return await self.choose(await self._embedded.understand(text, context), text, context)

    def prepare(self, ours: Understood, text: str, context: TurnContext) -> None:
        """The caller pauses, and may have finished: the question goes out, and whoever chooses finds its answer."""
        if not self._closed and self._is_asked(ours, text, context):
            self._ask(ours, text, self._offered(context))

    async def choose(self, ours: Understood, text: str, context: TurnContext) -> Understood:
        """What was meant, where the embedded understanding took it for `ours`; within the model's deadline."""
        if self._closed or not self._is_asked(ours, text, context):
            return ours
        asked = self._ask(ours, text, self._offered(context))
        self._awaited.add(asked.task)  # the turn is over: what the caller says next takes nothing from it
        try:
            await asyncio.wait({asked.task}, timeout=max(asked.until + _GRACE_S - _now(), 0))
        finally:
            self._awaited.discard(asked.task)
        failed = _how_it_failed(asked.task)
        understood = asked.understood or ours
        return _remarked(understood, f"language model: {failed}") if failed else understood

    def hurry(self) -> None:
        """Whoever waits in `choose` waits no longer, and takes ours."""
        for task in self._awaited:
            task.cancel()

    async def aclose(self) -> None:
        """Cancel what is still being asked, and see its end."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _offered(self, context: TurnContext) -> TurnContext:
        return replace(context, commands=context.commands - self._not_offered)

    def _is_asked(self, ours: Understood, text: str, context: TurnContext) -> bool:
        return not self._settled(ours, text, context) or bool(self._passages(ours, text, context))

    def _settled(self, ours: Understood, text: str, context: TurnContext) -> bool:
        """Whether the model could add nothing, or must not delay what was understood."""
        if not tokens(text) or ours.confidence >= self._settings.sure:
            return True
        if any(isinstance(command, _AT_ONCE) for command in ours.commands):
            return True
        if context.question != "slot":
            return False
        # Half a number is no riddle: the caller goes on dictating.
        dictated = context.slots[context.slot].expectation(context.language).kind in _DICTATED
        return dictated and any(isinstance(command, SetSlot) for command in ours.commands)

    def _passages(self, understood: Understood, text: str, context: TurnContext) -> list[Passage]:
        """What the model may answer from, first the passage that is quoted otherwise; none: nothing is reworded."""
        asked = next((command for command in understood.commands if isinstance(command, AskKnowledge)), None)
        at_once = any(isinstance(command, _AT_ONCE) for command in understood.commands)
        if asked is None or not asked.sources or at_once or not self._settings.reword:
            return []
        own = [self._knowledge.passage(source, context.language) for source in asked.sources]
        found = [match.passage for match in self._knowledge.search(text, context.language)]
        return list(dict.fromkeys([*(passage for passage in own if passage is not None), *found]))[:_PASSAGES]

    def _ask(self, ours: Understood, text: str, context: TurnContext) -> _Asked:
        words = tuple(tokens(text))
        same = next((asked for asked in self._asked if asked.is_about(words, context)), None)
        for other in self._asked:
            if other is not same and other.task not in self._awaited:
                other.task.cancel()
        if same is not None and not same.task.cancelling():
            return same
        asked = _Asked(words, context, _now() + self._settings.deadline_s)
        asked.task = asyncio.create_task(self._think(asked, ours, text), name="ask the language model")
        self._tasks.add(asked.task)
        asked.task.add_done_callback(self._tasks.discard)
        self._asked = [*(each for each in self._asked if each is not same), asked][-_KEPT:]
        return asked

    async def _think(self, asked: _Asked, ours: Understood, text: str) -> str:
        """Choose, where ours is not sure, and reword what the knowledge answers."""
        settled = self._settled(ours, text, asked.context)
        failed = "" if settled else await self._choose(asked, ours, text)
        if failed in set(Failure):
            return failed  # who could not choose is not asked again in the same breath
        return await self._reword(asked, asked.understood or ours, text) or failed

    async def _choose(self, asked: _Asked, ours: Understood, text: str) -> str:
        context = asked.context
        answer = await self._answer(question(text, context, moves(context), self._turns()), asked, "meaning")
        if answer.failure is not None:
            self._tell(Decision.of(answer, self._settings.prices, str(answer.failure), answer.detail))
            return str(answer.failure)
        choice = read(answer.text, text, context)
        outcome = "nothing" if choice.commands == (NoMatch(),) else "chosen"
        reason = "; ".join(dict.fromkeys(each.why for each in choice.dropped))
        names = tuple(command_name(command) for command in choice.commands) if outcome == "chosen" else ()
        decision = Decision.of(answer, self._settings.prices, outcome, reason, commands=names, dropped=choice.dropped)
        self._tell(decision)
        if outcome == "nothing":
            return outcome
        commands = tuple(self._with_source(command, text, context.language) for command in choice.commands)
        confidence = _AGREED if commands == ours.commands else _CONFIDENCE
        asked.understood = Understood(commands, SOURCE, confidence, f"{self._model.name} chose ({decision.ms} ms)")
        return ""

    def _with_source(self, command: Command, text: str, language: str) -> Command:
        """The model says that something is asked; what answers it, if anything does, our own search finds."""
        if command != AskKnowledge():
            return command
        found = self._knowledge.answer(text, language)
        return AskKnowledge((found.source,) if found else ())

    async def _reword(self, asked: _Asked, understood: Understood, text: str) -> str:
        """Put what the knowledge answers into words that fit the question, if there is time left."""
        passages = self._passages(understood, text, asked.context)
        if not passages:
            return ""
        if asked.until - _now() < _LEAST_S:
            return "no time to reword"
        language = asked.context.language
        answer = await self._answer(rewording(text, passages, language), asked, "rewording")
        if answer.failure is not None:
            self._tell_rewording(answer, str(answer.failure), answer.detail)
            return str(answer.failure)
        reworded = read_rewording(answer.text, passages, language)
        if isinstance(reworded, Dropped):
            self._tell_rewording(answer, "nothing", reworded.why, dropped=(reworded,))
            return "nothing"
        self._tell_rewording(answer, "reworded", "", commands=("ask_knowledge",))
        commands = tuple(reworded if isinstance(each, AskKnowledge) else each for each in understood.commands)
        done = replace(understood, commands=commands)
        asked.understood = _remarked(done, f"{self._model.name} reworded ({round(answer.total_s * 1000)} ms)")
        return ""

    def _tell_rewording(self, answer: Answer, outcome: str, reason: str, **more: Any) -> None:
        self._tell(Decision.of(answer, self._settings.prices, outcome, reason, purpose="rewording", **more))

    async def _answer(self, question: Question, asked: _Asked, purpose: str) -> Answer:
        """The model's answer within what is left of the deadline."""
        began = _now()
        try:
            return await self._model.ask(question, asked.until - began)
        except asyncio.CancelledError:
            ms = round((_now() - began) * 1000)
            self._tell(Decision("", "superseded", "the caller went on, or the call ended", ms, purpose=purpose))
            raise


def _how_it_failed(task: asyncio.Task[str]) -> str:
    """Empty when it did not. Ours counts whatever went wrong."""
    if not task.done():
        return "timeout"
    if task.cancelled():
        return "superseded"
    if (error := task.exception()) is not None:
        log.error("asking the language model failed", exc_info=error)
        return "fault"
    return task.result()


def _remarked(understood: Understood, remark: str) -> Understood:
    return replace(understood, reason=f"{understood.reason}; {remark}")


def _now() -> float:
    return asyncio.get_running_loop().time()
