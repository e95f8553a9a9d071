"""Puts call events into the database from a thread of its own, so that no call ever waits for a disk."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from voicebot.errors import RecordsUnavailable
from voicebot.events import PASSING, CallEnded, CallEvent, from_json, to_json
from voicebot.records.database import DATABASE, cannot_open, is_about_data, is_passing, open_database, upgrade
from voicebot.records.privacy import EventRedactor, is_refusal, without_words
from voicebot.records.spill import SpillFile
from voicebot.records.store import CallStore, NumberedEvent

log = logging.getLogger(__name__)

SPILL = "records.spill.jsonl"

_ROOM_NEEDED = 1_000_000  # bytes


@dataclass(frozen=True)
class WriterSettings:
    """`queue`: events held at most. Above `spill_at` of it, while the database fails, the oldest go to the spill file;
    what the disk does not take either is dropped and counted.

    `gather_s`: how long a batch is gathered. Backoff doubles from `retry_s` to `longest_retry_s`.
    """

    queue: int = 10_000
    spill_at: float = 0.8
    batch: int = 500
    gather_s: float = 0.1
    retry_s: float = 0.25
    longest_retry_s: float = 10.0
    busy_timeout_s: float = 2.0


@dataclass(frozen=True)
class WriterHealth:
    """`failing` is the database's last complaint, "" when the last write went well."""

    queued: int
    written: int
    spilled: int
    dropped: int
    failing: str


