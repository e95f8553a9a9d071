"""set: work a value out and keep it under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from flows.steps.base import Go, StepModel, Uses
from flows.templates import argument

if TYPE_CHECKING:
    from flows.turn import Turn


class SetStep(StepModel):
    """`set: {name: value}`; "{{ expression }}" keeps the type of what it gives."""

    verb: ClassVar[str] = "set"
    set: dict[str, Any] = Field(min_length=1)

    def uses(self) -> Uses:
        return Uses(arguments=[(("set", name), value) for name, value in self.set.items()], defines={*self.set})

    def run(self, turn: Turn) -> Go:
        for name, value in self.set.items():
            turn.keep(name, argument(value, turn.values()))
        return Go.ON
