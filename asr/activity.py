"""Voice activity of all calls on one thread: webrtcvad per stream as a gate, one Silero session, one batch per step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asr.errors import ActivityError
from asr.silero import RATES, Silero
from asr.stream import ActivityEvent, ActivityFailed, ActivityStream, Window, measure
from asr.tracker import ActivitySettings, SpeechDismissed, SpeechPaused, SpeechStarted, SpeechSuspected

__all__ = [
    "ActivityEvent",
    "ActivityFailed",
    "ActivityHealth",
    "ActivityService",
    "ActivitySettings",
    "ActivityStream",
    "SpeechDismissed",
    "SpeechPaused",
    "SpeechStarted",
    "SpeechSuspected",
]

log = logging.getLogger(__name__)

# All streams are fed in one tick of the media thread; waiting this long puts them into one batch.
GATHER_S = 0.004
IDLE_S = 0.5
STOP_S = 5.0


@dataclass(frozen=True)
class ActivityHealth:
    """For a watchdog: a service that is fed and does not look at it has gone deaf, and `behind_ms` grows.

    behind_ms: the most that any stream waits. dropped_ms: sound of the open streams that overflowed.
    failed_streams: since the start. rounds: how often it has looked at the next windows; a thread that is late goes on
    counting, one that hangs does not.
    """

    alive: bool
    streams: int
    behind_ms: int
    dropped_ms: int
    failed_streams: int
    rounds: int


class ActivityService:
    """One per worker process. Streams may be opened before `start` and outlive nothing after `stop`."""

    def __init__(self, settings: ActivitySettings | None = None) -> None:
        self.settings = settings or ActivitySettings()
        self._silero = Silero()
        self._lock = threading.Lock()
        self._streams: list[ActivityStream] = []
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._failed_streams = 0
        self._rounds = 0

    def start(self) -> None:
        """Idempotent."""
        if self._thread is None:
            self._stopping = False
            self._thread = threading.Thread(target=self._run, name="voice activity", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Closes all streams and ends the thread; idempotent. Not to be called from `on_event`."""
        thread, self._thread = self._thread, None
        self._stopping = True
        self._wake.set()
        if thread is not None:
            thread.join(STOP_S)
        for stream in self._open_streams():
            stream.close()

    def revive(self, reason: str) -> None:
        """Leaves a thread that hangs behind and starts another. Open streams end with ActivityFailed; open new ones."""
        streams, self._silero = self._open_streams(), Silero()
        self._thread = threading.Thread(target=self._run, name="voice activity", daemon=True)
        for stream in streams:
            stream.fail(reason)
        self._thread.start()

    def open(self, sample_rate: int, on_event: Callable[[ActivityEvent], None]) -> ActivityStream:
        """At 8000 or 16000 Hz. `on_event` runs on the activity thread and must not block. Raises ActivityError."""
        if sample_rate not in RATES:
            raise ActivityError(f"Voice activity needs sound at 8000 or 16000 Hz, not {sample_rate}.")
        stream = ActivityStream(sample_rate, self.settings, on_event, self._wake.set)
        with self._lock:
            self._streams.append(stream)
        return stream

    def health(self) -> ActivityHealth:
        streams = self._open_streams()
        return ActivityHealth(
            alive=self._thread is not None and self._thread.is_alive(),
            streams=len(streams),
            behind_ms=max((1000 * s.behind // s.sample_rate for s in streams), default=0),
            dropped_ms=sum(1000 * s.dropped_samples // s.sample_rate for s in streams),
            failed_streams=self._failed_streams,
            rounds=self._rounds,
        )

    def _open_streams(self) -> list[ActivityStream]:
        with self._lock:
            self._streams = [stream for stream in self._streams if not stream.closed]
            return list(self._streams)

    def _run(self) -> None:
        while not self._stopping and threading.current_thread() is self._thread:
            if not self._wake.wait(IDLE_S):
                continue
            time.sleep(GATHER_S)
            self._wake.clear()
            try:
                self.step()
            except Exception:
                # Whatever it was, the calls of tomorrow still have to be heard.
                log.exception("a step of voice activity detection failed")

    def step(self) -> None:
        """Looks at everything fed so far; the thread's turn of work, and a test's."""
        streams = self._open_streams()
        for stream in streams:
            stream.collect()
        for rate in RATES:
            self._judge([stream for stream in streams if stream.sample_rate == rate], rate)

    def _judge(self, streams: list[ActivityStream], rate: int) -> None:
        """The next windows of all streams make one batch, until no stream has any left."""
        while batch := self._next_windows(streams):
            try:
                self._ask(batch, rate)
            except Exception as error:
                log.warning("a batch of %d failed, asking one by one: %s", len(batch), error)
                for entry in batch:
                    with _Isolated(self, entry[0]):
                        self._ask([entry], rate)
            for stream, window in batch:
                if not stream.closed:
                    with _Isolated(self, stream):
                        stream.judged(window)

    def _next_windows(self, streams: list[ActivityStream]) -> list[tuple[ActivityStream, Window]]:
        """One of each stream that has any; those that the gate shuts out are done with on the way."""
        batch: list[tuple[ActivityStream, Window]] = []
        asked = streams
        while asked:
            cut: list[tuple[ActivityStream, bytes]] = []
            for stream in asked:
                if stream.closed:
                    continue
                with _Isolated(self, stream):
                    if (window := stream.due()) is not None:
                        batch.append((stream, window))
                    elif (pcm := stream.cut()) is not None:
                        cut.append((stream, pcm))
            asked = [stream for stream, _ in cut]
            for stream, measured in zip(asked, measure([pcm for _, pcm in cut]) if cut else (), strict=True):
                with _Isolated(self, stream):
                    stream.admit(measured)
            self._rounds += 1
        return batch

    def _ask(self, batch: list[tuple[ActivityStream, Window]], rate: int) -> None:
        inputs = np.stack([np.concatenate([stream.context, window.samples]) for stream, window in batch])
        states = np.concatenate([stream.state for stream, _ in batch], axis=1)
        gains = np.array([[window.gain] for _, window in batch], dtype=np.float32)
        probabilities, states = self._silero.run(rate, inputs * gains, states)
        for index, (stream, window) in enumerate(batch):
            window.probability = float(probabilities[index])
            stream.state = states[:, index : index + 1]
            stream.context = inputs[index, -len(stream.context) :]

    def stream_failed(self, stream: ActivityStream, error: Exception) -> None:
        log.error("voice activity of one stream failed, the stream is closed", exc_info=error)
        self._failed_streams += 1
        try:
            stream.fail(f"{type(error).__name__}: {error}")
        except Exception:
            log.exception("and so did telling about it")


class _Isolated:
    """What fails inside ends one stream and nothing else."""

    def __init__(self, service: ActivityService, stream: ActivityStream) -> None:
        self._service, self._stream = service, stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Exception):
            self._service.stream_failed(self._stream, error)
            return True
        return False
