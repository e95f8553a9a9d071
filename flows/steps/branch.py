"""when / then / else: one way or the other; and the jumps that it is unfolded to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from flows.steps.base import Go, StepModel, Uses, Ways

if TYPE_CHECKING:
    from flows.turn import Turn


class WhenStep(StepModel):
    """`when: condition`, `then: [steps]`, `else: [steps]`. Only in files: see `flows.unfold`."""

    verb: ClassVar[str] = "then"
    when: str
    then: list[Any] = Field(min_length=1)
    else_: list[Any] = Field(default=[], alias="else")

    def run(self, turn: Turn) -> Go:
        raise AssertionError("unfolded when it is loaded")


class Fork(StepModel):
    """Goes on when `test` holds, else at step `otherwise`."""

    verb: ClassVar[str] = "fork"
    test: str
    otherwise: int = 0

    def uses(self) -> Uses:
        return Uses(expressions=[(("when",), self.test)])

    def ways(self) -> Ways:
        return Ways(indices=(self.otherwise,))

    def run(self, turn: Turn) -> Go:
        if turn.condition(self.test):
            return Go.ON
        turn.frame["index"] = self.otherwise
        return Go.JUMPED


class Jump(StepModel):
    """Goes on at step `to`."""

    verb: ClassVar[str] = "jump"
    to: int = 0

    def ways(self) -> Ways:
        return Ways(on=False, indices=(self.to,))

    def run(self, turn: Turn) -> Go:
        turn.frame["index"] = self.to
        return Go.JUMPED
