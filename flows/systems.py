"""Company systems over HTTP: with a deadline, retries that can do no harm, and an honest outcome.

Reading (GET) is repeated once when the connection failed or the server was briefly unwell. What changes something is
sent once, with an `Idempotency-Key`; when no answer came that can be read, nobody knows whether it was done: the
operation's `check` is asked, or the outcome is "unknown".
A system that failed several times in a row is left alone for a while, so that callers need not wait for it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx

from flows.actions import CallSystem
from flows.answer_shape import WrongAnswer, shaped
from flows.errors import SettingMissing
from flows.events import SystemResult
from flows.model import Bot, Breaker, Operation, System

_PAUSE_S = 0.1  # before reading is tried again
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
class _Circuit:
    """Stops asking a system that keeps failing; after its pause one question at a time tries again."""

    settings: Breaker
    failures: int = 0
    open_until: float = 0.0

    def lets_through(self, now: float) -> bool:
        if now < self.open_until:
            return False
        if self.failures >= self.settings.failures:
            self.open_until = now + self.settings.pause_s  # the others wait for what becomes of this one
        return True

    def record(self, *, unwell: bool, now: float) -> None:
        self.failures = self.failures + 1 if unwell else 0
        tripped = self.failures >= self.settings.failures
        self.open_until = now + self.settings.pause_s if tripped else 0.0


@dataclass(frozen=True)
class _Answer:
    """`unwell`: the system itself is in trouble, whatever was asked. `again`: reading may be tried once more."""

    outcome: Outcome
    data: Any
    unwell: bool = False
    again: bool = False


class Systems(Protocol):
    """What asks company systems: `SystemClient`, or the fake of `flows.testing`."""

    async def call(self, action: CallSystem) -> SystemResult: ...

    async def close(self) -> None: ...


class SystemClient:
    """The company systems of a bot. One client serves all calls; close it at the end.

    Raises SettingMissing on construction for an address or secret that is referred to and not there, or not usable.
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
        self._circuits: dict[str, _Circuit] = {}
        for name, system in bot.systems.items():
            # Answers are limited in size: none may unfold from a small compressed one.
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", **credentials(system, environment)}
            try:
                self._clients[name] = httpx.AsyncClient(base_url=resolve(system.url, environment), headers=headers)
            except httpx.InvalidURL as error:
                message = f"The address of the system {name} is not a web address: {error}."
                raise SettingMissing(message, "Check what the environment says.") from None
            self._circuits[name] = _Circuit(system.breaker)

    async def call(self, action: CallSystem) -> SystemResult:
        """Ask; every way it can end is an outcome, nothing is raised but cancellation.

        It takes no longer than the operation's deadline; where an unknown outcome has to be looked into, no longer
        than twice that and once the deadline of the check.
        """
        name = action.operation.partition(".")[0]
        operation, circuit = self._bot.operation(action.operation), self._circuits[name]
        if not circuit.lets_through(self._clock()):
            return SystemResult(action.id, "failed", {"error": "left alone after several failures"})
        answer = await self._within_deadline(name, operation, action)
        if answer.outcome == "unknown" and operation.check:
            answer = await self._look_into(name, operation, action, answer)
        circuit.record(unwell=answer.unwell, now=self._clock())
        return SystemResult(action.id, answer.outcome, answer.data)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _look_into(self, name: str, operation: Operation, action: CallSystem, unknown: _Answer) -> _Answer:
        """Whether a change of which nothing is known was made; if not, it is sent once more with the same key."""
        system = self._bot.systems[name]
        check = system.operations[operation.check or ""]
        arguments = {**action.arguments, "request": action.id}
        found = await self._within_deadline(name, check, replace(action, arguments=arguments))
        if found.outcome == "ok":
            return found
        if found.outcome != "not_found":
            return unknown
        again = await self._within_deadline(name, operation, action)
        # Refused now, it may be because the first one is still being worked on.
        return again if again.outcome in ("ok", "unknown") else replace(again, outcome="unknown")

    async def _within_deadline(self, name: str, operation: Operation, action: CallSystem) -> _Answer:
        try:
            async with asyncio.timeout(operation.timeout_s or self._bot.systems[name].timeout_s):
                return await self._attempts(self._clients[name], operation, action)
        except TimeoutError:
            return _Answer(_trouble(operation), {"error": "no answer in time"}, unwell=True)

    async def _attempts(self, client: httpx.AsyncClient, operation: Operation, action: CallSystem) -> _Answer:
        try:
            request = build_request(client, operation, action)
        except ValueError as error:
            return _Answer("failed", {"error": str(error)})
        answer = await _ask(client, request, operation)
        if operation.safe and answer.again:
            await asyncio.sleep(_PAUSE_S)
            answer = await _ask(client, build_request(client, operation, action), operation)
        return answer


