"""The built-in flow that takes down the number to call back when no agent could take the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from flows.model import Bot, Flow
from flows.slots.digits import DigitsSlot
from flows.steps.base import Go, StepModel
from flows.steps.collect import CollectStep

if TYPE_CHECKING:
    from flows.turn import Turn

CALLBACK_FLOW = "callback"


class _PromiseStep(StepModel):
    verb: ClassVar[str] = "promise_callback"
    promise_callback: Literal[True] = True

    def run(self, turn: Turn) -> Go:
        turn.promise_callback(str(turn.frame["slots"]["number"]))
        turn.keep("promised", True)
        return Go.STOP if turn.data["handoff_failed"] else Go.ON


def callback_flow(bot: Bot) -> Flow:
    """`number` is confirmed at once when the caller's number is known, else asked for."""
    number = DigitsSlot(
        type="digits",
        pattern="[0-9]{9,15}",
        ask={language: bot.phrases[language]["callback_ask"][0] for language in bot.languages},
        confirm="read_back",
    )
    return Flow(
        name=CALLBACK_FLOW,
        description="Take down the number to call back.",
        slots={"number": number},
        steps=(CollectStep(collect="number"), _PromiseStep()),
    )
