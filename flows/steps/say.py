"""say: words for the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flows.steps.base import Go, StepModel, Uses
from flows.texts import Text

if TYPE_CHECKING:
    from flows.turn import Turn


class SayStep(StepModel):
    """`say: text`."""

    verb: ClassVar[str] = "say"
    say: Text

    def uses(self) -> Uses:
        return Uses(texts=[(("say",), self.say)])

    def run(self, turn: Turn) -> Go:
        turn.say(self.say, turn.place)
        return Go.ON
