"""The floor, kept: every transition is in the database before its effects are carried out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from voicebot.errors import RecordsUnavailable
from voicebot.people_settings import QueueSettings
from voicebot.queueing import rows
from voicebot.queueing.floor import Floor
from voicebot.queueing.happenings import Effect, Event, Tick
from voicebot.queueing.ledger import Changes
from voicebot.queueing.model import Agent, Entry
from voicebot.records.database import DATABASE, cannot_open, is_about_data, open_database, upgrade

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""A transition waits so long for the disk; then the floor goes on in memory and it is written later."""

RETRY_S = 1.0
CLOSE_S = 5.0
LONGEST_NAP_S = 5.0
MOST_UNWRITTEN = 20_000
"""Entries and agents that wait for the disk at most. Overflow: the oldest change is dropped, and told in the log."""

_BUSY_TIMEOUT_S = 0.4


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StoredFloor:
    """One per process. `open` it, `apply` events, run `keep_time` beside, `close` it. For one event loop.

    `carry_out` gets the effects of each event, in the order of the events, also when whoever applied the event was
    cancelled meanwhile. It must not block; what it raises is logged.
    """

    def __init__(
        self,
        engine: Engine,
        floor: Floor,
        carry_out: Callable[[tuple[Effect, ...]], None],
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._engine = engine
        self.floor = floor
        self._carry_out = carry_out
        self._clock = clock
        self._lock = asyncio.Lock()  # fair: events are applied in the order in which they come
        self._events: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._unwritten: dict[tuple[type, str], Entry | Agent] = {}
        self._thread = ThreadPoolExecutor(1, "queue")  # its own: the shared ones write the files of calls that end
        self._writing: asyncio.Task[None] | None = None
        self._retry_at = 0.0
        self._failing = ""

    @classmethod
    async def open(
        cls,
        data: Path,
        queues: Mapping[str, QueueSettings],
        timezone: tzinfo,
        carry_out: Callable[[tuple[Effect, ...]], None],
        *,
        line_back_s: float = 30.0,
        clock: Callable[[], datetime] = _utc_now,
    ) -> StoredFloor:
        """With what an earlier process left: see `rows.restore`. Raises RecordsUnavailable."""
        engine = open_database(data / DATABASE, busy_timeout_s=CLOSE_S)
        now = clock()

        def read() -> Floor:
            data.mkdir(parents=True, exist_ok=True)
            upgrade(engine)
            restored = rows.restore(engine, queues, now)
            return Floor(queues, timezone, now, line_back_s=line_back_s, restored=restored)

        try:
            floor = await asyncio.to_thread(read)
        except RecordsUnavailable:
            raise
        except (OSError, SQLAlchemyError) as error:
            raise cannot_open(data / DATABASE, error) from error
        finally:
            engine.dispose()
        return cls(open_database(data / DATABASE, busy_timeout_s=_BUSY_TIMEOUT_S), floor, carry_out, clock)

    @property
    def failing(self) -> str:
        """The database's last complaint; "" when the last write went well."""
        return self._failing

    async def apply(self, event: Event) -> None:
        """Returns when the event is kept (or the disk has had its time) and its effects were handed out."""
        task = asyncio.create_task(self._apply(event), name=f"floor {type(event).__name__}")
        self._events.add(task)
        task.add_done_callback(self._events.discard)
        await asyncio.shield(task)

    async def keep_time(self) -> None:
        """Tells the floor that time goes on, until cancelled."""
        while True:
            self._woken.clear()
            due = self.floor.next_at()
            nap_s = (due - self._clock()).total_seconds() if due is not None else LONGEST_NAP_S
            try:
                async with asyncio.timeout(min(max(nap_s, 0.0), LONGEST_NAP_S)):
                    await self._woken.wait()
            except TimeoutError:
                await self.apply(Tick())

    async def close(self) -> None:
        """After the last event: what is not written yet is tried once more, for a few seconds. Idempotent."""
        if self._events:
            await asyncio.wait(set(self._events), timeout=CLOSE_S)
        async with self._lock:
            self._retry_at = 0.0
            await self._save(CLOSE_S)
        if self._unwritten:
            log.error("%d changes of the queue were not written (%s)", len(self._unwritten), self._failing or "slow")
        self._thread.shutdown(wait=False)  # a disk that hangs does not hold up the end of the process
        self._engine.dispose()

    async def _apply(self, event: Event) -> None:
        async with self._lock:
            effects, changes = self.floor.step(event, self._clock())
            self._note(changes)
            await self._save(PATIENCE_S)
            try:
                self._carry_out(effects)
            except Exception:
                log.exception("effects of %s could not be carried out", type(event).__name__)
        self._woken.set()

    def _note(self, changes: Changes) -> None:
        found: list[Entry | Agent] = [*changes.entries, *changes.agents]
        for change in found:
            key = (type(change), change.id if isinstance(change, Entry) else change.login)
            self._unwritten.pop(key, None)
            self._unwritten[key] = change
        while len(self._unwritten) > MOST_UNWRITTEN:
            dropped = next(iter(self._unwritten))
            del self._unwritten[dropped]
            log.error("the change of %s waited too long for the database and is dropped", dropped[1])

    async def _save(self, patience_s: float) -> None:
        """Write what is not written. One write at a time, so that an older state never comes after a newer one."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while self._writing is not None or (self._unwritten and loop.time() >= self._retry_at):
            if self._writing is None:
                self._writing = asyncio.create_task(self._write(dict(self._unwritten)), name="floor writer")
            await asyncio.wait({self._writing}, timeout=max(0.0, deadline - loop.time()))
            if not self._writing.done():
                self._complain("it is slow")
                return
            self._writing.result()
            self._writing = None

    async def _write(self, batch: Mapping[tuple[type, str], Entry | Agent]) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._write_all, list(batch.values()))
        except (OSError, SQLAlchemyError) as error:
            self._retry_at = asyncio.get_running_loop().time() + RETRY_S
            self._complain(str(getattr(error, "orig", None) or error))
            return
        for key, change in batch.items():
            if self._unwritten.get(key) is change:
                del self._unwritten[key]
        if self._failing:
            log.info("the database takes changes of the queue again")
        self._failing = ""

    def _write_all(self, changes: list[Entry | Agent]) -> None:
        """What the database can never take is dropped, so that the others get through."""
        try:
            rows.write(self._engine, changes)
        except Exception as error:
            if not is_about_data(error):
                raise
            if len(changes) == 1:
                log.exception("a change of the queue cannot be stored and is dropped")
                return
            for change in changes:
                self._write_all([change])

    def _complain(self, reason: str) -> None:
        if reason != self._failing:
            log.error("the database does not take changes of the queue (%s); it goes on in memory", reason)
        self._failing = reason
