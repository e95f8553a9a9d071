"""What the house and its workers tell each other as it happens: JSON lines over a Unix socket, one for each worker.

A worker tells events, promised callbacks, what is to be sent out, and how it is. The house tells whose calls were cut
off, and whether the recogniser is there: the whole of it, whenever it changes. What a worker told before it died is
read to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from voicebot.errors import VoicebotError
from voicebot.events import ABOUT_NO_CALL, CallEvent, to_json
from voicebot.queueing.happenings import Promise
from voicebot.watch.payloads import Payload

log = logging.getLogger(__name__)

NAME = "house"
"""Of the socket, in the folder of all sockets."""

Kind = Literal["worker", "event", "promise", "delivery", "state"]

PROMISES: TypeAdapter[Promise] = TypeAdapter(Promise)
DELIVERIES: TypeAdapter[Payload] = TypeAdapter(Payload)

LONGEST_LINE = 4_000_000
MOST_UNSENT = 16_000_000
"""Bytes that wait for a house that does not read. Overflow: what comes then is dropped, and told in the log."""

ANSWER_S = 10.0
CLOSE_S = 5.0


class HouseGone(VoicebotError):
    """The process that started this worker is gone, or does not speak to it."""

    code = "house_gone"


@dataclass(frozen=True)
class News:
    """`cut_off`: when calls ended that were lost, by the caller's number. `hears`: the recogniser is there."""

    cut_off: Mapping[str, datetime] = field(default_factory=dict)
    hears: bool = True

    def line(self) -> bytes:
        cut_off = {caller: ended_at.isoformat() for caller, ended_at in self.cut_off.items()}
        return _line({"cut_off": cut_off, "hears": self.hears})

    @classmethod
    def read(cls, line: bytes) -> News:
        told = json.loads(line)
        cut_off = {caller: datetime.fromisoformat(at) for caller, at in told["cut_off"].items()}
        return cls(cut_off, bool(told["hears"]))


class HouseLine:
    """The worker's end. `open` it first; then `event` from any thread, the others on the loop."""

    def __init__(self, folder: Path, number: int, changed: Callable[[News], None], gone: Callable[[], None]) -> None:
        """`gone`: the house is not there any more."""
        self.news = News()
        self._folder = folder
        self._number = number
        self._changed = changed
        self._gone = gone
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._dropped = 0

    async def open(self) -> None:
        """Raises HouseGone."""
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, self._writer = await asyncio.open_unix_connection(self._folder / NAME, limit=LONGEST_LINE)
                self._tell("worker", self._number)
                self.news = News.read(await reader.readline())
        except (OSError, TimeoutError, ValueError) as error:
            raise HouseGone(f"The house does not answer: {error}.", "Start `voicebot serve`.") from error
        self._listening = asyncio.create_task(self._listen(reader), name="listen to the house")

    async def close(self) -> None:
        """What was told is on its way."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
        if self._writer is not None:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    self._writer.close()
                    await self._writer.wait_closed()

    def event(self, event: CallEvent) -> None:
        """Never blocks. Of bots that are taken up or refused the house tells itself."""
        if isinstance(event, ABOUT_NO_CALL):
            return
        if threading.get_ident() == self._thread:
            self._tell("event", to_json(event))
        else:
            self._loop.call_soon_threadsafe(self._tell, "event", to_json(event))

    def promise(self, promise: Promise) -> None:
        self._tell("promise", PROMISES.dump_python(promise, mode="json"))

    def deliver(self, payload: Payload) -> None:
        self._tell("delivery", DELIVERIES.dump_python(payload, mode="json"))

    def state(self, report: Mapping[str, object]) -> None:
        self._tell("state", dict(report))

    def _tell(self, kind: Kind, told: object) -> None:
        if self._writer is None or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            if not self._dropped:
                log.error("the house does not read; what happens in calls is not told any more")
            self._dropped += 1
            return
        self._writer.write(_line({"kind": kind, "told": told}))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                self.news = News.read(line)
                self._changed(self.news)
        self._gone()


class WorkerLines:
    """The house's end. `told(worker, kind, data)`: in the order in which each worker told it. `gone(worker)`: after
    the last that it told.
    """

    def __init__(self, folder: Path, told: Callable[[int, str, Any], None], gone: Callable[[int], None]) -> None:
        self._path = folder / NAME
        self._told = told
        self._gone = gone
        self._news = News()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._reading: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST_LINE)

    async def close(self) -> None:
        """After the last worker has ended; what they told is read to its end."""
        if self._server is None:
            return
        self._server.close()
        if self._reading:
            _, late = await asyncio.wait(self._reading, timeout=CLOSE_S)
            for task in late:
                task.cancel()

    def tell(self, news: News) -> None:
        """Everybody, now and when they come."""
        if news != self._news:
            self._news = news
            for writer in self._writers.values():
                writer.write(news.line())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._reading.add(task)
        worker = 0
        try:
            worker = int(_read(await reader.readline())[1])
            self._writers[worker] = writer
            writer.write(self._news.line())
            while line := await reader.readline():
                self._take(worker, line)
        except (OSError, ValueError) as error:
            log.error("worker %d is not heard any more: %s", worker, error)
        finally:
            self._reading.discard(task)
            writer.close()
            if worker and self._writers.get(worker) is writer:
                del self._writers[worker]
            if worker:
                self._gone(worker)

    def _take(self, worker: int, line: bytes) -> None:
        try:
            self._told(worker, *_read(line))
        except Exception:  # of one line; the others count
            log.exception("what worker %d told cannot be used", worker)


def _line(told: Mapping[str, object]) -> bytes:
    text = json.dumps(told, ensure_ascii=False, default=str) + "\n"
    return text.encode("utf-8", "replace")


def _read(line: bytes) -> tuple[str, Any]:
    told = json.loads(line)
    return str(told["kind"]), told["told"]
