"""The process that has the browsers' audio: WebRTC behind HTTP on a Unix socket. The only place that loads aiortc.

    python -m telephony.browser.process --socket /run/voicebot/browsers --address 192.0.2.10

`POST /lines` takes `{"sdp": an offer, "sound": the file of a SharedSound}` and answers with lines of JSON for as long
as the browser's line lasts: `{"answer": SDP}`, `{"up": true}` when sound flows, and at last `{"cause", "detail"}`, an
`EndCause` and words for it. Whoever asked ends the line by ending the request. A refusal is
`{"code", "message", "remedy"}`: 400 for the offer, 503 when there are as many lines as may be. `GET /health` says how
many there are. The process ends by SIGTERM, or with the process that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from telephony.browser.aiortc_seams import watch_consent_closely
from telephony.browser.connection import Connection
from telephony.browser.shared_sound import SharedSound
from telephony.errors import LinesFull, TelephonyError

CONNECT_S = 10.0
_NICE = -10
_PR_SET_PDEATHSIG = 1
_IDLE_CONNECTION_S = 120


class Lines:
    """ASGI endpoint of `POST /lines`. `addresses`, `max_lines`, `connect_s`: see `main`."""

    def __init__(self, addresses: Sequence[str] | None, max_lines: int, connect_s: float) -> None:
        self._addresses = addresses
        self._max_lines = max_lines
        self._connect_s = connect_s
        self.count = 0
        watch_consent_closely()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            wanted = await Request(scope, receive).json()
        except ClientDisconnect:
            return
        line = asyncio.create_task(self._answer(wanted, scope, receive, send), name="line")
        gone = asyncio.create_task(_gone(receive), name="watch who asked")
        await asyncio.wait((line, gone), return_when=asyncio.FIRST_COMPLETED)
        for task in (line, gone):
            task.cancel()
        await asyncio.wait((line, gone))
        if not line.cancelled():
            line.result()

    async def _answer(self, wanted: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._line(wanted["sdp"], Path(wanted["sound"]))) as told:
            try:
                first = await anext(told)
            except TelephonyError as error:
                body = {"code": error.code, "message": error.message, "remedy": error.remedy}
                await JSONResponse(body, 503 if isinstance(error, LinesFull) else 400)(scope, receive, send)
                return
            headers = [(b"content-type", b"application/x-ndjson")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _tell(send, first)
            async for what in told:
                await _tell(send, what)
            await send({"type": "http.response.body", "body": b""})

    async def _line(self, offer_sdp: str, sound: Path) -> AsyncGenerator[dict[str, object]]:
        """The life of one line, told. Raises OfferRefused, LinesFull."""
        if self.count >= self._max_lines:
            raise LinesFull(f"{self._max_lines} browsers are connected.", "Close pages that are not needed.")
        connection = Connection(SharedSound.open(sound))
        self.count += 1
        try:
            yield {"answer": await connection.negotiate(offer_sdp, self._addresses)}
            if await connection.up(self._connect_s):
                yield {"up": True}
            ended = await connection.over()
            yield {"cause": ended.cause, "detail": ended.detail}
        finally:
            await asyncio.shield(connection.close())
            self.count -= 1


async def _tell(send: Send, what: dict[str, object]) -> None:
    await send({"type": "http.response.body", "body": json.dumps(what).encode() + b"\n", "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def lines_app(addresses: Sequence[str] | None, max_lines: int = 200, connect_s: float = CONNECT_S) -> Starlette:
    """The HTTP side."""
    lines = Lines(addresses, max_lines, connect_s)

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "pid": os.getpid(), "lines": lines.count})

    return Starlette(routes=[Route("/lines", lines, methods=["POST"]), Route("/health", health)])


def server(app: Starlette, path: Path) -> uvicorn.Server:
    """Of the app, on the Unix socket."""
    config = uvicorn.Config(
        app,
        uds=str(path),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_IDLE_CONNECTION_S,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _end_with_parent() -> None:
    """SIGTERM to us when the process that started us is gone, however it ended (Linux: prctl PR_SET_PDEATHSIG)."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")


def main(arguments: list[str] | None = None) -> int:
    """Run the process. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m telephony.browser.process", description="Talk with browsers.")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument(
        "--address",
        action="append",
        help="a local address that browsers are told to send to; without any, all of the machine but loopback",
    )
    parser.add_argument("--max-lines", type=int, default=200, help="further offers are refused")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _end_with_parent()
    with contextlib.suppress(OSError):  # without the right to it sound stutters earlier on a busy machine
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    server(lines_app(options.address, options.max_lines), options.socket).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
