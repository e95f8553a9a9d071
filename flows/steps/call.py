"""call: ask a company system, and go on by what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from flows.steps.base import Branch, Go, Outcome, StepModel, Uses, Ways
from flows.templates import argument
from flows.texts import Name

if TYPE_CHECKING:
    from flows.turn import Turn

_SYSTEM_DOWN = Branch(handoff="system_down")


class CallStep(StepModel):
    """`call: system.operation` with arguments; `save` names the answer.

    `not_found` without a branch of its own counts as failed; so does an unknown outcome of a reading operation.
    """

    verb: ClassVar[str] = "call"
    call: str
    with_: dict[str, Any] = Field(default={}, alias="with")
    save: Name | None = None
    not_found: Branch | None = None
    failed: Branch | None = None
    unknown_outcome: Branch | None = None

    def _branches(self) -> dict[str, Branch]:
        named = {"not_found": self.not_found, "failed": self.failed, "unknown_outcome": self.unknown_outcome}
        return {name: branch for name, branch in named.items() if branch is not None}

    def uses(self) -> Uses:
        uses = Uses(operations=[(("call",), self.call)], defines={self.save} if self.save else set())
        uses.arguments = [(("with", name), value) for name, value in self.with_.items()]
        for name, branch in self._branches().items():
            uses.add(branch.uses(), name)
        return uses

    def ways(self) -> Ways:
        ways = [branch.ways() for branch in self._branches().values()]
        return Ways(
            bare=any(way.on for way in ways),
            targets=tuple(target for way in ways for target in way.targets),
            collects=tuple(slot for way in ways for slot in way.collects),
            end=any(way.end for way in ways),
        )

    def run(self, turn: Turn) -> Go:
        turn.call_system(self.call, {name: argument(value, turn.values()) for name, value in self.with_.items()})
        return Go.STOP

    def resume(self, turn: Turn, outcome: Outcome, data: Any) -> Go:
        """Go on after the system has answered."""
        if outcome == "ok":
            if self.save:
                turn.keep_answer(self.call, self.save, data)
            return Go.ON
        name = "unknown_outcome" if outcome == "unknown" else outcome
        branches = self._branches()
        name = name if name in branches else "failed"
        return branches.get(name, _SYSTEM_DOWN).run(turn, f"{turn.place}/{name}")
