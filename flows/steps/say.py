"""say: words for the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from flows.steps.base import Go, StepModel, Uses
from flows.texts import Wordings

if TYPE_CHECKING:
    from flows.turn import Turn


class SayStep(StepModel):
    """`say: text`, or a list of texts: variants, never the same one twice running."""

    verb: ClassVar[str] = "say"
    say: Wordings = Field(min_length=1)
    interruptible: bool = True

    def uses(self) -> Uses:
        if len(self.say) == 1:
            return Uses(texts=[(("say",), self.say[0])])
        return Uses(texts=[(("say", index), text) for index, text in enumerate(self.say)])

    def run(self, turn: Turn) -> Go:
        turn.say_variant(self.say, turn.place, interruptible=self.interruptible)
        return Go.ON
