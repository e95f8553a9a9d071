"""choose: let the caller choose, by words or keys, and go on by what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.slots.choice import ChoiceSlot
from flows.steps.base import Go, StepModel, Uses, Ways
from flows.steps.collect import collected
from flows.texts import Name, Phrases, Text, Wordings

if TYPE_CHECKING:
    from flows.turn import Turn


class Option(BaseModel):
    """Words for it, and what then happens."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    words: Phrases
    then: list[Any] = []


class Choose(BaseModel):
    """The question and its answers. Keys are 1 to 9 in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ask: Text
    options: dict[Name, Option] = Field(min_length=2)
    save: Name | None = None
    no_match: Wordings = []
    no_input: Wordings = []
    confirm: Literal["none", "implicit", "read_back"] = "none"

    def slot(self) -> ChoiceSlot:
        """The question as a slot."""
        return ChoiceSlot(
            type="choice",
            ask=self.ask,
            no_match=self.no_match,
            no_input=self.no_input,
            confirm=self.confirm,
            options={name: option.words for name, option in self.options.items()},
        )


class ChooseStep(StepModel):
    """`choose:` with `ask`, `options`, `save`. Only in files: see `flows.unfold`."""

    verb: ClassVar[str] = "choose"
    choose: Choose

    def run(self, turn: Turn) -> Go:
        raise AssertionError("unfolded when it is loaded")


class Chosen(StepModel):
    """Asks, and goes on at the step of the option that was chosen; at `otherwise` for one without steps of its own."""

    verb: ClassVar[str] = "chosen"
    slot: str
    targets: dict[str, int] = Field(default={})
    otherwise: int = 0

    @property
    def collects(self) -> str | None:
        return self.slot

    def uses(self) -> Uses:
        return Uses(defines={self.slot})

    def ways(self) -> Ways:
        return Ways(on=False, indices=(*self.targets.values(), self.otherwise))

    def run(self, turn: Turn) -> Go:
        if not collected(turn, self.slot):
            return Go.STOP
        chosen = str(turn.frame["slots"][self.slot])
        turn.forget(self.slot)  # who comes here again is asked again
        turn.keep(self.slot, chosen)
        turn.note("chosen", option=chosen, step=turn.place)
        turn.frame["index"] = self.targets.get(chosen, self.otherwise)
        return Go.JUMPED
