"""callback: take down the number to call back, and promise it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flows.steps.base import Go, StepModel, Uses
from flows.texts import Name

if TYPE_CHECKING:
    from flows.turn import Turn


class CallbackStep(StepModel):
    """`callback: reason`; `callback_promised` then tells whether there was a promise."""

    verb: ClassVar[str] = "callback"
    callback: Name
    queue: str | None = None

    def uses(self) -> Uses:
        return Uses(queues=[(("queue",), self.queue)] if self.queue else [], defines={"callback_promised"})

    def run(self, turn: Turn) -> Go:
        turn.enter_callback(self.callback, self.queue or "")
        return Go.JUMPED
