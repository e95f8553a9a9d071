"""sub_flow: do another flow, then come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from flows.steps.base import Go, StepModel, Uses, Ways
from flows.templates import argument
from flows.texts import Name

if TYPE_CHECKING:
    from flows.turn import Turn


class SubFlowStep(StepModel):
    """`sub_flow: name`; `with` gives it values for its slots, `save` takes values over from it."""

    verb: ClassVar[str] = "sub_flow"
    sub_flow: str
    with_: dict[str, Any] = Field(default={}, alias="with")
    save: dict[Name, str] = Field(default={})

    def uses(self) -> Uses:
        return Uses(
            arguments=[(("with", name), value) for name, value in self.with_.items()],
            targets=[(("sub_flow",), self.sub_flow)],
            defines={*self.save},
        )

    def ways(self) -> Ways:
        return Ways()

    def run(self, turn: Turn) -> Go:
        values = {name: argument(value, turn.values()) for name, value in self.with_.items()}
        turn.enter_sub_flow(self.sub_flow, values, dict(self.save))
        return Go.JUMPED
