"""Company systems over HTTP: with a deadline, retries that can do no harm, and an honest outcome.

Reading (GET) is repeated once when the connection failed or the server was briefly unwell. What changes something is
sent once, with an `Idempotency-Key`; when no answer came, nobody knows whether it was done: the outcome is "unknown".
A system that failed several times in a row is left alone for a while, so that callers need not wait for it.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx

from flows.actions import CallSystem
from flows.errors import SettingMissing
from flows.events import SystemResult
from flows.model import Bot, Operation, System

_ATTEMPTS = 2
_PAUSE_S = 0.1
_FAILURES_BEFORE_OPEN = 3
_OPEN_FOR_S = 20.0
_LARGEST_ANSWER = 256 * 1024  # bytes
_BRIEFLY_UNWELL = frozenset({429, 502, 503, 504})
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")

Outcome = Literal["ok", "not_found", "failed", "unknown"]


def resolve(text: str, environment: Mapping[str, str]) -> str:
    """`${NAME}` and `${NAME:-default}` replaced from the environment. Raises SettingMissing."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = environment.get(name) or default
        if found is None:
            raise SettingMissing(
                f"{name} is not set, and systems.yaml refers to it.", f"Set {name} in the environment."
            )
        return found

    return _REFERENCE.sub(value, text)


def secret(name: str, environment: Mapping[str, str]) -> str:
    """The environment variable of this name, or the file that `<name>_FILE` names. Raises SettingMissing."""
    if environment.get(name):
        return environment[name]
    file = environment.get(f"{name}_FILE")
    if not file:
        remedy = f"Set {name}, or {name}_FILE to the path of a file that holds it."
        raise SettingMissing(f"The secret {name} is not set.", remedy)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = f"The file of the secret {name} can not be read: {error.strerror}."
        raise SettingMissing(reason, f"Check {name}_FILE.") from None


@dataclass
class _Breaker:
    """Stops asking a system that keeps failing; after a while one call tries again."""

    failures: int = 0
    open_until: float = 0.0

    def is_open(self, now: float) -> bool:
        return now < self.open_until

    def record(self, *, failed: bool, now: float) -> None:
        self.failures = self.failures + 1 if failed else 0
        self.open_until = now + _OPEN_FOR_S if self.failures >= _FAILURES_BEFORE_OPEN else 0.0


class Systems(Protocol):
    """What asks company systems: `SystemClient`, or the fake of `flows.testing`."""

    async def call(self, action: CallSystem) -> SystemResult: ...

    async def close(self) -> None: ...


class SystemClient:
    """The company systems of a bot. One client serves all calls; close it at the end.

    Raises SettingMissing on construction for an address or secret that is referred to and not there.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        environment = os.environ if environment is None else environment
        self._bot = bot
        self._clock = clock
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._breakers: dict[str, _Breaker] = {}
        for name, system in bot.systems.items():
            headers = {"Accept": "application/json"}
            if system.secret:
                headers["Authorization"] = f"Bearer {secret(system.secret, environment)}"
            self._clients[name] = httpx.AsyncClient(base_url=resolve(system.url, environment), headers=headers)
            self._breakers[name] = _Breaker()

    async def call(self, action: CallSystem) -> SystemResult:
        """Ask; every way it can end is an outcome, nothing is raised but cancellation."""
        name = action.operation.partition(".")[0]
        system, operation = self._bot.systems[name], self._bot.operation(action.operation)
        breaker = self._breakers[name]
        if breaker.is_open(self._clock()):
            return SystemResult(action.id, "failed", {"error": "left alone after several failures"})
        outcome, data = await self._within_deadline(name, system, operation, action)
        breaker.record(failed=outcome in ("failed", "unknown"), now=self._clock())
        return SystemResult(action.id, outcome, data)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _within_deadline(
        self, name: str, system: System, operation: Operation, action: CallSystem
    ) -> tuple[Outcome, Any]:
        try:
            async with asyncio.timeout(operation.timeout_s or system.timeout_s):
                return await self._attempts(self._clients[name], operation, action)
        except TimeoutError:
            return ("failed" if operation.safe else "unknown"), {"error": "no answer in time"}

    async def _attempts(
        self, client: httpx.AsyncClient, operation: Operation, action: CallSystem
    ) -> tuple[Outcome, Any]:
        outcome: Outcome = "failed"
        data: Any = {}
        for attempt in range(_ATTEMPTS if operation.safe else 1):
            if attempt:
                await asyncio.sleep(_PAUSE_S)
            try:
                response = await client.send(_request(client, operation, action))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                outcome, data = "failed", {"error": f"no connection: {error}"}  # nothing has reached the system
            except httpx.HTTPError as error:
                outcome = "failed" if operation.safe else "unknown"
                data = {"error": f"the connection broke: {type(error).__name__}"}
            else:
                outcome, data = _outcome(response, safe=operation.safe)
                if response.status_code not in _BRIEFLY_UNWELL:
                    return outcome, data
        return outcome, data


def _request(client: httpx.AsyncClient, operation: Operation, action: CallSystem) -> httpx.Request:
    """The deadline is the caller's: httpx sets none of its own."""
    arguments = dict(action.arguments)
    path = operation.path
    for name in list(arguments):
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", quote(str(arguments.pop(name)), safe=""))
    if operation.method in ("GET", "DELETE"):
        query = {name: str(value) for name, value in arguments.items()}
        request = client.build_request(operation.method, path, params=query or None, timeout=None)
    else:
        request = client.build_request(operation.method, path, json=arguments, timeout=None)
    if not operation.safe:
        request.headers["Idempotency-Key"] = action.id
    return request


def _outcome(response: httpx.Response, *, safe: bool) -> tuple[Outcome, Any]:
    status = response.status_code
    if status == 404:
        return "not_found", {}
    if 200 <= status < 300:
        if len(response.content) > _LARGEST_ANSWER:
            return "failed", {"error": "the answer is too large"}
        if not response.content:
            return "ok", {}
        try:
            return "ok", response.json()
        except ValueError:
            return "failed", {"error": "the answer is not JSON"}
    if not safe and status >= 500:
        return "unknown", {"error": f"status {status}"}
    return "failed", {"error": f"status {status}"}
