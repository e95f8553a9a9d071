"""Understanding that asks a language model where ours is not sure, and takes ours whenever that comes to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from flows import Bot, TurnContext, Understanding, Understood, command_name
from flows.choosing import Choice, Dropped, Question, Spoken, moves, question, read
from flows.commands import Abuse, AskHuman, AskMachine, Emergency, NoMatch, RefuseRecording, SetSlot, SpeakLanguage
from flows.words import tokens
from voicebot.config import LanguageModelSettings, PriceSettings
from voicebot.language_model.answer import Answer, Failure

SOURCE = "llm"
_CONFIDENCE, _AGREED = 0.8, 0.95  # models do not know how sure they are; that ours says the same counts for more
_AT_ONCE = Abuse | AskHuman | AskMachine | Emergency | RefuseRecording | SpeakLanguage
_DICTATED = ("digits", "spelled")
_KEPT = 4  # questions of a call whose answers may be wanted again
_STOOD_IN = {Failure.TIMEOUT: "slow", Failure.BUSY: "busy", Failure.LEFT_ALONE: "left_alone"}
_GRACE_S = 0.05  # for the model to end by its own deadline, which tells more


class Model(Protocol):
    """`LanguageModel`, or a fake. Raises nothing but CancelledError, and keeps its deadline."""

    name: str

    async def ask(self, question: Question) -> Answer: ...


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


@dataclass(frozen=True)
class _Asked:
    """A question that is with the model, or was."""

    words: tuple[str, ...]
    context: TurnContext
    until: float
    task: asyncio.Task[tuple[Choice, Decision]]

    def is_about(self, words: tuple[str, ...], context: TurnContext) -> bool:
        return self.words == words and self.context == context


class ChoosingUnderstanding:
    """Implements Understanding, for one call. `turns` gives what was said before, `tell` takes every decision.

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
        self._not_offered = frozenset() if bot.emergency else frozenset({"emergency"})
        self._turns = turns
        self._tell = tell
        self._asked: list[_Asked] = []  # the newest last
        self._tasks: set[asyncio.Task[tuple[Choice, Decision]]] = set()
        self._closed = False

    async def understand(self, text: str, context: TurnContext) -> Understood:
        """What was meant, at the latest when the model's deadline is over."""
        return await self.choose(await self._embedded.understand(text, context), text, context)

    def prepare(self, ours: Understood, text: str, context: TurnContext) -> None:
        """The caller pauses, and may have finished: the question goes out, and whoever chooses finds its answer."""
        if not self._closed and not self._settled(ours, text, context):
            self._ask(text, self._offered(context))

    async def choose(self, ours: Understood, text: str, context: TurnContext) -> Understood:
        """What was meant, where the embedded understanding took it for `ours`; within the model's deadline."""
        if self._closed or self._settled(ours, text, context):
            return ours
        asked = self._ask(text, self._offered(context))
        await asyncio.wait({asked.task}, timeout=max(asked.until + _GRACE_S - _now(), 0))
        if not asked.task.done():
            return _instead(ours, "timeout")
        if asked.task.cancelled():
            return _instead(ours, "superseded")
        choice, decision = asked.task.result()
        if decision.outcome != "chosen":
            return _instead(ours, decision.outcome)
        confidence = _AGREED if choice.commands == ours.commands else _CONFIDENCE
        return Understood(choice.commands, SOURCE, confidence, f"{self._model.name} chose ({decision.ms} ms)")

    async def aclose(self) -> None:
        """Cancel what is still being asked, and see its end."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _offered(self, context: TurnContext) -> TurnContext:
        return replace(context, commands=context.commands - self._not_offered)

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

    def _ask(self, text: str, context: TurnContext) -> _Asked:
        words = tuple(tokens(text))
        same = next((asked for asked in self._asked if asked.is_about(words, context)), None)
        for other in self._asked:
            if other is not same:
                other.task.cancel()
        if same is not None and not same.task.cancelling():
            return same
        task = asyncio.create_task(self._choose(text, context), name="ask the language model")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        asked = _Asked(words, context, _now() + self._settings.deadline_s, task)
        self._asked = [*(each for each in self._asked if each is not same), asked][-_KEPT:]
        return asked

    async def _choose(self, text: str, context: TurnContext) -> tuple[Choice, Decision]:
        began = _now()
        try:
            answer = await self._model.ask(question(text, context, moves(context), self._turns()))
        except asyncio.CancelledError:
            ms = round((_now() - began) * 1000)
            self._tell(Decision("", "superseded", "the caller went on, or the call ended", ms))
            raise
        if answer.failure is not None:
            choice, outcome, reason = Choice((NoMatch(),)), str(answer.failure), answer.detail
        else:
            choice = read(answer.text, text, context)
            outcome = "nothing" if choice.commands == (NoMatch(),) else "chosen"
            reason = "; ".join(dict.fromkeys(each.why for each in choice.dropped))
        commands = tuple(command_name(command) for command in choice.commands) if outcome == "chosen" else ()
        decision = Decision.of(
            answer, self._settings.prices, outcome, reason, commands=commands, dropped=choice.dropped
        )
        self._tell(decision)
        return choice, decision


def _instead(ours: Understood, why: str) -> Understood:
    """Ours, with a remark why the model's is not taken."""
    return replace(ours, reason=f"{ours.reason}; language model: {why}")


def _now() -> float:
    return asyncio.get_running_loop().time()
