"""survey: ask for a mark, and for the reason; who does not want to answer is left in peace."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from flows.steps.base import Go, StepModel, Uses, Ways
from flows.steps.collect import collected
from flows.texts import Text

if TYPE_CHECKING:
    from flows.turn import Turn

# Kinds of surveys: the lowest and the highest mark.
MARKS: dict[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


class SurveyStep(StepModel):
    """`survey: nps`, `csat` or `ces`; `ask`, `comment`. Only in files: see `flows.unfold`."""

    verb: ClassVar[str] = "survey"
    survey: Literal["nps", "csat", "ces"]
    ask: Text | None = None
    comment: bool = False

    def run(self, turn: Turn) -> Go:
        raise AssertionError("unfolded when it is loaded")


class _Question(StepModel):
    """One question of a survey. `after` is the step that comes when it is over, or not answered."""

    slot: str
    after: int
    asks: str

    @property
    def collects(self) -> str | None:
        return self.slot

    @property
    def question(self) -> str:
        return self.asks

    @property
    def way_out(self) -> int | None:
        return self.after

    def uses(self) -> Uses:
        return Uses(defines={self.slot})

    def ways(self) -> Ways:
        return Ways(indices=(self.after,))


class AskMark(_Question):
    """The mark. It is recorded at once: who hangs up while the reason is asked for has given it all the same."""

    verb: ClassVar[str] = "ask_mark"
    kind: str

    def run(self, turn: Turn) -> Go:
        if not collected(turn, self.slot):
            return Go.STOP
        turn.record_mark(self.kind, turn.frame["slots"][self.slot])
        turn.forget(self.slot)
        return Go.ON


class AskComment(_Question):
    """The reason; the mark is recorded again, with it."""

    verb: ClassVar[str] = "ask_comment"

    def run(self, turn: Turn) -> Go:
        if not collected(turn, self.slot):
            return Go.STOP
        turn.add_comment(str(turn.frame["slots"][self.slot]))
        turn.forget(self.slot)
        return Go.ON


class ThankForMark(StepModel):
    """Says thank you, when there was a mark."""

    verb: ClassVar[str] = "thank_for_mark"

    def run(self, turn: Turn) -> Go:
        if turn.take_mark():
            turn.say_phrase("survey_thanks")
        return Go.ON
