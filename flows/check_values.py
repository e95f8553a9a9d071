"""Checks that values are set before they are used, on every way that leads to their use.

What is certain at a step is worked out along the ways between steps: a name that was set, or that was set wherever a
condition held. So `collect: number, when: urgent` makes `number` certain under `when: urgent`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from flows.check_names import BUILT_IN, MALFORMED
from flows.conditions import Claim, claims, optional_names, tested
from flows.model import Flow
from flows.slots import ChoiceSlot
from flows.steps import StepModel
from flows.steps.base import Path
from flows.steps.branch import Fork
from flows.steps.choose import Chosen
from flows.steps.set import SetStep
from flows.steps.sub_flow import SubFlowStep
from flows.steps.verify import Compare, Recall
from flows.templates import as_text, has_variables, variables

Fact = tuple[Claim | None, str]  # this name is set, where the claim holds; None: always
Add = Callable[[int, Path, str, str], None]


@dataclass(frozen=True)
class _Way:
    """A way to another step: what has been set when it is taken, and what then holds."""

    to: int
    sets: frozenset[str] = frozenset()
    holds: tuple[Claim, ...] = ()


def check_values(flow: Flow, flows: Mapping[str, Flow], add: Add) -> None:
    """Report every value of a flow that is used where it can not be set, or may not be: the first such place."""
    check = _ValueCheck(flow, given_by_callers(flow, flows.values()))
    told: set[str] = set()
    for index, path, name, message, remedy in check.mistakes():
        if name not in told:
            told.add(name)
            add(index, path, message.format(name), remedy.format(name))


def given_by_callers(flow: Flow, flows: Iterable[Flow]) -> frozenset[str]:
    """Slots that every flow gives which does this one as a sub flow; none when callers can begin it themselves."""
    steps = (step for other in flows for step in other.steps)
    given = [set(step.with_) for step in steps if isinstance(step, SubFlowStep) and step.sub_flow == flow.name]
    return frozenset(set.intersection(*given)) if given and not flow.entry else frozenset()


class _ValueCheck:
    def __init__(self, flow: Flow, given: frozenset[str]) -> None:
        self._flow = flow
        self._claims = {claim for step in flow.steps for claim in _claims_of(flow, step)}
        self._claims |= {opposite(claim) for claim in self._claims}
        self._names = frozenset(name for step in flow.steps for name in _sets(step)) | given
        start = frozenset(fact for name in given for fact in self._facts(name))
        self._ways = [list(_ways(flow, index)) for index in range(len(flow.steps))]
        self._certain: dict[int, frozenset[Fact]] = {0: start}
        self._possible: dict[int, frozenset[str]] = {0: given}
        self._walk()

    def _walk(self) -> None:
        """Follow the ways until nothing changes: certain is what all of them bring, possible what one does."""
        open_ = [0]
        while open_:
            index = open_.pop()
            for way in self._ways[index] if index < len(self._ways) else ():
                certain = self._after(self._certain[index], way)
                possible = self._possible[index] | way.sets
                if way.to in self._certain:
                    certain &= self._certain[way.to]
                    possible |= self._possible[way.to]
                if (certain, possible) != (self._certain.get(way.to), self._possible.get(way.to)):
                    self._certain[way.to], self._possible[way.to] = certain, possible
                    open_.append(way.to)

    def _facts(self, name: str) -> Iterator[Fact]:
        """Who is set is set whatever holds."""
        yield None, name
        for claim in self._claims:
            yield claim, name

    def _after(self, facts: frozenset[Fact], way: _Way) -> frozenset[Fact]:
        found = set(facts)
        for claim in way.holds:
            found |= {fact for other, name in facts if other == claim for fact in self._facts(name)}
            found |= {(opposite(claim), name) for name in self._names}
        for name in way.sets:
            found.update(self._facts(name))
        return frozenset(found)

    def mistakes(self) -> Iterator[tuple[int, Path, str, str, str]]:
        """Step, path in it, name, message and remedy, in the order of the steps."""
        for index, step in enumerate(self._flow.steps):
            if index not in self._certain:
                continue  # told elsewhere: it is never reached
            certain, possible = self._certain[index], self._possible[index]
            for path, written in _expressions(self._flow, step):
                for name in sorted(_needed(written) & self._names):
                    if name not in possible:
                        message, remedy = "`{}` is used here before anything has set it.", "Set it before this step."
                        yield index, path, name, message, remedy
                    elif (None, name) not in certain:
                        message = "There is a way to this step on which `{}` is not set."
                        remedy = "Set it on every way, or guard this with `when: {} is defined`."
                        yield index, path, name, message, remedy
                if path == ("when",) and step.when is not None:
                    certain = self._after(certain, _Way(index, _assured(step.when, holds=True), _claims(step.when)))
                elif isinstance(step, SetStep):  # one value may be made of those before it
                    name = str(path[-1])
                    certain, possible = self._after(certain, _Way(index, frozenset({name}))), possible | {name}


def _needed(written: str) -> frozenset[str]:
    """Names that a text or condition can not do without."""
    try:
        return variables(written) - optional_names(written) - BUILT_IN
    except MALFORMED:
        return frozenset()  # told elsewhere


def opposite(claim: Claim) -> Claim:
    """The claim that holds where this one does not."""
    return claim[0], not claim[1]


def _claims_of(flow: Flow, step: StepModel) -> tuple[Claim, ...]:
    """All that is claimed about the ways on from a step."""
    if isinstance(step, Chosen):
        return tuple(_is(step, option, True) for option in _options(flow, step))
    condition = step.test if isinstance(step, Fork) else step.when
    return _claims(condition) if condition is not None else ()


def _options(flow: Flow, step: Chosen) -> tuple[str, ...]:
    slot = flow.slots[step.slot]
    return tuple(slot.options) if isinstance(slot, ChoiceSlot) else ()


def _is(step: Chosen, option: str, holds: bool) -> Claim:
    """That the option was chosen, in the form of the condition that asks for it."""
    (claim,) = claims(f"{step.slot} == '{option}'")
    return claim if holds else opposite(claim)


def _claims(condition: str) -> tuple[Claim, ...]:
    try:
        return claims(condition)
    except MALFORMED:
        return ()  # told elsewhere


def _assured(condition: str, *, holds: bool) -> frozenset[str]:
    """Names that are certainly set where a condition holds, or does not, since it asks for just that."""
    try:
        names = tested(condition)
    except MALFORMED:
        return frozenset()  # told elsewhere
    return names.where_true if holds else names.where_false


def _sets(step: StepModel) -> frozenset[str]:
    """Names that a step sets when it goes well."""
    facts = step.facts if isinstance(step, Recall) else ()
    return frozenset(step.uses().defines) | ({step.collects} if step.collects else set()) | frozenset(facts)


def _ways(flow: Flow, index: int) -> Iterator[_Way]:
    """Every way on from a step. Where it may be left out there is one more, past it."""
    step, on = flow.steps[index], index + 1
    condition = step.test if isinstance(step, Fork) else step.when
    held = _claims(condition) if condition is not None else ()
    assured = _assured(condition, holds=True) if condition is not None else frozenset()
    if condition is not None:
        past = step.otherwise if isinstance(step, Fork) else on
        yield _Way(past, _assured(condition, holds=False), _denied(held))
    ways, sets = step.ways(), assured | _sets(step)
    if isinstance(step, Chosen):
        for option in _options(flow, step):
            chosen = tuple(_is(step, each, each == option) for each in _options(flow, step))
            yield _Way(step.targets.get(option, step.otherwise), sets, (*held, *chosen))
        return
    if ways.on:
        yield _Way(on, sets, held)
    if ways.bare:
        yield _Way(on, assured, held)
    if not isinstance(step, Fork):
        known = sets if isinstance(step, Recall) else assured
        yield from (_Way(to, known, held) for to in flow.leads(ways) if to < len(flow.steps))


def _denied(held: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """Of several claims only one need be wrong: nothing is known then."""
    return (opposite(held[0]),) if len(held) == 1 else ()


def _expressions(flow: Flow, step: StepModel) -> Iterator[tuple[Path, str]]:
    """Whatever a step works out, each with its path, as a template."""
    uses = step.uses()
    conditions = [(("when",), step.when)] if step.when is not None else []
    yield from ((path, as_text(one)) for path, one in (*conditions, *uses.expressions))
    slot = flow.slots.get(step.collects or "")
    texts = [*uses.texts, *uses.logged, *([((), slot.ask)] if slot is not None and slot.ask else [])]
    yield from ((path, one) for path, text in texts for one in text.values())
    values = [*uses.arguments]
    if isinstance(step, Compare):
        values += [(("match", name), value) for name, value in step.verify.match.items()]
    yield from ((path, value) for path, value in values if isinstance(value, str) and has_variables(value))
