"""The recogniser as its callers see it: HTTP over the Unix socket of the recogniser process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from asr import wire
from asr.errors import RecogniserTimeout, RecogniserUnavailable
from asr.recogniser import RecognitionRequest, Transcript

DYING_S = 1.0
CONNECT_PAUSE_S = 0.05
HEALTH_TIMEOUT_S = 2.0
LOAD_S = 30.0
LOAD_REQUESTS = 500
LOAD_FEWEST = 5  # a percentile of fewer is an accident


@dataclass(frozen=True)
class RecogniserHealth:
    """status: "ok" or "stuck". batch_trials_ms: by size, as measured at start-up."""

    status: str
    model: str
    device: str
    compute_type: str
    beam: int
    queue_depth: int
    decoding: bool
    decoded: int
    batch_limit: int
    batches: int
    batch_trials_ms: dict[str, float]
    partials_shed: int
    memory_mib: int
    uptime_s: float
    pid: int


@dataclass(frozen=True)
class RecogniserLoad:
    """What callers feel of it. waiting: final requests under way. p95_s: how long those of late took, 0 of few."""

    waiting: int
    p95_s: float


class RecogniserClient:
    """Implements `asr.recogniser.Recogniser`.

    A process that is not there (yet, or again) is waited for up to `replace_wait_s`. A connection lost in the middle of
    a request means that the process died: the request is repeated once. Both stay within the request's deadline.
    """

    def __init__(self, socket_path: Path, *, replace_wait_s: float = 5.0) -> None:
        self._socket_path = socket_path
        self._replace_wait_s = replace_wait_s
        # A connection per request: a Unix socket opens in no time, and a kept connection may be to a dead process.
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(socket_path), limits=httpx.Limits(max_keepalive_connections=0), verify=False
            ),
            base_url="http://recogniser",
            timeout=None,
            trust_env=False,
        )
        self._closed = False
        self._running: set[asyncio.Task[Transcript]] = set()
        self._waiting = 0
        self._took: deque[tuple[float, float]] = deque(maxlen=LOAD_REQUESTS)  # final requests: end, time

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """Raises RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused."""
        if self._closed:
            raise RecogniserUnavailable("The recogniser's client is closed.")
        work = asyncio.create_task(self._within_deadline(request), name=f"recognise {request.call_id}")
        self._running.add(work)
        final, began = request.rank == 0, time.monotonic()
        self._waiting += final
        try:
            transcript = await work
            self._note_time(final, began)
            return transcript
        except RecogniserTimeout:
            self._note_time(final, began)
            raise
        except asyncio.CancelledError:
            if self._closed and work.cancelled() and not _being_cancelled():
                raise RecogniserUnavailable("The recogniser's client was closed.") from None
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise
        finally:
            self._running.discard(work)
            self._waiting -= final

    def _note_time(self, final: bool, began: float) -> None:
        """A process that is busy or away tells nothing of how long a request takes."""
        if final:
            self._took.append((time.monotonic(), time.monotonic() - began))

    def load(self) -> RecogniserLoad:
        """Of the last half minute."""
        since = time.monotonic() - LOAD_S
        took = sorted(seconds for at, seconds in self._took if at >= since)
        return RecogniserLoad(self._waiting, took[int(0.95 * len(took))] if len(took) >= LOAD_FEWEST else 0.0)

    async def _within_deadline(self, request: RecognitionRequest) -> Transcript:
        deadline = time.monotonic() + request.deadline_s
        try:
            async with asyncio.timeout(request.deadline_s):
                return await self._persevere(request, deadline)
        except TimeoutError:
            raise RecogniserTimeout(f"No text within {request.deadline_s:g} s.") from None

    async def _persevere(self, request: RecognitionRequest, deadline: float) -> Transcript:
        """Ride over a process that is away, and over one death."""
        away_since: float | None = None
        died_at: float | None = None
        while True:
            try:
                return await self._attempt(request, deadline)
            except httpx.ConnectError as error:
                away_since = time.monotonic() if away_since is None else away_since
                if time.monotonic() - away_since >= self._replace_wait_s:
                    raise RecogniserUnavailable(
                        f"No recogniser answers at {self._socket_path}.",
                        "Its process is not running; its log says why.",
                    ) from error
            except httpx.TransportError as error:
                # A killed process still takes connections for a moment, and drops them: that is the same death.
                died_at = time.monotonic() if died_at is None else died_at
                away_since = None
                if time.monotonic() - died_at > DYING_S:
                    raise RecogniserUnavailable(
                        f"The recogniser at {self._socket_path} broke off twice: {error!r}.", "Its log says why."
                    ) from error
            await asyncio.sleep(CONNECT_PAUSE_S)

    async def _attempt(self, request: RecognitionRequest, deadline: float) -> Transcript:
        """One request. Raises httpx.TransportError when no process takes it or the connection is lost."""
        response = await self._http.post(
            "/transcribe", params=wire.request_query(request, deadline - time.monotonic()), content=request.audio
        )
        if response.status_code != 200:
            raise wire.read_error(response.status_code, _json(response))
        return wire.read_transcript(_json(response))

    async def health(self) -> RecogniserHealth:
        """Raises RecogniserUnavailable when no process answers within 2 s."""
        try:
            response = await self._http.get("/health", timeout=HEALTH_TIMEOUT_S)
            return RecogniserHealth(**_json(response))
        except (httpx.HTTPError, TypeError) as error:
            raise RecogniserUnavailable(f"No recogniser answers at {self._socket_path}: {error!r}.") from error

    async def close(self) -> None:
        """Requests under way end with RecogniserUnavailable; idempotent."""
        self._closed = True
        for work in self._running:
            work.cancel()
        await self._http.aclose()


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
