"""The stream of events: whoever publishes never waits for whoever reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable

from voicebot.events.base import CallEvent
from voicebot.events.codec import event_name

log = logging.getLogger(__name__)


class Subscription(AsyncIterator[CallEvent]):
    """Events for one reader. Holds at most `limit`; overflow: the oldest is dropped and counted in `dropped`."""

    def __init__(self, limit: int, call_id: str | None, on_close: Callable[[Subscription], None]) -> None:
        self.dropped = 0
        self._events: deque[CallEvent] = deque()
        self._limit = limit
        self._call_id = call_id
        self._on_close = on_close
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._closed = False

    def offer(self, event: CallEvent) -> None:
        """Called by the stream, from any thread."""
        if self._call_id is not None and event.call_id != self._call_id:
            return
        with self._lock:
            if len(self._events) >= self._limit:
                self._events.popleft()
                self.dropped += 1
            self._events.append(event)
        self._wake()

    def close(self) -> None:
        """No more events come; what is queued can still be read. Idempotent."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the reader's loop is gone: nobody is left to wake
            self._loop.call_soon_threadsafe(self._ready.set)

    async def __anext__(self) -> CallEvent:
        while True:
            with self._lock:
                if self._events:
                    return self._events.popleft()
                if self._closed:
                    raise StopAsyncIteration
            self._ready.clear()
            if not self._events and not self._closed:
                await self._ready.wait()


class EventStream:
    """Hands every published event to all readers. Publishing never waits for a reader, whatever the reader does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._sinks: tuple[Callable[[CallEvent], None], ...] = ()

    def subscribe(self, *, limit: int = 1000, call_id: str | None = None) -> Subscription:
        """Events from now on, of one call or of all, for a reader on the running loop. Close it when done."""
        subscription = Subscription(limit, call_id, self._forget)
        with self._lock:
            self._subscriptions += (subscription,)
        return subscription

    def attach(self, sink: Callable[[CallEvent], None]) -> Callable[[], None]:
        """`sink(event)` runs in the publisher's thread and must not block; a raising sink is logged.

        Returns the detach.
        """
        with self._lock:
            self._sinks += (sink,)

        def detach() -> None:
            with self._lock:
                self._sinks = tuple(other for other in self._sinks if other is not sink)

        return detach

    def publish(self, event: CallEvent) -> None:
        """From any thread; never blocks and never raises."""
        for sink in self._sinks:
            try:
                sink(event)
            except Exception:
                log.exception("A reader of call events failed on %s", event_name(event))
        for subscription in self._subscriptions:
            subscription.offer(event)

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(other for other in self._subscriptions if other is not subscription)
