"""What company systems answer where none is asked: a bot's `answers.yaml`, and what a conversation has of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flows import Bot
from flows.testing import FakeSystemClient


def recorded_systems(
    bot: Bot, own: Mapping[str, Any], clock: Callable[[], datetime], *, waits: bool = False
) -> FakeSystemClient:
    """Systems with the recorded answers of the bot, `own` by operation first. `waits`: slow ones take their time."""
    answers = {**(bot.answers or {}), **own}
    return FakeSystemClient(answers, clock=clock, operations=bot.operation, waits=waits)
