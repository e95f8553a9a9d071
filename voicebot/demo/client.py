"""A simulated person's way to the API: signed in as the pages are, commands as they send them, one stream of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from voicebot.demo.guests import Login
from voicebot.errors import VoicebotError

_ANSWER_S = 20.0
_SILENCE_S = 60.0  # the stream tells every 15 s that it still stands


class Refused(VoicebotError):
    """The API said no; `status` and `reason` (the error's code) tell why."""

    code = "refused"

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class ApiClient:
    """A session of one user. A context manager that signs in and out."""

    def __init__(self, pages: str, login: Login) -> None:
        """`pages`: the server's address, like http://127.0.0.1:8080."""
        self._login = login
        self._http = httpx.AsyncClient(
            base_url=f"{pages}/api", timeout=httpx.Timeout(_ANSWER_S, read=_SILENCE_S), trust_env=False
        )

    async def __aenter__(self) -> ApiClient:
        try:
            session = await self.post("/session", login=self._login.login, password=self._login.password)
        except BaseException:
            await self._http.aclose()
            raise
        self._http.headers["X-CSRF-Token"] = session["csrf"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path, None)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._ask("POST", path, body)

    async def put(self, path: str, **body: Any) -> Any:
        return await self._ask("PUT", path, body)

    async def delete(self, path: str) -> Any:
        return await self._ask("DELETE", path, None)

    async def stream(self, topics: str) -> AsyncIterator[tuple[str, Any]]:
        """Events and their data, for as long as the server tells any.

        The first is `open`, without data: whatever changes from here on will be told.
        """
        async with self._http.stream("GET", "/stream", params={"topics": topics}) as answer:
            await _checked(answer)
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "retry":
                    yield "open", None
                elif name == "event":
                    event = value
                elif name == "data":
                    yield event, json.loads(value)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """Raises Refused; TimeoutError when there is no answer."""
        async with asyncio.timeout(_ANSWER_S):
            answer = await self._http.request(method, path, json=body)
            await _checked(answer)
        return answer.json() if answer.content else None


async def _checked(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    await answer.aread()
    try:
        error = answer.json()
    except ValueError:
        error = {}
    raise Refused(answer.status_code, str(error.get("code", "")), str(error.get("message", answer.text[:200])))