class RecordWriter:
    """One per process. `start`, then `submit` from anywhere, then `close`.

    The queue is bounded; when it is full the oldest event is dropped and counted.
    """

    def __init__(self, data: Path, settings: WriterSettings = WriterSettings(), store: CallStore | None = None) -> None:
        self._data = data
        self._path = data / DATABASE
        self._began = datetime.now(UTC)
        self._settings = settings
        self._engine = open_database(self._path, busy_timeout_s=settings.busy_timeout_s)
        self._store = store or CallStore(self._engine)
        self._spill = SpillFile(data / SPILL)
        self._queue: deque[NumberedEvent] = deque()
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._redactors: dict[str, EventRedactor] = {}  # of calls whose caller is dictating
        self._refused: set[str] = set()
        self._ready: deque[NumberedEvent] = deque()  # redacted, not yet stored; the writer thread's own
        self._thread: threading.Thread | None = None
        self._prepared = False
        self._stopping = False
        self._in_hand = 0
        self._written = self._spilled = self._dropped = 0
        self._failing = ""

    # -- any thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the database up to date, read back what was spilled, mark calls of a dead process lost; then write.

        Raises RecordsUnavailable when the database cannot be used. A lock or a full disk does not hinder the start: it
        is tried again while events wait.
        """
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            self._prepare()
        except RecordsUnavailable:
            self._engine.dispose()
            raise
        except (OSError, SQLAlchemyError) as error:
            if not is_passing(error) and not self._disk_full():
                self._engine.dispose()
                raise cannot_open(self._path, error) from error
            self._complain(error)
        self._thread = threading.Thread(target=self._run, name="records", daemon=True)
        self._thread.start()

    def submit(self, event: CallEvent) -> None:
        """Queue an event; never blocks, never raises. What is of the moment is not kept."""
        if isinstance(event, PASSING):
            return
        with self._changed:
            if len(self._queue) >= self._settings.queue:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(NumberedEvent(next(self._numbers), event))
            self._changed.notify_all()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything submitted so far is stored or spilled; False when it was not in time.

        Digits that a caller is still dictating stay held back (see `EventRedactor`).
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._in_hand, timeout_s)

    def health(self) -> WriterHealth:
        with self._changed:
            waiting = len(self._queue) + self._in_hand
            return WriterHealth(waiting, self._written, self._spilled, self._dropped, self._failing)

    def close(self, deadline_s: float = 5.0) -> None:
        """Store what is queued, or spill it when the database refuses; give up after the deadline. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(deadline_s)
            if self._thread.is_alive():
                log.error("the records writer did not end in time; %d events may be lost", self.health().queued)
                return
            self._thread = None
        self._engine.dispose()

    # -- the writer's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        retry_s = self._settings.retry_s
        retry_at = time.monotonic() + (retry_s if self._failing else 0.0)
        while True:
            stopping = self._wait(retry_at)
            self._take(everything=stopping)
            if time.monotonic() >= retry_at or stopping:
                if self._store_ready():
                    retry_s = self._settings.retry_s
                else:
                    retry_at = time.monotonic() + retry_s
                    retry_s = min(retry_s * 2, self._settings.longest_retry_s)
            if self._failing and (stopping or self._crowded()):
                self._spill_ready()
            self._settle()
            if stopping and not self._queue:
                return

    def _wait(self, retry_at: float) -> bool:
        """Until there is something to do; then a moment more, so that a batch gathers. True when closing."""
        settings = self._settings
        with self._changed:
            if self._failing:
                self._changed.wait_for(lambda: self._stopping or self._crowded(), max(0.0, retry_at - time.monotonic()))
            else:
                self._changed.wait_for(lambda: self._stopping or self._queue)
                self._changed.wait_for(lambda: self._stopping or len(self._queue) >= settings.batch, settings.gather_s)
            return self._stopping

    def _crowded(self) -> bool:
        return len(self._queue) + len(self._ready) > self._settings.queue * self._settings.spill_at

    def _take(self, *, everything: bool) -> None:
        """Redact what is queued. While the database fails, only as much as will be spilled at once."""
        with self._changed:
            limit = len(self._queue) if everything else min(len(self._queue), self._settings.batch)
            if self._failing and self._ready and not everything and not self._crowded():
                limit = 0
            taken = [self._queue.popleft() for _ in range(limit)]
            self._in_hand = len(self._ready) + len(taken)
        for item in taken:
            try:
                self._redact(NumberedEvent(item.number, _storable(item.event)))
            except Exception:  # a fault of ours: one event is lost, never the thread, and nothing goes out unmasked
                log.exception("an event could not be prepared for the records")
                self._drop(1)
        if everything:
            for call_id in list(self._redactors):
                self._release(call_id)

    def _redact(self, item: NumberedEvent) -> None:
        call_id = item.event.call_id
        if is_refusal(item.event):
            self._refused.add(call_id)
        redactor = self._redactors.pop(call_id, None) or EventRedactor()
        for number, event in redactor.push(item.number, item.event):
            self._add_ready(number, event)
        if redactor.holding:
            self._redactors[call_id] = redactor
        if isinstance(item.event, CallEnded):
            self._refused.discard(call_id)

    def _release(self, call_id: str) -> None:
        for number, event in self._redactors.pop(call_id).flush():
            self._add_ready(number, event)

    def _add_ready(self, number: int, event: CallEvent) -> None:
        self._ready.append(NumberedEvent(number, without_words(event) if event.call_id in self._refused else event))

    def _prepare(self) -> None:
        """Once: tables, what an earlier process left."""
        upgrade(self._engine)
        self._read_back()
        lost = self._store.mark_lost(before=self._began)
        if lost:
            log.warning("%d calls were cut off when the process ended; they are recorded as lost", lost)
        self._prepared = True

    def _read_back(self) -> None:
        if self._spill.waiting():
            for batch in self._spill.batches(self._settings.batch):
                self._write(batch)
            self._spill.clear()

    def _write(self, batch: Sequence[NumberedEvent]) -> None:
        """Store a batch; an event that the database can never take is dropped, so that the others get through."""
        try:
            self._store.write(batch)
        except Exception as error:
            if not is_about_data(error):
                raise
            if len(batch) == 1:
                log.exception("an event cannot be stored and is dropped")
                self._drop(1)
            else:
                for item in batch:
                    self._write([item])

    def _store_ready(self) -> bool:
        """False when the database refused; nothing is lost then."""
        try:
            if not self._prepared:
                self._prepare()
            self._read_back()
            while self._ready:
                batch = list(itertools.islice(self._ready, self._settings.batch))
                self._write(batch)
                for _ in batch:
                    self._ready.popleft()
                self._written += len(batch)
        except (OSError, SQLAlchemyError, RecordsUnavailable) as error:
            self._complain(error)
            return False
        if self._failing:
            log.info("the records database takes events again")
        self._failing = ""
        return True

    def _spill_ready(self) -> None:
        try:
            while self._ready:
                batch = list(itertools.islice(self._ready, self._settings.batch))
                self._spill.append(batch)
                for _ in batch:
                    self._ready.popleft()
                self._spilled += len(batch)
        except OSError as error:
            log.error("records can be neither stored nor spilled (%s); the oldest are dropped", error)
            self._drop(len(self._ready))
            self._ready.clear()

    def _drop(self, events: int) -> None:
        with self._changed:
            self._dropped += events

    def _disk_full(self) -> bool:
        """SQLite says "unable to open" where there is no room for its log."""
        try:
            return shutil.disk_usage(self._data).free < _ROOM_NEEDED
        except OSError:
            return False

    def _settle(self) -> None:
        with self._changed:
            self._in_hand = len(self._ready)
            self._changed.notify_all()

    def _complain(self, error: Exception) -> None:
        reason = str(getattr(error, "orig", None) or error)
        if reason != self._failing:
            log.error("the records database refuses (%s); events wait and are tried again", reason)
        self._failing = reason


def _storable(event: CallEvent) -> CallEvent:
    """The event as JSON can hold it: foreign values as text, broken characters as `?`."""
    text = json.dumps(to_json(event), ensure_ascii=False, default=str)
    return from_json(json.loads(text.encode("utf-8", "replace")))
