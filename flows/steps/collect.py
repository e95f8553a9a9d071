"""collect: ask for a slot until it has a value, read it back where the slot says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flows.steps.base import Go, StepModel, Uses

if TYPE_CHECKING:
    from flows.turn import Turn


class CollectStep(StepModel):
    """`collect: slot`. A slot that is known already, from the caller's first words perhaps, is not asked for again."""

    verb: ClassVar[str] = "collect"
    collect: str

    @property
    def collects(self) -> str | None:
        return self.collect

    def uses(self) -> Uses:
        return Uses(slots=[(("collect",), self.collect)])

    def run(self, turn: Turn) -> Go:
        slot = turn.slot(self.collect)
        frame = turn.frame
        if self.collect not in frame["slots"]:
            turn.ask("slot", self.collect)
            return Go.STOP
        if slot.confirm == "read_back" and self.collect not in frame["confirmed"]:
            turn.ask("confirm", self.collect)
            return Go.STOP
        return Go.ON
