"""Who answers first: a configured service, or ours behind it.

A caller never waits longer than without the service by more than `slow_s`: then ours is asked as well, and whoever
answers first is heard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from asr.errors import RecogniserBusy
from tts.errors import SpeechBusy
from voicebot.engines.breaker import LEFT_ALONE_S, Breaker, State, Verdict

log = logging.getLogger(__name__)

T = TypeVar("T")


class Why(StrEnum):
    """Why ours answered."""

    FAILED = "failed"
    SLOW = "slow"
    BUSY = "busy"
    LEFT_ALONE = "left_alone"


VERDICTS = {None: Verdict.GOOD, Why.BUSY: Verdict.NONE, Why.FAILED: Verdict.BAD, Why.SLOW: Verdict.BAD}
"""What it says of the service that ours answered, or (None) that the service did."""

Tell = Callable[[Why], None]
"""Writes on the call's record that ours stepped in."""


class Trust:
    """What is known of one service, shared by all calls."""

    def __init__(self, name: str, slow_s: float) -> None:
        self.name = name
        self.slow_s = slow_s
        self._breaker = Breaker()

    @property
    def left_alone(self) -> bool:
        """Whether it failed so often that it is not asked, or on trial only."""
        return self._breaker.state is not State.TRUSTED

    def ask(self) -> bool:
        """Whether it may be asked now; then `ended` has to follow."""
        allowed = self._breaker.may_ask(_now())
        if allowed:
            self._breaker = self._breaker.asked()
        return allowed

    def ended(self, verdict: Verdict) -> None:
        before, self._breaker = self._breaker, self._breaker.ended(verdict, _now())
        if verdict is Verdict.BAD and self._breaker.state is State.LEFT_ALONE is not before.state:
            log.warning("%s is left alone for %g s, our own engine does its work", self.name, LEFT_ALONE_S)
        elif before.state is State.ON_TRIAL and self._breaker.state is State.TRUSTED:
            log.warning("%s answers again", self.name)


@dataclass(frozen=True)
class Raced(Generic[T]):
    """`why` is None when the service won; `error` is what the service failed with."""

    value: T
    why: Why | None
    error: BaseException | None = None


async def race(
    service: Callable[[], Coroutine[Any, Any, T]],
    ours: Callable[[], Coroutine[Any, Any, T]],
    slow_s: float,
    drop: Callable[[T], Awaitable[None]] | None = None,
) -> Raced[T]:
    """Ask the service; when it fails, or has not answered after `slow_s`, ours too. The first good answer wins.

    Raises what ours raises when both fail. The loser is cancelled and awaited, an answer of its own handed to `drop`.
    """
    theirs = asyncio.create_task(service(), name="ask the service")
    tasks = [theirs]
    won: asyncio.Task[T] | None = None
    try:
        await asyncio.wait({theirs}, timeout=slow_s)
        late = not theirs.done()
        if _good(theirs):
            won = theirs
            return Raced(theirs.result(), None)
        own = asyncio.create_task(ours(), name="ask ours")
        tasks.append(own)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not (_good(own) or _good(theirs)):
            await asyncio.wait(tasks)
        won = theirs if _good(theirs) else own
        error = theirs.exception() if theirs.done() and not theirs.cancelled() else None
        why = None if won is theirs else Why.SLOW if late else _reason(error)
        return Raced(won.result(), why, error)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if task is not won and drop is not None and _good(task):
                await drop(task.result())


def _good(task: asyncio.Task[T]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _reason(error: BaseException | None) -> Why:
    return Why.BUSY if isinstance(error, RecogniserBusy | SpeechBusy) else Why.FAILED


def _now() -> float:
    return asyncio.get_running_loop().time()
