"""Nested steps become the flat list that the engine walks: `when / then / else` and `choose` turn into jumps.

An index into that list is all that a frame has to remember. Every step keeps its path in the file, for messages and
for the call's record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flows.slots.base import Slot
from flows.slots.mark import CommentSlot, MarkSlot
from flows.steps.base import Path, StepModel
from flows.steps.branch import Fork, Jump, WhenStep
from flows.steps.choose import ChooseStep, Chosen
from flows.steps.collect import CollectStep
from flows.steps.survey import MARKS, AskComment, AskMark, SurveyStep, ThankForMark
from flows.steps.verify import Compare, Recall, VerifyStep

ParseStep = Callable[[Any, Path], StepModel | None]


@dataclass
class Unfolded:
    """The flat steps with their paths, and the slots that `choose` steps stand for, with theirs."""

    steps: list[StepModel] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    slots: dict[str, Slot] = field(default_factory=dict)
    slot_paths: dict[str, Path] = field(default_factory=dict)

    def add(self, step: StepModel, path: Path) -> int:
        self.steps.append(step)
        self.paths.append(path)
        return len(self.steps) - 1

    @property
    def end(self) -> int:
        return len(self.steps)


def unfold(raw: Any, parse: ParseStep) -> Unfolded:
    """The steps of a flow file; what `parse` could not read (and has reported) is left out."""
    found = Unfolded()
    _unfold(raw, ("steps",), parse, found)
    return found


def _unfold(raw: Any, path: Path, parse: ParseStep, found: Unfolded) -> None:
    for index, one in enumerate(raw) if isinstance(raw, list) else ():
        place = (*path, index)
        step = parse(one, place)
        if isinstance(step, WhenStep):
            _when(step, place, parse, found)
        elif isinstance(step, ChooseStep):
            _choose(step, place, parse, found)
        elif isinstance(step, VerifyStep):
            _verify(step, place, found)
        elif isinstance(step, SurveyStep):
            _survey(step, place, found)
        elif isinstance(step, CollectStep):
            for number, single in enumerate(step.each()):
                found.add(single, (*place, "collect", number) if isinstance(step.collect, list) else place)
        elif step is not None:
            found.add(step, place)


def _when(step: WhenStep, place: Path, parse: ParseStep, found: Unfolded) -> None:
    fork = found.add(Fork(label=step.label, test=step.when), place)
    _unfold(step.then, (*place, "then"), parse, found)
    otherwise = found.end
    if step.else_:
        over = found.add(Jump(), (*place, "else"))
        otherwise = found.end
        _unfold(step.else_, (*place, "else"), parse, found)
        found.steps[over] = Jump(to=found.end)
    found.steps[fork] = Fork(label=step.label, test=step.when, otherwise=otherwise)


def _verify(step: VerifyStep, place: Path, found: Unfolded) -> None:
    verify = step.verify
    fork = found.add(Jump(), place) if step.when is not None else None
    label = step.label if fork is None else None
    recall = found.add(Jump(), place)
    for number, fact in enumerate(verify.facts):
        found.add(CollectStep(collect=fact), (*place, "verify", "facts", number))
    compare = found.add(Compare(verify=verify, first=recall + 1), (*place, "verify"))
    found.steps[recall] = Recall(facts=tuple(verify.facts), tries=verify.tries, to=compare, label=label)
    if fork is not None and step.when is not None:
        found.steps[fork] = Fork(label=step.label, test=step.when, otherwise=found.end)


def _survey(step: SurveyStep, place: Path, found: Unfolded) -> None:
    fork = found.add(Jump(), place) if step.when is not None else None
    name = f"mark_{len(found.slots) + 1}"
    lowest, highest = MARKS[step.survey]
    mark = MarkSlot(type="integer", minimum=lowest, maximum=highest)
    found.slots[name] = mark.model_copy(update={"ask": step.ask}) if step.ask else mark
    found.slot_paths[name] = place
    after = found.end + (2 if step.comment else 1)
    label = step.label if fork is None else None
    found.add(AskMark(label=label, slot=name, kind=step.survey, asks=f"survey_{step.survey}", after=after), place)
    if step.comment:
        reason = name.replace("mark", "comment")
        found.slots[reason], found.slot_paths[reason] = CommentSlot(type="text"), place
        found.add(AskComment(slot=reason, asks="survey_comment", after=after), place)
    found.add(ThankForMark(), place)
    if fork is not None and step.when is not None:
        found.steps[fork] = Fork(label=step.label, test=step.when, otherwise=found.end)


def _choose(step: ChooseStep, place: Path, parse: ParseStep, found: Unfolded) -> None:
    choose = step.choose
    name = choose.save or f"choice_{len(found.slots) + 1}"
    found.slots[name] = choose.slot()
    found.slot_paths[name] = (*place, "choose")
    chosen = found.add(Chosen(slot=name), place)
    targets: dict[str, int] = {}
    over: list[int] = []
    for option, what in choose.options.items():
        if not what.then:
            continue
        targets[option] = found.end
        inside = (*place, "choose", "options", option, "then")
        _unfold(what.then, inside, parse, found)
        over.append(found.add(Jump(), inside))
    for index in over:
        found.steps[index] = Jump(to=found.end)
    found.steps[chosen] = Chosen(label=step.label, when=step.when, slot=name, targets=targets, otherwise=found.end)
