"""`GET /health` on the local HTTP port, for container health checks and balancers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from voicebot.errors import VoicebotError
from voicebot.people_settings import HttpSettings

STOP_DEADLINE_S = 3.0


class PortTaken(VoicebotError):
    """The HTTP port cannot be bound."""

    code = "http_port"


class _Server(uvicorn.Server):
    """Leaves the signals to the application."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


class HealthServer:
    """Answers 200 with `report()` while its `status` is "ok", else 503."""

    def __init__(self, settings: HttpSettings, report: Callable[[], Mapping[str, object]]) -> None:
        self._settings = settings
        self._report = report
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Bind and serve. Raises PortTaken."""
        address, port = self._settings.address, self._settings.port
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen()
        except OSError as error:
            listener.close()
            raise PortTaken(
                f"The HTTP port {address}:{port} cannot be used: {error.strerror}.",
                "Choose another with http.port in voicebot.yaml, or end the program that holds it.",
            ) from error
        self.url = f"http://{address}:{listener.getsockname()[1]}/health"
        app = Starlette(routes=[Route("/health", self._health)])
        self._server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        self._task = asyncio.create_task(self._server.serve([listener]), name="health")

    async def stop(self) -> None:
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        _, late = await asyncio.wait({self._task}, timeout=STOP_DEADLINE_S)
        for task in late:
            task.cancel()

    async def _health(self, request: Request) -> JSONResponse:
        report = self._report()
        return JSONResponse(dict(report), status_code=200 if report["status"] == "ok" else 503)
