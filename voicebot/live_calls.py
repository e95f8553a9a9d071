"""The calls that go on in this worker, for those who watch them and step in."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.call import Call
from voicebot.errors import CallNotFound


class LiveCalls:
    """By id. Belongs to the event loop."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        self._calls[call.context.call_id] = call

    def remove(self, call: Call) -> None:
        self._calls.pop(call.context.call_id, None)

    def get(self, call_id: str) -> Call:
        """Raises CallNotFound when it does not go on."""
        call = self._calls.get(call_id)
        if call is None:
            raise CallNotFound("This call does not go on any more.", "Look for it among the past calls.")
        return call

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def __len__(self) -> int:
        return len(self._calls)
