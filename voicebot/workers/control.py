"""What a worker answers to the house, over HTTP on a Unix socket: how it is, and commands on its calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from voicebot.api.errors import add_error_handlers
from voicebot.api.live_view import CallsAtHand
from voicebot.api.server import QuietServer
from voicebot.api.shapes.calls import BackToBot, CallSoFar
from voicebot.errors import CallNotFound, NotPossible

STOP_S = 2.0
ANSWER_S = 5.0
RELOAD_S = 600.0  # bots are loaded anew, and what they say is spoken


def make_control(
    health: Callable[[], Mapping[str, object]], calls: CallsAtHand, reload: Callable[[], Awaitable[None]]
) -> FastAPI:
    """The application; only the house can reach it, which has asked who wants it."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_error_handlers(app)

    @app.get("/health")
    async def tell_health() -> dict[str, Any]:
        return dict(health())

    @app.post("/reload", status_code=204)
    async def load_anew() -> None:
        await reload()

    @app.get("/calls/{call}")
    async def get_call(call: str, language: str) -> CallSoFar:
        return await calls.so_far(call, language)

    @app.post("/calls/{call}/back-to-bot", status_code=204)
    async def back_to_bot(call: str, change: BackToBot) -> None:
        await calls.back_to_bot(call, change.flow)

    @app.post("/calls/{call}/end", status_code=204)
    async def end(call: str) -> None:
        await calls.end(call)

    return app


class ControlServer:
    """Serves it on `path` from `start()` to `stop()`."""

    def __init__(self, app: FastAPI, path: Path) -> None:
        self._path = path
        self._server = QuietServer(
            uvicorn.Config(
                *(app,),
                uds=str(path),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=int(STOP_S),
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)  # of a worker that died
        self._task = asyncio.create_task(self._server.serve(), name="control")

    async def stop(self) -> None:
        if self._task is None:
            return
        self._server.should_exit = True
        _, late = await asyncio.wait({self._task}, timeout=STOP_S + 1.0)
        for task in late:
            task.cancel()


class RemoteCalls:
    """Implements CallsAtHand for the calls of workers. `whose(call)`: the socket of the worker that has it."""

    def __init__(self, whose: Callable[[str], Path | None]) -> None:
        self._whose = whose

    def check(self, call_id: str) -> None:
        self._socket(call_id)

    async def so_far(self, call_id: str, language: str) -> CallSoFar:
        answer = await ask(self._socket(call_id), "GET", f"/calls/{call_id}", params={"language": language})
        return CallSoFar.model_validate_json(answer.content)

    async def back_to_bot(self, call_id: str, flow: str) -> None:
        await ask(self._socket(call_id), "POST", f"/calls/{call_id}/back-to-bot", json={"flow": flow})

    async def end(self, call_id: str) -> None:
        await ask(self._socket(call_id), "POST", f"/calls/{call_id}/end")

    def _socket(self, call_id: str) -> Path:
        socket = self._whose(call_id)
        if socket is None:
            raise CallNotFound("This call does not go on any more.", "Look for it among the past calls.")
        return socket


async def ask(socket: Path, method: str, path: str, *, timeout_s: float = ANSWER_S, **request: Any) -> httpx.Response:
    """Raises what the worker raised of CallNotFound and NotPossible; NotPossible when it does not answer."""
    transport = httpx.AsyncHTTPTransport(uds=str(socket), verify=False)
    try:
        async with httpx.AsyncClient(transport=transport, timeout=timeout_s, trust_env=False) as client:
            answer = await client.request(method, f"http://worker{path}", **request)
    except httpx.HTTPError as error:
        raise NotPossible("The call's process does not answer.", "Try again in a second.") from error
    if answer.is_success:
        return answer
    told = json.loads(answer.content)
    kind = CallNotFound if told["code"] == CallNotFound.code else NotPossible
    raise kind(told["message"], told["remedy"])
