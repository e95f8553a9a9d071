"""The recogniser process: `python -m asr.process --socket PATH --model NAME`. HTTP over a Unix socket.

`POST /transcribe`: the body is raw PCM, the query carries the rest of the request (`asr.wire`); 200 with the text,
400 refused, 500 failed, 503 busy, 504 deadline. A client that disconnects cancels its request. `GET /health`: model,
device, queue, memory; 503 when a decode hangs, so that the owner replaces the process. The socket appears when the
model is loaded and warm; the process ends with its parent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asr import batching, fetch, wire
from asr.batching import BatchPlan
from asr.decoder import Decoder
from asr.device import Device, check_memory, choose_device
from asr.engine import STUCK_S, Engine
from asr.errors import AsrError, ModelUnusable, RecogniserUnavailable, RequestRefused
from asr.models import ModelFiles
from asr.recogniser import Transcript

log = logging.getLogger("asr.process")

PARENT_CHECK_S = 0.5
CLIENT_GONE = 499  # nobody reads it
STUCK_TIMES = 100  # a decode that takes so many times what it took at start-up hangs (or 20 s, which is more)


class Server:
    """The engine behind HTTP."""

    def __init__(self, decoder: Decoder, engine: Engine, plan: BatchPlan) -> None:
        self._decoder, self._engine, self._plan = decoder, engine, plan
        self._started = time.monotonic()

    def app(self) -> Starlette:
        routes = [Route("/transcribe", self.transcribe, methods=["POST"]), Route("/health", self.health)]
        return Starlette(routes=routes)

    async def transcribe(self, request: Request) -> Response:
        try:
            query = request.query_params
            asked = wire.read_request(query, query.getlist("hint"), query.getlist("allowed"), await _body(request))
            answer = await _unless_gone(request, asyncio.create_task(self._engine.transcribe(asked)))
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        except AsrError as error:
            return JSONResponse(wire.error_body(error), wire.STATUS.get(type(error), 500))
        return JSONResponse(wire.transcript_body(answer))

    async def health(self, _request: Request) -> Response:
        device, stuck = self._decoder.device, self._engine.stuck
        return JSONResponse(
            {
                "status": "stuck" if stuck else "ok",
                "model": self._decoder.files.name,
                "device": device.kind,
                "compute_type": device.compute_type,
                "beam": self._decoder.beam,
                "queue_depth": self._engine.depth,
                "decoding": self._engine.busy,
                "decoded": self._engine.decoded,
                "batch_limit": self._engine.batch_limit,
                "batches": self._engine.batches,
                "batch_trials_ms": {
                    str(size): round(1000 * seconds, 1)
                    for size, seconds in ((1, self._plan.single_s), *self._plan.tried)
                },
                "partials_shed": self._engine.shed,
                "memory_mib": resident_mib(),
                "uptime_s": round(time.monotonic() - self._started, 1),
                "pid": os.getpid(),
            },
            503 if stuck else 200,
        )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > wire.LONGEST_AUDIO_BYTES:
            raise RequestRefused("The audio is longer than ten minutes.", "Send utterances, not recordings.")
    return bytes(body)


async def _unless_gone(request: Request, work: asyncio.Task[Transcript]) -> Transcript:
    """The task's result; when the client goes away first, the task is cancelled and ClientDisconnect raised."""
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // (1024 * 1024)


def open_socket(path: Path) -> socket.socket:
    """A listening socket that only this user may use; a stale file is replaced. Raises RecogniserUnavailable."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            if _answers(path):
                raise RecogniserUnavailable(f"Another recogniser answers at {path}.", "End it, or use another socket.")
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        previous = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise RecogniserUnavailable(f"The socket {path} cannot be opened: {error}.") from error
    except RecogniserUnavailable:
        listener.close()
        raise
    return listener


def socket_identity(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def close_socket(listener: socket.socket, path: Path, identity: int | None) -> None:
    """Closes it and removes its file, unless a successor has put its own there."""
    listener.close()
    if socket_identity(path) == identity:
        path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def end_with_parent() -> None:
    """Ends this process when the one that started it is gone.

    Not PR_SET_PDEATHSIG: it fires when the parent's thread ends that did the fork.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def load(options: argparse.Namespace) -> Decoder:
    """Finds or fetches the model, and loads it on the best device that works. Raises ModelError."""
    device = choose_device(options.device, options.compute_type)
    files = fetch.ensure(options.model, options.models_dir, progress=fetch.LogProgress())
    try:
        return _loaded(files, device, options)
    except ModelUnusable as error:
        if device.kind == "cpu" or options.device != "auto":
            raise
        log.warning("The GPU cannot be used, going on with the CPU: %s", error)
    return _loaded(files, choose_device("cpu", "auto"), options)


