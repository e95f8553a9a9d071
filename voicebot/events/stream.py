"""The stream of events: whoever publishes never waits for whoever reads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from voicebot.events.base import CallEvent
from voicebot.events.codec import event_name

log = logging.getLogger(__name__)


class EventStream:
    """Hands every published event to all who are attached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sinks: tuple[Callable[[CallEvent], None], ...] = ()

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
