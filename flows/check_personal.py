"""A text that says a personal field needs a `verify` on every way to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from flows.check_names import MALFORMED
from flows.model import Flow, System
from flows.reach import reached
from flows.steps import CallStep, StepModel
from flows.steps.base import Path
from flows.steps.branch import Fork
from flows.steps.set import SetStep
from flows.steps.sub_flow import SubFlowStep
from flows.steps.verify import Compare
from flows.steps.ways import AskMoreStep, HangUpStep
from flows.templates import fields_said, has_variables

_ONLY_VERIFIED = re.compile(r"verified( and (?!.*\bor\b).*)?")
_NOT_VERIFIED = re.compile(r"not verified")
_ANY = "*"  # every part of a value is personal

Add = Callable[[int, Path, str, str], None]


@dataclass
class _Said:
    """Where a flow's personal values are: by variable, the fields of it that are personal."""

    personal: dict[str, set[str]] = field(default_factory=dict)

    def field_in(self, text: str) -> str | None:
        """A personal field that the text says, as it is written there."""
        try:
            found = fields_said(text) if has_variables(text) else []
        except MALFORMED:
            return None  # told elsewhere
        for name, parts in found:
            fields = self.personal.get(name, set())
            if fields and (_ANY in fields or not parts or fields & set(parts)):
                return ".".join((name, *parts))
        return None


def check_personal(flow: Flow, flows: Mapping[str, Flow], systems: Mapping[str, System], add: Add) -> None:
    """Report texts that may say a personal field before the caller was verified."""
    said = _personal_of(flow, systems)
    if not said.personal:
        return
    for index in sorted(_before_verify(flow, flows)):
        step = flow.steps[index]
        if step.when is not None and _ONLY_VERIFIED.fullmatch(step.when.strip()):
            continue
        for path, text in _texts(flow, step):
            name = next((found for one in text.values() if (found := said.field_in(one))), None)
            if name is not None:
                message = f"`{name}` is personal, and the caller may not have been verified here."
                add(index, path, message, "Put a `verify` before it, on every way.")


def _texts(flow: Flow, step: StepModel) -> Iterable[tuple[Path, dict[str, str]]]:
    yield from step.uses().texts
    slot = flow.slots.get(step.collects or "")
    if slot is not None:
        yield from (((), text) for text in (slot.ask, *slot.no_match, *slot.no_input))


def _personal_of(flow: Flow, systems: Mapping[str, System]) -> _Said:
    said = _Said()
    for step in flow.steps:
        name, call = None, ""
        if isinstance(step, CallStep):
            name, call = step.save, step.call
        elif isinstance(step, Compare):
            name, call = step.verify.save, step.verify.call
        system_name, _, operation = call.partition(".")
        system = systems.get(system_name)
        if name and system is not None and operation in system.operations:
            found = {*system.personal, *system.operations[operation].personal}
            if found:
                said.personal.setdefault(name, set()).update(found)
    sets = [step for step in flow.steps if isinstance(step, SetStep)]
    for _ in sets:  # one may take from another
        for step in sets:
            for name, value in step.set.items():
                if isinstance(value, str) and said.field_in(value):
                    said.personal.setdefault(name, set()).add(_ANY)
    return said


def _before_verify(flow: Flow, flows: Mapping[str, Flow], seen: frozenset[str] = frozenset()) -> set[int]:
    """Steps that can be reached by a caller who was not verified; the number of steps stands for the flow's end."""
    end = len(flow.steps)
    before = reached({0}, lambda index: set(_leads(flow, index, flows, seen)) if index < end else set())
    return before if seen else before - {end}


def _leads(flow: Flow, index: int, flows: Mapping[str, Flow], seen: frozenset[str]) -> list[int]:
    step = flow.steps[index]
    skipped = [index + 1] if step.when is not None and not _NOT_VERIFIED.fullmatch(step.when.strip()) else []
    if step.when is not None and _ONLY_VERIFIED.fullmatch(step.when.strip()):
        return skipped
    if isinstance(step, Fork):
        if _ONLY_VERIFIED.fullmatch(step.test.strip()):
            return [step.otherwise]
        return [index + 1] if _NOT_VERIFIED.fullmatch(step.test.strip()) else [index + 1, step.otherwise]
    ways = step.ways()
    on = ways.on
    indices = list(ways.indices)
    if isinstance(step, Compare):
        on, indices = step.verify.failed.ways().on, [step.first]
    elif isinstance(step, SubFlowStep):
        on = not _verifies(step.sub_flow, flows, seen)
    leads = [*skipped, *indices, *([index + 1] if on else [])]
    if isinstance(step, AskMoreStep | HangUpStep):
        leads.append(len(flow.steps))
    leads += [at for target in ways.targets if (at := flow.labelled(target)) is not None]
    if any(flow.labelled(target) is None for target in ways.targets) and not isinstance(step, SubFlowStep):
        leads.append(len(flow.steps))
    return leads + [at for slot in ways.collects if (at := flow.collecting(slot)) is not None]


def _verifies(name: str, flows: Mapping[str, Flow], seen: frozenset[str]) -> bool:
    """Whether nobody comes back from this flow without having been verified."""
    if name not in flows or name in seen:
        return False
    flow = flows[name]
    return len(flow.steps) not in _before_verify(flow, flows, seen | {name})
