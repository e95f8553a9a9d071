"""What agents write about a call: kept while they write it, told to the records when the call is wrapped up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from voicebot import events
from voicebot.errors import NotPossible
from voicebot.queueing.happenings import CallbackDone
from voicebot.queueing.model import Entry, Kind


class WrapUps:
    """`call_id(entry)`: of the call that is written about. `name(agent)`: as people call them."""

    def __init__(self, stream: events.EventStream, call_id: Callable[[Entry], str], name: Callable[[str], str]) -> None:
        self._stream = stream
        self._call_id = call_id
        self._name = name
        self._notes: dict[str, str] = {}  # by entry, until it is wrapped up

    def notes(self, entry: str) -> str:
        return self._notes.get(entry, "")

    def write(self, entry: str, notes: str) -> None:
        self._notes[entry] = notes

    def closed_callback(
        self, callback: Entry | None, outcome: Literal["reached", "gave_up"], notes: str
    ) -> CallbackDone:
        """Somebody says how it ended: what the queue is to be told. Raises NotPossible when it has an end already."""
        if callback is None or callback.kind is not Kind.CALLBACK:
            raise NotPossible("This callback is done already.", "Load the list again.")
        if notes:
            self.write(callback.id, notes)
        return CallbackDone(callback.id, outcome)

    def ended(self, entry: Entry) -> None:
        """The queue is done with it. Nothing is told of what was no talk, but for a callback that was made by hand."""
        written = self._notes.pop(entry.id, "")
        notes = entry.notes or written
        talked = entry.talking_at is not None and entry.kind is not Kind.CONSULT
        if talked or (entry.kind is Kind.CALLBACK and notes):
            stamp = events.CallClock(self._call_id(entry)).stamp()  # the call may have ended long before
            who = {"agent": entry.agent, "name": self._name(entry.agent)}
            self._stream.publish(events.WrappedUp(**who, queue=entry.queue, code=entry.code, notes=notes, **stamp))
