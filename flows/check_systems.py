"""Checks what systems.yaml means as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from flows.model import Operation, System
from flows.source import Place, Report, Source, closest


def check_systems(systems: Mapping[str, System], source: Source, report: Report) -> None:
    """Report what no key shows by itself."""
    for name, system in systems.items():
        place = ("systems", name)
        if not (name.isascii() and name.isidentifier()):
            report.add(source, place, f"`{name}` can not be a system's name.", "Use letters, digits and underscores.")
        if not system.url.startswith(("http://", "https://", "${")):
            remedy = "Write https://..., or ${NAME} for an address from the environment."
            report.add(source, (*place, "url"), f"`{system.url}` is not a web address.", remedy, at_value=True)
        if system.auth and not system.secret:
            message = "`auth` says how a secret is sent, but there is none."
            report.add(source, (*place, "auth"), message, "Add `secret:` with the secret's name.")
        for operation_name, operation in system.operations.items():
            _check_operation(system, operation, (*place, "operations", operation_name), source, report)


def _check_operation(system: System, operation: Operation, place: Place, source: Source, report: Report) -> None:
    for index, field in enumerate(operation.personal):
        if operation.answer is not None and field not in operation.answer:
            message = f"The answer has no field `{field}` that could be personal."
            report.add(source, (*place, "personal", index), message, closest(field, operation.answer))
    if operation.check is None:
        return
    where = (*place, "check")
    reading = {name: other for name, other in system.operations.items() if other.safe}
    if operation.safe:
        message = "An operation that only reads needs no `check`."
        report.add(source, where, message, "Remove it, or correct `method`.")
    elif operation.check not in reading:
        message = f"The system has no reading operation `{operation.check}`."
        report.add(source, where, message, closest(operation.check, reading), at_value=True)
