"""answers.yaml: what the company systems answer in the text chat and in scripted tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from jinja2 import TemplateError

from flows.actions import CallSystem
from flows.answer_shape import WrongAnswer, shaped
from flows.attempts import Attempts, MemoryAttempts, answer, is_about_tries
from flows.errors import TemplateFailed
from flows.events import SystemResult
from flows.model import Operation, System
from flows.source import Place, Report, Source, closest
from flows.templates import argument, has_variables, variables

_OUTCOMES: dict[str, Literal["not_found", "failed", "unknown"]] = {
    "not_found": "not_found",
    "failed": "failed",
    "unknown": "unknown",
}
_SAMPLE = {"today": "2026-11-23", "now": "10:00"}


def check_answers(
    answers: Mapping[str, Any], place: Place, systems: Mapping[str, System], source: Source, report: Report
) -> None:
    """Report the mistakes of answers by operation, which stand at `place` of the source."""
    known = {f"{system}.{name}": it for system, about in systems.items() for name, it in about.operations.items()}
    for name, written in answers.items():
        where = (*place, name)
        if name not in known:
            report.add(source, where, f"There is no operation `{name}`.", closest(name, known))
        elif isinstance(written, dict) and set(written) == {"by", "answers"}:
            choices = written["answers"]
            if not isinstance(written["by"], str):
                report.add(source, (*where, "by"), "`by` must be the name of an argument.")
            if not isinstance(choices, dict):
                report.add(
                    source, (*where, "answers"), "`answers` must be a mapping: the argument's value, the answer."
                )
                continue
            for value, one in choices.items():
                _check(one, known[name], (*where, "answers", value), source, report)
        else:
            _check(written, known[name], where, source, report)


def _check(written: Any, operation: Operation, place: Place, source: Source, report: Report) -> None:
    if isinstance(written, list):
        if not written:
            report.add(source, place, "This list has no answer.", "Write one answer, or several.")
        for index, one in enumerate(written):
            _check(one, operation, (*place, index), source, report)
        return
    if isinstance(written, dict) and "slow_s" in written:
        if set(written) != {"slow_s", "then"}:
            report.add(source, place, "A slow answer has `slow_s` and `then`, nothing else.", "See answers.yaml.")
            return
        if not _is_seconds(written["slow_s"]):
            report.add(source, (*place, "slow_s"), "`slow_s` must be a number of seconds, 0 to 60.", at_value=True)
        written, place = written["then"], (*place, "then")
    if isinstance(written, str):
        if written not in _OUTCOMES:
            report.add(source, place, f"`{written}` is no answer.", closest(written, _OUTCOMES), at_value=True)
        elif written == "unknown" and operation.safe:
            message = "Reading never ends in `unknown`: asked again it tells."
            report.add(source, place, message, "Write `failed`.", at_value=True)
        return
    try:
        if _takes_arguments(written):
            return  # which there are, and what they hold, is only known when it is asked
        data = filled(written, _SAMPLE)
        if operation.answer is not None:
            shaped(operation.answer, data)
    except TemplateError as error:
        report.add(source, place, f"A template is not right: {error.message}.", "Write `{{ name }}`.", at_value=True)
    except TemplateFailed as error:
        report.add(source, place, error.message, error.remedy, at_value=True)
    except WrongAnswer as error:
        message = f"This is not as systems.yaml wants it: {error}."
        report.add(source, place, message, "Correct it, or `answer` there.", at_value=True)


def _takes_arguments(data: Any) -> bool:
    """Whether a text in the data needs more than day and hour. Raises TemplateError, TemplateFailed."""
    if isinstance(data, dict | list):
        inner = data.values() if isinstance(data, dict) else data
        return any([_takes_arguments(value) for value in inner])
    return isinstance(data, str) and has_variables(data) and not variables(data) <= _SAMPLE.keys()


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 60


def filled(data: Any, values: Mapping[str, Any]) -> Any:
    """Data with its templates worked out. Raises TemplateFailed."""
    if isinstance(data, dict):
        return {name: filled(value, values) for name, value in data.items()}
    if isinstance(data, list):
        return [filled(value, values) for value in data]
    return argument(data, values)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class RecordedSystems:
    """Implements Systems: answers as answers.yaml has them; an operation without one has "failed".

    `asked` are the calls, in order. `took_s` is how long the last answer took, or would have taken: only with `waits`
    does it really. `operations` cut answers to their shape, as the real client does.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    asked: list[CallSystem] = field(default_factory=list)
    closed: bool = False
    clock: Callable[[], datetime] = _wall_clock
    operations: Callable[[str], Operation] | None = None
    waits: bool = False
    attempts: Attempts = field(default_factory=MemoryAttempts)
    took_s: float = 0.0
    _used: dict[tuple[str, str], int] = field(default_factory=dict)

    async def call(self, action: CallSystem) -> SystemResult:
        """The recorded answer; where it is unknown whether a change was made, what its check finds."""
        self.took_s = 0.0
        if is_about_tries(action):
            return await answer(self.attempts, action, self.clock)
        result = await self._answered(action)
        operation = self.operations(action.operation) if self.operations else None
        if result.outcome != "unknown" or operation is None or operation.check is None:
            return result
        check = f"{action.operation.partition('.')[0]}.{operation.check}"
        arguments = {**action.arguments, "request": action.id}
        found = await self._answered(replace(action, operation=check, arguments=arguments))
        if found.outcome != "not_found":
            return found if found.outcome == "ok" else result
        again = await self._answered(action)
        return again if again.outcome == "ok" else result

    async def _answered(self, action: CallSystem) -> SystemResult:
        self.asked.append(action)
        recorded = self._recorded(action)
        if isinstance(recorded, Mapping) and "slow_s" in recorded:
            self.took_s = float(recorded["slow_s"])
            recorded = recorded.get("then")
        if self.waits:
            await asyncio.sleep(self.took_s)
        if isinstance(recorded, str) and recorded in _OUTCOMES:
            return SystemResult(action.id, _OUTCOMES[recorded])
        now = self.clock()
        shape = self.operations(action.operation).answer if self.operations else None
        try:
            data = filled(recorded, {**action.arguments, "today": f"{now:%Y-%m-%d}", "now": f"{now:%H:%M}"})
            return SystemResult(action.id, "ok", data if shape is None else shaped(shape, data))
        except (TemplateFailed, WrongAnswer) as error:
            return SystemResult(action.id, "failed", {"error": str(error)})

    def _recorded(self, action: CallSystem) -> Any:
        recorded, chosen = self.answers.get(action.operation, "failed"), ""
        if isinstance(recorded, Mapping) and "by" in recorded:
            chosen = str(action.arguments.get(recorded["by"]))
            recorded = recorded["answers"].get(chosen, "not_found")
        if not isinstance(recorded, Sequence) or isinstance(recorded, str):
            return recorded
        place = (action.operation, chosen)
        self._used[place] = self._used.get(place, 0) + 1
        return recorded[min(self._used[place], len(recorded)) - 1]

    async def close(self) -> None:
        """Nothing to close; tests can see that it was done."""
        self.closed = True
