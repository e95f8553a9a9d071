"""verify: make sure who the caller is, by facts that only a company system can compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from flows import verification
from flows.steps.base import Branch, Go, Outcome, StepModel, Uses, Ways
from flows.templates import argument
from flows.texts import Name

if TYPE_CHECKING:
    from flows.turn import Turn


class Verify(BaseModel):
    """The facts, where the truth is, and how they have to agree."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    facts: list[Name] = Field(min_length=2)
    call: str
    with_: dict[str, Any] = Field(default={}, alias="with")
    match: dict[Name, Any] = Field(min_length=1)
    save: Name = "customer"
    tries: int = Field(default=2, ge=1, le=5)
    failed: Branch = Branch(handoff="not_verified")


class VerifyStep(StepModel):
    """`verify:` with `facts`, `call`, `match`. Only in files: see `flows.unfold`."""

    verb: ClassVar[str] = "verify"
    verify: Verify

    def run(self, turn: Turn) -> Go:
        raise AssertionError("unfolded when it is loaded")


class Recall(StepModel):
    """Before the facts are collected: who was verified in this call is not asked again, who failed too often neither.

    `to` is the step that compares.
    """

    verb: ClassVar[str] = "recall"
    facts: tuple[str, ...]
    tries: int
    to: int = 0

    def ways(self) -> Ways:
        return Ways(indices=(self.to,))

    def run(self, turn: Turn) -> Go:
        known = turn.data["verified"]
        given = turn.frame["slots"]
        if known and all(
            name in known["facts"] and given.get(name, known["facts"][name]) == known["facts"][name]
            for name in self.facts
        ):
            for name, value in known["facts"].items():
                turn.know(name, value)
        elif not known and turn.data["verification"]["failed"] >= self.tries:
            turn.frame["index"] = self.to
            return Go.JUMPED
        return Go.ON


class Compare(StepModel):
    """Asks whether another try is allowed, then the system, and compares.

    What it waits for stands in `data["verification"]["stage"]`: "begin", "ask", and, after a try that has not failed,
    "right" or "unclear".
    """

    verb: ClassVar[str] = "compare"
    verify: Verify
    first: int = 0  # the step that collects the first fact

    def uses(self) -> Uses:
        verify = self.verify
        uses = Uses(operations=[(("call",), verify.call)], defines={verify.save})
        uses.slots = [(("match", name), name) for name in verify.match]
        uses.arguments = [(("with", name), value) for name, value in verify.with_.items()]
        uses.add(verify.failed.uses(), "failed")
        return uses

    def ways(self) -> Ways:
        ways = self.verify.failed.ways()
        return Ways(bare=ways.on, indices=(self.first,), targets=ways.targets, collects=ways.collects, end=ways.end)

    def run(self, turn: Turn) -> Go:
        facts = {name: turn.frame["slots"].get(name) for name in self.verify.facts}
        known, state = turn.data["verified"], turn.data["verification"]
        if known and known["call"] == self.verify.call and known["facts"] == facts:
            turn.keep_answer(self.verify.call, self.verify.save, known["answer"])
            return Go.ON
        turn.data["verified"] = None
        if state["failed"] >= self.verify.tries:
            return self.verify.failed.run(turn, f"{turn.place}/failed")
        state["tries"] += 1
        first = self.verify.facts[0]
        return self._ask(turn, "begin", verification.BEGIN, {"fact": first, "value": facts[first]})

    def _ask(self, turn: Turn, stage: str, operation: str, arguments: dict[str, Any]) -> Go:
        state = turn.data["verification"]
        state["stage"] = stage
        if stage != "ask":
            arguments = {"try": f"{turn.data['call']['id']}/{state['tries']}", **arguments}
        turn.call_system(operation, arguments)
        return Go.STOP

    def resume(self, turn: Turn, outcome: Outcome, data: Any) -> Go:
        """Go on after the host or the system has answered."""
        match turn.data["verification"]["stage"]:
            case "begin":
                return self._begun(turn, outcome, data)
            case "ask":
                return self._answered(turn, outcome, data)
            case "right":
                return self._verified(turn)
        turn.hand_off("system_down")
        return Go.STOP

    def _begun(self, turn: Turn, outcome: Outcome, data: Any) -> Go:
        if outcome != "ok":
            turn.hand_off("system_down")  # nobody counts: no more tries are given away
            return Go.STOP
        if data["locked"]:
            turn.note("verification_locked", step=turn.place)
            turn.hand_off("verification_locked")
            return Go.STOP
        arguments = {name: argument(value, turn.values()) for name, value in self.verify.with_.items()}
        return self._ask(turn, "ask", self.verify.call, arguments)

    def _answered(self, turn: Turn, outcome: Outcome, data: Any) -> Go:
        if outcome not in ("ok", "not_found"):
            return self._ask(turn, "unclear", verification.WITHDRAW, {})
        if outcome == "ok" and self._agrees(turn, data):
            turn.data["verification"]["answer"] = data
            return self._ask(turn, "right", verification.WITHDRAW, {})
        state = turn.data["verification"]
        state["failed"] += 1
        turn.note("verification_failed", count=state["failed"], step=turn.place)
        if state["failed"] >= self.verify.tries:
            return self.verify.failed.run(turn, f"{turn.place}/failed")
        turn.say_phrase("verify_again")
        for name in self.verify.facts:
            turn.forget(name)
        turn.frame["index"] = self.first
        return Go.JUMPED

    def _agrees(self, turn: Turn, data: Any) -> bool:
        """All facts are compared, whatever the first ones gave: how long it takes tells nothing."""
        values = {**turn.values(), "answer": data}
        true = {name: argument(value, values) for name, value in self.verify.match.items()}
        return all([verification.same(turn.frame["slots"].get(name), value) for name, value in true.items()])

    def _verified(self, turn: Turn) -> Go:
        facts = {name: turn.frame["slots"].get(name) for name in self.verify.facts}
        answer = turn.data["verification"].pop("answer")
        turn.data["verified"] = {"call": self.verify.call, "facts": facts, "answer": answer}
        turn.keep_answer(self.verify.call, self.verify.save, answer)
        turn.note("verified", step=turn.place)
        return Go.ON
