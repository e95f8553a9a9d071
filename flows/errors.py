"""Everything that can go wrong in flows, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FlowError(Exception):
    """Base of all errors raised by this package."""

    code = "flows"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a bot's files. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message} {self.remedy}".rstrip()


class FlowProblems(FlowError):
    """A bot's files have mistakes; `problems` holds all of them, in the order of the files."""

    code = "flow_problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            f"The flow files have {count} mistake{'s' if count != 1 else ''}.", "Mend them and load again."
        )

    def __str__(self) -> str:
        return "\n".join([self.message, *map(str, self.problems)])


class TemplateFailed(FlowError):
    """A text or condition could not be worked out during a call: a value was missing or had the wrong form."""

    code = "template_failed"


class SettingMissing(FlowError):
    """An address or secret that systems.yaml refers to is neither in the environment nor in a file."""

    code = "setting_missing"
