"""How often a caller may try to be verified: the question and the answer that the engine and its host exchange.

Before facts are compared the engine asks `BEGIN`, which counts the try as failed beforehand, so that many calls at
the same time do not get more tries than one; `WITHDRAW` takes that back when the facts were right, or could not be
compared. The host remembers the tries across calls (voicebot keeps them beside its records), and never in clear.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from flows.actions import CallSystem
from flows.events import SystemResult
from flows.systems import Systems
from flows.words import fold

BEGIN, WITHDRAW = "verification.begin", "verification.withdraw"
MOST_FAILED = 5
WITHIN = timedelta(days=1)
LOCKED_FOR = timedelta(hours=24)


def plain(value: Any) -> str:
    """A fact as it is compared: case, spaces, signs and accents do not matter."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}"
    return "".join(letter for letter in fold(str(value)) if letter.isalnum())


def same(given: Any, true: Any) -> bool:
    """Whether a fact is right; how long that takes says nothing about the value. An empty one never is."""
    wanted = plain(true) if true is not None else ""
    return hmac.compare_digest(plain(given).encode(), wanted.encode()) and wanted != ""


def locked(failed: Sequence[datetime], now: datetime) -> bool:
    """Whether a fact is locked, by the times of its failed tries; none is added while it is."""
    last = sorted(failed)[-MOST_FAILED:]
    return len(last) == MOST_FAILED and last[-1] - last[0] <= WITHIN and now - last[-1] < LOCKED_FOR


def fingerprint(key: bytes, bot: str, fact: str, value: Any) -> str:
    """What is kept in place of a fact: without the key nobody can tell the value, nor try all of them."""
    return hmac.new(key, "\0".join((bot, fact, plain(value))).encode(), "sha256").hexdigest()


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
