"""What happens, told at once to the pages that look at it: rooms publish by topic, each page reads what it may see."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from voicebot.access import Who
from voicebot.errors import VoicebotError

READER_QUEUE = 256
"""Messages that wait for one page. One too many, and all give way to `resync`: the page loads anew what it shows."""

STREAMS_OF_ONE = 20
"""Streams that one session or token may hold open."""

Seen = Callable[[Who], bool]


class TooManyStreams(VoicebotError):
    """As many streams as one session may have are open."""

    code = "too_many_streams"


@dataclass(frozen=True)
class Message:
    """`data` is JSON."""

    event: str
    data: str


class Reader:
    """One page's messages. Belongs to the event loop."""

    def __init__(self, who: Who, topics: frozenset[str], gone: Callable[[Reader], None]) -> None:
        self.who = who
        self.topics = topics
        self._gone = gone
        self._waiting: deque[Message] = deque()
        self._ended = False
        self._something = asyncio.Event()

    async def next(self, timeout_s: float) -> Message | None:
        """The next message; None when there was none for so long, or will be none any more."""
        if not self._waiting and not self._ended:
            self._something.clear()
            try:
                await asyncio.wait_for(self._something.wait(), timeout_s)
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None

    @property
    def over(self) -> bool:
        """Whether the last message was taken."""
        return self._ended and not self._waiting

    def put(self, message: Message) -> None:
        if self._ended:
            return
        if len(self._waiting) >= READER_QUEUE:
            self._waiting.clear()
            message = Message("resync", "{}")
        self._waiting.append(message)
        self._something.set()

    def end(self, last: Message | None = None) -> None:
        """Nothing more is told but this: what still waited is dropped. Idempotent."""
        if self._ended:
            return
        self._ended = True
        self._waiting.clear()
        if last is not None:
            self._waiting.append(last)
        self._something.set()
        self._gone(self)


class Hub:
    """Topics and their readers. Belongs to the event loop: other threads hand over by `call_soon_threadsafe`."""

    def __init__(self) -> None:
        self._readers: dict[str, set[Reader]] = {}
        self._closed = False

    def open(self, who: Who, topics: Collection[str]) -> Reader:
        """A page that wants to be told. Whoever opened it has to `end` it."""
        reader = Reader(who, frozenset(topics), self._forget)
        for topic in reader.topics:
            self._readers.setdefault(topic, set()).add(reader)
        if self._closed:
            reader.end()
        return reader

    def check_room(self, who: Who) -> None:
        """Raises TooManyStreams."""
        if sum(reader.who.id == who.id for reader in self._all()) >= STREAMS_OF_ONE:
            raise TooManyStreams(f"{STREAMS_OF_ONE} pages are open already.", "Close some of them.")

    def publish(self, topic: str, event: str, data: BaseModel | Mapping[str, Any], to: Seen) -> None:
        """Tell those readers of `topic` for whom `to` holds. Never blocks; whom nobody reads costs nothing."""
        readers = [reader for reader in self._readers.get(topic, ()) if to(reader.who)]
        if readers:
            text = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
            message = Message(event, text)
            for reader in readers:
                reader.put(message)

    def is_read(self, topic: str) -> bool:
        """Whether anybody looks: what is dear to make need not be made for nobody. From any thread."""
        return topic in self._readers

    def close(self) -> None:
        """End all streams; those opened later end at once."""
        self._closed = True
        for reader in self._all():
            reader.end()

    def _all(self) -> set[Reader]:
        return {reader for readers in self._readers.values() for reader in readers}

    def _forget(self, reader: Reader) -> None:
        for topic in reader.topics:
            readers = self._readers.get(topic, set())
            readers.discard(reader)
            if not readers:
                self._readers.pop(topic, None)
