"""What company systems answer where none is asked: a bot's `answers.yaml`, and what a conversation has of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows import FlowProblems
from flows.loader import ANSWERS_FILE
from flows.source import Report, read
from flows.testing import FakeSystemClient


def has_answers(folder: Path) -> bool:
    """Whether the bot in `folder` has recorded answers."""
    return (folder / ANSWERS_FILE).is_file()


def recorded_systems(folder: Path, own: Mapping[str, Any]) -> FakeSystemClient:
    """Systems with the recorded answers of the bot, `own` by operation first. Raises FlowProblems."""
    answers: Mapping[str, Any] = {}
    if has_answers(folder):
        report = Report()
        source = read(folder / ANSWERS_FILE, report)
        if source is None:
            raise FlowProblems(report.problems)
        answers = source.data
    return FakeSystemClient({**answers, **own})
