"""The callers who are with people, found by what is known of them."""

from __future__ import annotations

import uuid

from voicebot.people.case import Case


class Cases:
    """By the entries of the queue that are about them: a case has as many as it was given away, one after the other."""

    def __init__(self) -> None:
        self._by_entry: dict[str, Case] = {}

    def new_entry(self, case: Case) -> str:
        """An id under which the queue tells of this case."""
        entry = uuid.uuid4().hex
        self._by_entry[entry] = case
        return entry

    def follow(self, case: Case, entry: str) -> None:
        """An entry that was of something else is of this case now."""
        self._by_entry[entry] = case

    def forget(self, case: Case) -> None:
        for entry in [entry for entry, other in self._by_entry.items() if other is case]:
            del self._by_entry[entry]

    def of(self, entry: str) -> Case | None:
        return self._by_entry.get(entry)

    def of_call(self, call_id: str) -> Case | None:
        return next((case for case in self._by_entry.values() if case.caller.context.call_id == call_id), None)

    def served_by(self, agent: str) -> Case | None:
        """With whom the agent talks."""
        cases = self._by_entry.values()
        return next((case for case in cases if case.talk is not None and case.talk.worker.id == agent), None)
