"""What remembers failed verifications, and systems that answer for it beside the company's own."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flows.actions import CallSystem
from flows.events import SystemResult
from flows.systems import Systems
from flows.verification import BEGIN, WITHDRAW, fingerprint, locked


class Attempts(Protocol):
    """Remembers failed tries."""

    async def begin(self, try_id: str, fact: str, value: Any, now: datetime) -> bool:
        """Count a failed try beforehand; False when the fact is locked and nothing was counted."""
        ...

    async def withdraw(self, try_id: str) -> None:
        """The try has not failed."""
        ...


@dataclass
class MemoryAttempts:
    """For chat and tests."""

    tries: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    async def begin(self, try_id: str, fact: str, value: Any, now: datetime) -> bool:
        print_ = fingerprint(self.key, "", fact, value)
        if locked([at for known, at in self.tries.values() if known == print_], now):
            return False
        self.tries[try_id] = (print_, now)
        return True

    async def withdraw(self, try_id: str) -> None:
        self.tries.pop(try_id, None)


async def answer(attempts: Attempts, action: CallSystem, clock: Callable[[], datetime]) -> SystemResult:
    """The answer to BEGIN or WITHDRAW."""
    arguments = action.arguments
    if action.operation == WITHDRAW:
        await attempts.withdraw(arguments["try"])
        return SystemResult(action.id, "ok", {})
    may = await attempts.begin(arguments["try"], arguments["fact"], arguments["value"], clock())
    return SystemResult(action.id, "ok", {"locked": not may})


class GuardedSystems:
    """Implements Systems: the host's answers about tries, and company systems for everything else."""

    def __init__(self, systems: Systems, attempts: Attempts, clock: Callable[[], datetime]) -> None:
        self._systems = systems
        self._attempts = attempts
        self._clock = clock

    async def call(self, action: CallSystem) -> SystemResult:
        """Ask whom it concerns."""
        if is_about_tries(action):
            return await answer(self._attempts, action, self._clock)
        return await self._systems.call(action)

    async def close(self) -> None:
        """Close the company systems."""
        await self._systems.close()


def is_about_tries(action: CallSystem) -> bool:
    """Whether the host itself is asked, and no company system."""
    return action.operation in (BEGIN, WITHDRAW)
