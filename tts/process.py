"""The speech process: voices behind HTTP on a Unix socket. The only place where GPL libraries are loaded.

    python -m tts.process --socket /run/voicebot/speech.sock --voices-dir /var/lib/voicebot/voices

`POST /synthesize` takes the fields of SpeechRequest as JSON and answers with raw PCM (signed 16-bit little endian,
mono, at the rate asked for), in chunks. The header `x-rendering` is `streamed` for a voice that gives a sentence in
chunks and makes the same samples every time, `whole` for one whose sentences differ from one time to the next; in the
request `x-ahead-s` may say how many seconds of an earlier text its caller has still to hear. `GET /voice?name=` loads a
voice and answers with its fingerprint, `GET /health` with what the process is doing. An error is
`{"code", "message", "remedy"}`: 400 for a bad request, 404 for a voice that is unknown or missing, 503 for a full
queue, 500 for a text that a voice failed on. When a voice fails after its first audio, the connection breaks off. The
process ends by SIGTERM, or with the process that started it. `/health` answers 503 when a sentence does not come to an
end.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import logging
import os
import resource
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tts.engine import Piece, SpeechEngine, Voice
from tts.errors import SpeechBusy, TtsError, UnknownVoice
from tts.espeak import EspeakVoices
from tts.synthesizer import SpeechRequest

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[TtsError], int], ...] = ((UnknownVoice, 404), (SpeechBusy, 503), (TtsError, 500))
_PR_SET_PDEATHSIG = 1
_LONGEST_SOCKET_PATH = 107
_IDLE_CONNECTION_S = 120
_HANGS_AFTER_S = 30.0  # no sentence takes that long; whoever watches should replace the process
_FIELDS = {field.name for field in fields(SpeechRequest)}


class LazyPiperVoices:
    """Piper's family, imported at the first Piper voice: a firm that uses only the offline voice saves 100 MB."""

    def __init__(self, folder: Path, kept: int, threads: int) -> None:
        self.threads = threads
        self._settings = (folder, kept, threads)
        self._importing = threading.Lock()
        self._voices: Any = None

    def voice(self, name: str) -> Voice:
        voice: Voice = self._family().voice(name)
        return voice

    def fingerprint(self, name: str) -> str:
        return str(self._family().fingerprint(name))

    def _family(self) -> Any:
        with self._importing:
            if self._voices is None:
                from tts.piper import PiperVoices

                self._voices = PiperVoices(*self._settings)
            return self._voices


def speech_app(engine: SpeechEngine) -> Starlette:
    """The HTTP side, around an engine."""
    started = time.monotonic()

    async def health(_: Request) -> JSONResponse:
        hangs = engine.oldest_s() > _HANGS_AFTER_S
        return JSONResponse(
            {
                "status": "hangs" if hangs else "ok",
                "pid": os.getpid(),
                "uptime_s": round(time.monotonic() - started, 1),
                "waiting": engine.waiting(),
                "oldest_s": round(engine.oldest_s(), 2),
                "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            },
            503 if hangs else 200,
        )

    async def voice(request: Request) -> JSONResponse:
        name = request.query_params.get("name", "")
        try:
            return JSONResponse({"voice": name, "fingerprint": await engine.fingerprint(name)})
        except TtsError as error:
            return _refusal(error)

    return Starlette(
        routes=[
            Route("/synthesize", _Synthesize(engine), methods=["POST"]),
            Route("/voice", voice),
            Route("/health", health),
        ]
    )


class _Synthesize:
    """ASGI endpoint. Nothing is sent before the first sentence is there, so that its failure can still be a status."""

    def __init__(self, engine: SpeechEngine) -> None:
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            wanted, ahead_s = _request(await request.json()), float(request.headers.get("x-ahead-s", 0.0))
        except ClientDisconnect:
            return
        except (ValueError, TypeError) as error:
            refusal = {"code": "bad_request", "message": f"This is no speech request: {error}.", "remedy": ""}
            await JSONResponse(refusal, 400)(scope, receive, send)
            return
        await _while_connected(receive, self._answer(wanted, ahead_s, scope, receive, send))

    async def _answer(self, wanted: SpeechRequest, ahead_s: float, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._engine.speak(wanted, ahead_s)) as pieces:
            try:
                first = await anext(pieces, Piece(b"", streamed=False))
            except TtsError as error:
                await _refusal(error)(scope, receive, send)
                return
            headers = [
                (b"content-type", f"audio/L16;rate={wanted.sample_rate}".encode()),
                (b"x-rendering", b"streamed" if first.streamed else b"whole"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": first.pcm, "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece.pcm, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _request(body: object) -> SpeechRequest:
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    unknown = set(body) - _FIELDS
    if unknown:
        raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
    for name in ("text", "language", "voice"):
        if not isinstance(body.get(name), str):
            raise ValueError(f"{name} is not a string")
    return SpeechRequest(**body)


def _refusal(error: TtsError) -> JSONResponse:
    status = next(code for kind, code in _STATUS if isinstance(error, kind))
    return JSONResponse({"code": error.code, "message": error.message, "remedy": error.remedy}, status)


async def _while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end, but no longer than the client stays."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working = asyncio.create_task(work, name="synthesize")
    watching = asyncio.create_task(gone(), name="watch client")
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.wait((working, watching))
    if not working.cancelled():
        working.result()


def listening_socket(path: Path) -> socket.socket:
    """A socket at `path` that only our user may open. A stale one is replaced; raises OSError when one is in use."""
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise OSError(f"the path is longer than the {_LONGEST_SOCKET_PATH} bytes that Unix allows")
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError("there is a file that is not a socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(os.fspath(path))
                except ConnectionRefusedError:
                    path.unlink(missing_ok=True)
                else:
                    raise OSError("another process serves it")
        previous = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(previous)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def end_with_parent() -> None:
    """SIGTERM to us when the process that started us is gone, however it ended (Linux: prctl PR_SET_PDEATHSIG)."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")


def serve(app: ASGIApp, path: Path) -> None:
    """Serve on the Unix socket until SIGTERM or SIGINT; requests under way get two seconds."""
    listener = listening_socket(path)
    inode = path.stat().st_ino
    # uvicorn raises the signal again once it has shut down; that must not turn a clean end into a death by signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_IDLE_CONNECTION_S,
        timeout_graceful_shutdown=2,
    )
    logger.info("speech process ready on %s", path)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        if path.exists() and path.stat().st_ino == inode:
            path.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the process. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tts.process", description="Serve voices on a Unix socket.")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--voices-dir", type=Path, required=True, help="folder of Piper voices")
    parser.add_argument("--queue-limit", type=int, default=32, help="sentences that may wait per kind of voice")
    parser.add_argument("--voices-kept", type=int, default=3, help="Piper voices kept in memory")
    parser.add_argument(
        "--piper-threads", type=int, default=min(4, os.cpu_count() or 1), help="Piper sentences computed at once"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    end_with_parent()
    engine = SpeechEngine(
        {
            "espeak": EspeakVoices(),
            "piper": LazyPiperVoices(options.voices_dir, options.voices_kept, options.piper_threads),
        },
        options.queue_limit,
    )
    try:
        serve(speech_app(engine), options.socket)
    except OSError as error:
        print(f"{parser.prog}: cannot serve on {options.socket}: {error}", file=sys.stderr)
        return 1
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
