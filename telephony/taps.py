"""Taps: who else is given a stream of the media thread, frame by frame."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

Tap = Callable[[int, bytes], None]
Submit = Callable[[Callable[[], None]], None]


class Taps:
    """The sinks of one stream. A sink runs on the media thread and must not block; one that raises is detached."""

    def __init__(self, owner: str, submit: Submit) -> None:
        self._owner = owner
        self._submit = submit
        self._sinks: list[Tap] = []

    def add(self, sink: Tap) -> Callable[[], None]:
        """Give `sink` the stream from the next tick on. Returns the un-tap, which may be called more than once."""
        self._submit(lambda: self._sinks.append(sink))

        def remove() -> None:
            if sink in self._sinks:
                self._sinks.remove(sink)

        return lambda: self._submit(remove)

    # The media thread's side.

    def __bool__(self) -> bool:
        return bool(self._sinks)

    def hand(self, first_sample: int, pcm: bytes) -> None:
        """Give a frame to all of them."""
        for sink in tuple(self._sinks):
            try:
                sink(first_sample, pcm)
            except Exception:
                logger.exception("a tap of %s failed and is detached", self._owner)
                self._sinks.remove(sink)

    def clear(self) -> None:
        """There will be no more frames."""
        self._sinks.clear()
