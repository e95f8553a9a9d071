"""log: a line for the call's record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flows.steps.base import Go, StepModel, Uses
from flows.texts import Text

if TYPE_CHECKING:
    from flows.turn import Turn


class LogStep(StepModel):
    """`log: text`; the caller hears nothing of it."""

    verb: ClassVar[str] = "log"
    log: Text

    def uses(self) -> Uses:
        return Uses(logged=[(("log",), self.log)])

    def run(self, turn: Turn) -> Go:
        turn.write_down(self.log)
        return Go.ON