def credentials(system: System, environment: Mapping[str, str]) -> dict[str, str]:
    """The header that carries the system's secret. Raises SettingMissing."""
    if not system.secret:
        return {}
    value = secret(system.secret, environment)
    name, header = "Authorization", f"Bearer {value}"
    if system.auth == "basic":
        if ":" not in value:
            remedy = "It has to be user:password."
            raise SettingMissing(f"The secret {system.secret} has no colon, and is sent as `basic`.", remedy)
        header = f"Basic {base64.b64encode(value.encode()).decode()}"
    elif isinstance(system.auth, dict):
        name, header = system.auth["header"], value
    if not (header.isascii() and header.isprintable()):
        remedy = "It must be one line of plain letters, digits and signs."
        raise SettingMissing(f"The secret {system.secret} can not be sent in a header.", remedy)
    return {name: header}


def build_request(client: httpx.AsyncClient, operation: Operation, action: CallSystem) -> httpx.Request:
    """The deadline is the caller's: httpx sets none of its own. Raises ValueError for arguments that lead elsewhere."""
    arguments = dict(action.arguments)
    path = operation.path
    for name in list(arguments):
        if "{" + name + "}" in operation.path:
            value = arguments.pop(name)
            if value is None or str(value).strip() in ("", ".", ".."):
                raise ValueError(f"`{name}` is empty and can not stand in the address")
            path = path.replace("{" + name + "}", quote(str(value), safe=""))
    if operation.method in ("GET", "DELETE"):
        query = {name: str(value) for name, value in arguments.items()}
        request = client.build_request(operation.method, path, params=query or None, timeout=None)
    else:
        request = client.build_request(operation.method, path, json=arguments, timeout=None)
    if not operation.safe:
        request.headers["Idempotency-Key"] = action.id
    return request


def _trouble(operation: Operation) -> Outcome:
    """What it is when no usable answer came: a change may have been made all the same."""
    return "failed" if operation.safe else "unknown"


async def _ask(client: httpx.AsyncClient, request: httpx.Request, operation: Operation) -> _Answer:
    try:
        response = await client.send(request, stream=True)
        try:
            return await _judge(response, operation)
        finally:
            await response.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing has reached the system
        return _Answer("failed", {"error": f"no connection: {error}"}, unwell=True, again=True)
    except httpx.HTTPError as error:
        note = {"error": f"the connection broke: {type(error).__name__}"}
        return _Answer(_trouble(operation), note, unwell=True, again=True)


async def _judge(response: httpx.Response, operation: Operation) -> _Answer:
    status = response.status_code
    if status == 404:
        return _Answer("not_found", {})
    if 200 <= status < 300:
        try:
            return _Answer("ok", await _read(response, operation))
        except WrongAnswer as error:
            return _Answer(_trouble(operation), {"error": str(error)}, unwell=True)
    note = {"error": f"status {status}"}
    if 300 <= status < 400:
        # "See other" often follows a change that was made; the others say that nothing has been done here.
        done = status in (302, 303)
        return _Answer(_trouble(operation) if done else "failed", {"error": f"the answer points elsewhere ({status})"})
    unwell = status >= 500 or status in _BRIEFLY_UNWELL
    if status >= 500:
        return _Answer(_trouble(operation), note, unwell=unwell, again=status in _BRIEFLY_UNWELL)
    return _Answer("failed", note, unwell=unwell, again=unwell)


async def _read(response: httpx.Response, operation: Operation) -> Any:
    """The answer's data, with the fields that the operation names. Raises WrongAnswer."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise WrongAnswer("the answer is compressed, which was not asked for")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise WrongAnswer("the answer is too large")
    if body:
        data = _parsed(bytes(body), response.charset_encoding or "utf-8")
    elif operation.answer and not all(kind.endswith("?") for kind in operation.answer.values()):
        raise WrongAnswer("the answer is empty")
    else:
        data = {}
    return data if operation.answer is None else shaped(operation.answer, data)


def _parsed(body: bytes, charset: str) -> Any:
    try:
        text = body.decode("utf-8-sig" if charset.lower() in ("utf-8", "utf8", "us-ascii") else charset)
    except (UnicodeDecodeError, LookupError):
        raise WrongAnswer("the answer is not in the character set that it says") from None
    try:
        data = json.loads(text, parse_constant=_no_number)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()  # half a character, or 1e999
    except (ValueError, RecursionError):
        raise WrongAnswer("the answer is not JSON") from None
    return data


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
