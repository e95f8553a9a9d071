"""The HTTP port: the application served by uvicorn within our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp

from voicebot.errors import VoicebotError
from voicebot.hub import Hub
from voicebot.people_settings import HttpSettings

log = logging.getLogger(__name__)

STOP_DEADLINE_S = 3.0


class PortTaken(VoicebotError):
    """The HTTP port cannot be bound."""

    code = "http_port"


class CertificateUnusable(VoicebotError):
    """Certificate or key for TLS cannot be read, or do not belong together."""

    code = "http_certificate"


class QuietServer(uvicorn.Server):
    """Leaves the signals to the application."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


class HttpServer:
    """Serves `app` from `start()` to `stop()`, which ends the streams of `hub`."""

    def __init__(self, settings: HttpSettings, app: ASGIApp, hub: Hub) -> None:
        self._settings = settings
        self._app = app
        self._hub = hub
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Bind and serve; `url` is known then. Raises PortTaken, CertificateUnusable."""
        address, port = self._settings.address, self._settings.port
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=int(STOP_DEADLINE_S),
            ssl_certfile=self._settings.tls_certificate,
            ssl_keyfile=self._settings.tls_key,
        )
        self._load(config)
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
        scheme = "https" if config.is_ssl else "http"
        self.url = f"{scheme}://{address}:{listener.getsockname()[1]}"
        self._server = QuietServer(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="http")

    async def stop(self) -> None:
        if self._server is None or self._task is None:
            return
        self._hub.close()
        self._server.should_exit = True
        _, late = await asyncio.wait({self._task}, timeout=STOP_DEADLINE_S + 1.0)
        for task in late:
            task.cancel()
        if late:
            log.warning("the HTTP server did not stop in time")

    def _load(self, config: uvicorn.Config) -> None:
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise CertificateUnusable(
                f"TLS cannot be set up with {self._settings.tls_certificate} and {self._settings.tls_key}: {error}.",
                "http.tls_certificate names a PEM file with the whole chain, http.tls_key its private key.",
            ) from error