def _loaded(files: ModelFiles, device: Device, options: argparse.Namespace) -> Decoder:
    needed, free = check_memory(files.folder, device)
    log.info(
        "loading %s on %s (%s): about %d MiB, %s MiB are free",
        *(files.name, device.kind, device.compute_type, needed, "unknown" if free is None else free),
    )
    decoder = Decoder(files, device, threads=options.threads, beam=options.beam)
    decoder.warm_up()
    return decoder


def choose_batches(decoder: Decoder, asked: str) -> BatchPlan:
    """`asked`: "auto" measures, a number is taken as it is."""
    if asked != "auto":
        return BatchPlan(int(asked), decoder.network.trial_s(1))
    sizes = batching.CUDA_SIZES if decoder.device.kind == "cuda" else batching.CPU_SIZES
    try:
        return batching.plan(decoder.network.trial_s, sizes)
    except RuntimeError as error:
        log.warning("batches could not be measured, there will be none: %s", error)
        return BatchPlan(1, 0.0)


async def serve(decoder: Decoder, plan: BatchPlan, path: Path, queue_limit: int) -> bool:
    """Serves until SIGTERM or SIGINT; False when a decode still hangs. Raises RecogniserUnavailable: no socket."""
    stuck_s = max(STUCK_S, STUCK_TIMES * plan.single_s)
    engine = Engine(decoder, queue_limit=queue_limit, batch_limit=plan.limit, stuck_s=stuck_s)
    config = uvicorn.Config(
        Server(decoder, engine, plan).app(),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        ws="none",
    )
    server = uvicorn.Server(config)
    _stop_on_signals(server)
    listener = open_socket(path)
    identity = socket_identity(path)
    device = decoder.device
    try:
        engine.start()
        log.info(
            "ready: model %s on %s (%s), %s, %s",
            *(decoder.files.name, device.kind, device.compute_type, plan, path),
        )
        await server.serve(sockets=[listener])
    finally:
        ended = await engine.close()
        close_socket(listener, path, identity)
    return ended


def _stop_on_signals(server: uvicorn.Server) -> None:
    """Instead of uvicorn's own handling, which dies of the signal before the socket is cleaned up."""

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m asr.process", description="Speech recognition for all calls.")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to listen on")
    parser.add_argument("--model", default="demo", help="demo, a Whisper name, owner/name, or a folder")
    parser.add_argument("--models-dir", type=Path, default=fetch.default_models_dir(), help="where models are kept")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--compute-type", default="auto", help="auto, int8, float16, float32, ...")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of one decode; 0: up to 4")
    parser.add_argument("--queue", type=int, default=64, help="requests that may wait")
    parser.add_argument("--beam", type=int, default=5, help="width of the beam search")
    parser.add_argument("--batch", type=_batch, default="auto", help="requests decoded at once; auto measures; 1: none")
    return parser.parse_args(arguments)


def _batch(text: str) -> str:
    if text != "auto" and not (text.isdigit() and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError("auto or 1 to 64")
    return text


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("faster_whisper").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    options = parse()
    end_with_parent()
    try:
        decoder = load(options)
        if not asyncio.run(serve(decoder, choose_batches(decoder, options.batch), options.socket, options.queue)):
            log.error("a decode hangs, it is left behind")
            os._exit(1)  # Python would wait for its thread
    except AsrError as error:
        log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
