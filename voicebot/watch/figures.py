"""The figures of one queue and day, folded from who entered it and who left it, why and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, tzinfo

from voicebot.watch.rows import QueueRow

DEFAULT_SERVICE_LEVEL_S = 20.0


class QueueFigures:
    """Of one queue. `now` and the times of events are aware; a new day begins with the first of them that is on it."""

    def __init__(self, name: str, service_level_s: float, zone: tzinfo) -> None:
        self._service_level_s = service_level_s
        self._zone = zone
        self._day: date | None = None
        self._waiting: dict[str, datetime] = {}
        self._row = QueueRow(name)

    @property
    def row(self) -> QueueRow:
        first = min(self._waiting.values(), default=None)
        return replace(self._row, waiting=len(self._waiting), waiting_since=first)

    def turn_day(self, now: datetime) -> None:
        day = now.astimezone(self._zone).date()
        if self._day is not None and day > self._day:
            self._row = QueueRow(self._row.name)
        self._day = max(day, self._day or day)

    def enter(self, entry: str, at: datetime) -> None:
        """A caller who comes back to a place that was kept for them has not come anew."""
        self.turn_day(at)
        if entry not in self._waiting:
            self._waiting[entry] = at
            self._row = replace(self._row, entered=self._row.entered + 1)

    def give_up(self, entry: str, at: datetime) -> None:
        """The call ended, and it was not heard how the caller left."""
        if entry in self._waiting:
            self.leave(entry, "hung_up", at, (at - self._waiting[entry]).total_seconds())

    def nobody_waits(self) -> None:
        self._waiting.clear()

    def leave(self, entry: str, why: str, at: datetime, waited_s: float) -> None:
        self.turn_day(at)
        self._waiting.pop(entry, None)
        quick = waited_s <= self._service_level_s
        row = self._row
        if why == "answered":
            row = replace(row, answered=row.answered + 1, in_time=row.in_time + quick, waited_s=row.waited_s + waited_s)
        elif why == "hung_up":
            row = replace(row, abandoned=row.abandoned + 1, hasty=row.hasty + quick)
        elif why == "overflow":
            row = replace(row, overflowed=row.overflowed + 1)
        self._row = row

    def promise(self, at: datetime) -> None:
        """Who left for a callback has said to which number."""
        self.turn_day(at)
        self._row = replace(self._row, callbacks=self._row.callbacks + 1)

    def take_message(self, at: datetime) -> None:
        self.turn_day(at)
        self._row = replace(self._row, voicemails=self._row.voicemails + 1)
