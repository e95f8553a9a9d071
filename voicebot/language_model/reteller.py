"""Asks a language model to tell a call in its own words while it is being handed over. The handoff never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flows.knowledge import Grounded, Refused
from voicebot.config import LanguageModelSettings
from voicebot.language_model.retelling import can_retell, question, told
from voicebot.language_model.understanding import Decision, Model
from voicebot.summary import Summary

_PURPOSE = "summary"


class Reteller:
    """For one call. `tell` takes what became of every question. Close it at the end of the call."""

    def __init__(self, model: Model, settings: LanguageModelSettings, tell: Callable[[Decision], None]) -> None:
        self._model = model
        self._settings = settings
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self.told = ""
        """What the model has told of the call so far, checked; empty until it has, and where it may not be used."""

    def ask(self, summary: Summary) -> None:
        """The call is being handed over, `summary` is our own. A question that is still out is taken back."""
        if self._task is not None:
            self._task.cancel()
        self.told = ""
        if can_retell(summary):
            self._task = asyncio.create_task(self._ask(summary), name="ask the language model for a summary")

    async def aclose(self) -> None:
        """Take back what is still being asked, and see its end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, summary: Summary) -> None:
        began = asyncio.get_running_loop().time()
        try:
            answer = await self._model.ask(question(summary), self._settings.summary_deadline_s)
            # A long transcript takes a while to compare, and calls go on beside it.
            found = None if answer.failure else await asyncio.to_thread(told, answer.text, summary)
        except asyncio.CancelledError:
            ms = round((asyncio.get_running_loop().time() - began) * 1000)
            self._tell(Decision("", "superseded", "the call ended, or was handed over again", ms, purpose=_PURPOSE))
            raise
        match found:
            case None:
                outcome, reason = str(answer.failure), answer.detail
            case Refused(check=check):
                outcome, reason = "nothing", f"check: {check}"
            case Grounded(answer=text):
                self.told, outcome, reason = text, "told", ""
        self._tell(Decision.of(answer, self._settings.prices, outcome, reason, purpose=_PURPOSE))
