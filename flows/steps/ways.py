"""Steps that end a flow or lead elsewhere: handoff, ask_more, hang_up, go_to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from flows.steps.base import Go, StepModel, Uses, Ways
from flows.texts import Name

if TYPE_CHECKING:
    from flows.turn import Turn


class HandoffStep(StepModel):
    """`handoff: reason`, to the bot's queue or the one named."""

    verb: ClassVar[str] = "handoff"
    handoff: Name
    queue: str | None = None

    def uses(self) -> Uses:
        return Uses(queues=[(("queue",), self.queue)] if self.queue else [])

    def ways(self) -> Ways:
        return Ways(on=False, end=True)

    def run(self, turn: Turn) -> Go:
        turn.hand_off(self.handoff, queue=self.queue or "")
        return Go.STOP


class AskMoreStep(StepModel):
    """`ask_more`: the task is done; can I help with anything else?"""

    verb: ClassVar[str] = "ask_more"
    ask_more: Literal[True]

    def ways(self) -> Ways:
        return Ways(on=False, end=True)

    def run(self, turn: Turn) -> Go:
        return turn.finish_flow(and_hang_up=False)


class HangUpStep(StepModel):
    """`hang_up`: the task is done; the closing words, and the end of the call."""

    verb: ClassVar[str] = "hang_up"
    hang_up: Literal[True]

    def ways(self) -> Ways:
        return Ways(on=False, end=True)

    def run(self, turn: Turn) -> Go:
        return turn.finish_flow(and_hang_up=True)


class GoToStep(StepModel):
    """`go_to: label`, a step of this flow; or the name of another flow."""

    verb: ClassVar[str] = "go_to"
    go_to: str

    def uses(self) -> Uses:
        return Uses(targets=[(("go_to",), self.go_to)])

    def ways(self) -> Ways:
        return Ways(on=False, targets=(self.go_to,))

    def run(self, turn: Turn) -> Go:
        turn.jump(self.go_to)
        return Go.JUMPED
