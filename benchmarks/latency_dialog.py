"""The example shop's conversation for whoever has no voicebot around it: words in, words out.

The stock peer answers with it, so both sides understand and say the same; the callers learn from it what a right answer
is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import flows
from flows import (
    Action,
    Bot,
    CallStarted,
    CallSystem,
    EmbeddedUnderstanding,
    Engine,
    Event,
    Handoff,
    HangUp,
    Heard,
    NoInput,
    Say,
    SystemResult,
    Systems,
)
from flows.examples.shop_service import order
from tts.text import spoken

BOT = Path(flows.__file__).parent / "examples" / "shop"
VOICES = {"pl": "espeak:pl", "en": "espeak:en-us"}  # the bot's, on both sides


@dataclass(frozen=True)
class Answer:
    """What the bot says, in spoken words, one text a sentence of the flow. `over`: then it hangs up."""

    texts: tuple[str, ...]
    over: bool = False


class Dialog(Protocol):
    """One conversation, as a bot carries it on that is not ours."""

    async def begin(self) -> Answer: ...

    async def heard(self, text: str) -> Answer: ...

    async def silent(self) -> Answer:
        """The caller said nothing for a while."""


class KnownOrders:
    """The shop without HTTP."""

    async def call(self, action: CallSystem) -> SystemResult:
        found = order(str(action.arguments["number"]), date.today())
        return SystemResult(action.id, "ok" if found else "not_found", found)

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Shop:
    """Loaded once, for any number of calls."""

    bot: Bot
    engine: Engine
    understanding: EmbeddedUnderstanding

    @classmethod
    def load(cls) -> Shop:
        bot = flows.load_bot(BOT)
        return cls(bot, Engine(bot), EmbeddedUnderstanding(bot))


class ShopDialog:
    """One conversation. A handoff ends it: nobody is there to take the call."""

    def __init__(self, shop: Shop, systems: Systems, language: str) -> None:
        self._shop = shop
        self._systems = systems
        step = shop.engine.start(CallStarted("call", language=language), datetime.now())
        self._state = step.state
        self._greeting = step.actions

    async def begin(self) -> Answer:
        return await self._carry_out(self._greeting)

    async def heard(self, text: str) -> Answer:
        context = self._shop.engine.context(self._state)
        understood = await self._shop.understanding.understand(text, context)
        return await self._carry_out(self._step(Heard(understood, text)))

    async def silent(self) -> Answer:
        """The caller said nothing for a while."""
        return await self._carry_out(self._step(NoInput()))

    def _step(self, event: Event) -> tuple[Action, ...]:
        step = self._shop.engine.step(self._state, event, datetime.now())
        self._state = step.state
        return step.actions

    async def _carry_out(self, actions: tuple[Action, ...]) -> Answer:
        texts: list[str] = []
        over = False
        waiting = list(actions)
        while waiting:
            action = waiting.pop(0)
            if isinstance(action, Say):
                texts.append(spoken(action.spans, action.language))
            elif isinstance(action, CallSystem):
                waiting += self._step(await self._systems.call(action))
            over = over or isinstance(action, HangUp | Handoff)
        return Answer(tuple(texts), over)
