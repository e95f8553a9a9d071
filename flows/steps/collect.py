"""collect: ask for a slot until it has a value, read it back where the slot says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from flows.steps.base import Go, StepModel, Uses

if TYPE_CHECKING:
    from flows.turn import Turn


def _names(value: Any) -> Any:
    names = value if isinstance(value, list) else [value]
    if names and all(isinstance(name, str) for name in names):
        return value
    raise PydanticCustomError("names", "must be the name of a slot, or a list of such names")


class CollectStep(StepModel):
    """`collect: slot`, or a list of slots. What is known, from the caller's first words perhaps, is not asked again."""

    verb: ClassVar[str] = "collect"
    collect: Annotated[str | list[str], BeforeValidator(_names)]

    def each(self) -> list[CollectStep]:
        """One step for each slot; the label belongs to the first."""
        names = self.collect if isinstance(self.collect, list) else [self.collect]
        first, *others = names
        return [
            CollectStep(collect=first, label=self.label, when=self.when),
            *(CollectStep(collect=name, when=self.when) for name in others),
        ]

    @property
    def collects(self) -> str | None:
        return self.collect if isinstance(self.collect, str) else None

    def uses(self) -> Uses:
        return Uses(slots=[(("collect",), name) for name in [self.collects] if name is not None])

    def run(self, turn: Turn) -> Go:
        assert self.collects is not None
        return Go.ON if collected(turn, self.collects) else Go.STOP


def collected(turn: Turn, name: str) -> bool:
    """Whether the slot has its value, confirmed as it wants to be; if not, the caller has been asked."""
    slot, frame = turn.slot(name), turn.frame
    if name not in frame["slots"]:
        turn.ask("slot", name)
        return False
    if frame["slots"][name] is None or name in frame["confirmed"]:
        return True
    if slot.confirm == "read_back":
        turn.ask("confirm", name)
        return False
    if slot.confirm == "implicit":
        turn.say_implied(name)
        frame["confirmed"].append(name)
    return True
