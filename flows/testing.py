"""For tests and for the text chat: a conversation driven by typed words, and company systems with recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from flows.actions import Action, CallSystem, Handoff, Listen, Note, Say
from flows.answers import RecordedSystems as FakeSystemClient
from flows.engine import Engine
from flows.events import CallStarted, Event, HandoffFailed, Heard, Interrupted, Keys, NoInput, SystemSlow
from flows.spans import plain_text
from flows.state import State, Understanding
from flows.systems import Systems

__all__ = ["Conversation", "FakeSystemClient", "Systems"]


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class Conversation:
    """A call by text: words in, words out. Company systems are asked at once; time is what `clock` says."""

    def __init__(
        self,
        engine: Engine,
        understanding: Understanding,
        systems: Systems,
        *,
        clock: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self._engine = engine
        self._understanding = understanding
        self._systems = systems
        self._clock = clock
        self._state: State | None = None
        self.actions: list[Action] = []  # of the last turn

    @property
    def state(self) -> State:
        """The state after the last turn. Only after `start`."""
        if self._state is None:
            raise RuntimeError("The conversation has not been started.")
        return self._state

    @property
    def ended(self) -> bool:
        """Whether the bot has hung up."""
        return self._state is not None and self._state.mode == "ended"

    @property
    def handoff(self) -> Handoff | None:
        """The handoff that is under way."""
        handoffs = [action for action in self.actions if isinstance(action, Handoff)]
        return handoffs[-1] if handoffs and self.state.mode == "transferring" else None

    async def start(
        self,
        *,
        language: str = "",
        caller: str = "",
        dialled: str = "",
        call_id: str = "chat",
        channel: Literal["voice", "chat"] = "chat",
    ) -> list[str]:
        """Begin; the greeting."""
        step = self._engine.start(CallStarted(call_id, caller, dialled, language, channel), self._clock())
        self._state, self.actions = step.state, list(step.actions)
        return self.heard()

    async def say(self, text: str) -> list[str]:
        """The caller says something; what the bot says to it."""
        understood = await self._understanding.understand(text, self._engine.context(self.state))
        return await self.send(Heard(understood, text))

    async def interrupt(self, text: str) -> list[str]:
        """The caller says it into the bot's last sentence, of which nothing was heard. Some can not be talked over."""
        said = [action for action in self.actions if isinstance(action, Say)]
        if said and said[-1].interruptible:
            await self.send(Interrupted(missed=plain_text(said[-1].spans)))
        return await self.say(text)

    async def press(self, keys: str) -> list[str]:
        """The caller presses keys, gathered as one entry."""
        return await self.send(Keys(keys))

    async def silence(self) -> list[str]:
        """The caller says nothing."""
        return await self.send(NoInput())

    async def nobody_answers(self) -> list[str]:
        """No agent took the call."""
        return await self.send(HandoffFailed("no_answer"))

    async def send(self, event: Event) -> list[str]:
        """Any event, and the company systems that have to be asked because of it."""
        self.actions = []
        waiting: list[Event] = [event]
        while waiting:
            step = self._engine.step(self.state, waiting.pop(0), self._clock())
            self._state = step.state
            self.actions += step.actions
            for action in step.actions:
                if isinstance(action, CallSystem):
                    result = await self._systems.call(action)
                    slow = isinstance(self._systems, FakeSystemClient) and self._systems.took_s > action.slow_after_s
                    waiting += [SystemSlow(action.id), result] if slow else [result]
        return self.heard()

    def heard(self) -> list[str]:
        """What the bot said in the last turn, as text, one entry for each `Say`."""
        return [plain_text(action.spans) for action in self.actions if isinstance(action, Say)]

    def notes(self) -> Sequence[Note]:
        """The decisions of the last turn."""
        return [action for action in self.actions if isinstance(action, Note)]

    def listening(self) -> Listen | None:
        """What the bot waits for."""
        listens = [action for action in self.actions if isinstance(action, Listen)]
        return listens[-1] if listens else None
