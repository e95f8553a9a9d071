"""What every step has in common. A step is one class in one module, registered in `flows.steps`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from flows.errors import TemplateFailed
from flows.texts import Name, Text

if TYPE_CHECKING:
    from flows.turn import Turn

Path = tuple[str | int, ...]
Outcome = Literal["ok", "not_found", "failed", "unknown"]


class Go(Enum):
    """What comes after a step."""

    ON = auto()  # the next step
    JUMPED = auto()  # the step that the frame's index names now
    STOP = auto()  # somebody else has to act: the caller, a system, an agent


@dataclass
class Uses:
    """What a step refers to, each with its path in the step, for the validator."""

    texts: list[tuple[Path, dict[str, str]]] = field(default_factory=list)
    logged: list[tuple[Path, dict[str, str]]] = field(default_factory=list)  # texts that nobody hears
    expressions: list[tuple[Path, str]] = field(default_factory=list)
    arguments: list[tuple[Path, Any]] = field(default_factory=list)
    slots: list[tuple[Path, str]] = field(default_factory=list)
    targets: list[tuple[Path, str]] = field(default_factory=list)
    queues: list[tuple[Path, str]] = field(default_factory=list)
    operations: list[tuple[Path, str]] = field(default_factory=list)
    defines: set[str] = field(default_factory=set)

    def add(self, other: Uses, under: str) -> None:
        """Take over what a branch of the step refers to."""
        self.texts += [((under, *path), text) for path, text in other.texts]
        self.slots += [((under, *path), slot) for path, slot in other.slots]
        self.targets += [((under, *path), target) for path, target in other.targets]
        self.queues += [((under, *path), queue) for path, queue in other.queues]


@dataclass(frozen=True)
class Ways:
    """Where a step can lead: the next step, steps by index, labels or flows, back to collecting a slot, the end.

    `bare`: also to the next step without having set what it defines, as when a system has no answer.
    """

    on: bool = True
    bare: bool = False
    indices: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    collects: tuple[str, ...] = ()
    end: bool = False


class StepModel(BaseModel, ABC):
    """Keys that every step may carry, and what the engine and the validator ask of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    verb: ClassVar[str]

    label: Name | None = None
    when: str | None = None

    @property
    def collects(self) -> str | None:
        """The slot that this step collects."""
        return None

    @property
    def question(self) -> str:
        """The phrase that asks for what this step collects, where its slot has no words of its own."""
        return ""

    @property
    def way_out(self) -> int | None:
        """Where a caller who does not answer is left in peace: the step that comes then. None: a person helps."""
        return None

    def uses(self) -> Uses:
        """What this step refers to, its own `when` aside."""
        return Uses()

    def ways(self) -> Ways:
        """Where this step can lead when it is carried out."""
        return Ways()

    @abstractmethod
    def run(self, turn: Turn) -> Go:
        """Carry the step out. Raises TemplateFailed."""

    def resume(self, turn: Turn, outcome: Outcome, data: Any) -> Go:
        """Go on after the system that this step asked has answered. Raises TemplateFailed."""
        raise TemplateFailed(f"The step `{self.verb}` has not asked any system.")


class Branch(BaseModel):
    """What to do after a call that did not go well: say something, then one of the ways on (none: the next step)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: Text | None = None
    retry: str | None = None
    times: int = 2
    handoff: Name | None = None
    queue: str | None = None
    go_to: str | None = None
    ask_more: bool = False
    hang_up: bool = False

    def endings(self) -> list[str]:
        """The keys of this branch that say how to go on; more than one contradict each other."""
        return [name for name in ("retry", "handoff", "go_to", "ask_more", "hang_up") if getattr(self, name)]

    def uses(self) -> Uses:
        """What the branch refers to."""
        uses = Uses()
        if self.say:
            uses.texts.append((("say",), self.say))
        if self.retry:
            uses.slots.append((("retry",), self.retry))
        if self.go_to:
            uses.targets.append((("go_to",), self.go_to))
        if self.queue:
            uses.queues.append((("queue",), self.queue))
        return uses

    def ways(self) -> Ways:
        """Where the branch leads."""
        return Ways(
            on=not self.endings(),
            targets=(self.go_to,) if self.go_to else (),
            collects=(self.retry,) if self.retry else (),
            end=bool(self.handoff or self.retry or self.ask_more or self.hang_up),
        )

    def run(self, turn: Turn, place: str) -> Go:
        """Carry the branch out; `place` names it in the call's record, such as "order_status/2/not_found"."""
        if self.retry and not turn.may_retry(place, self.times):
            turn.hand_off("too_many_tries", queue=self.queue or "")
            return Go.STOP
        if self.say:
            turn.say(self.say, place)
        if self.retry:
            turn.forget(self.retry)
            turn.jump_to_slot(self.retry)
            return Go.JUMPED
        if self.go_to:
            turn.jump(self.go_to)
            return Go.JUMPED
        if self.handoff:
            turn.hand_off(self.handoff, queue=self.queue or "")
            return Go.STOP
        if self.ask_more or self.hang_up:
            return turn.finish_flow(and_hang_up=self.hang_up)
        return Go.ON
