"""Times of day: "wpół do ósmej", "za kwadrans ósma", "half past seven", "14:30"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from flows.actions import Expectation
from flows.clock import Time, find_time
from flows.corrections import takes
from flows.slots.base import Rejected, Slot
from flows.spans import Span

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


def _clock(value: Any) -> Any:
    """HH:MM. YAML reads an unquoted 8:30 as a text, but 14:30 may come as 870, the minutes of the day."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02d}:{value % 60:02d}"
    if isinstance(value, str) and _CLOCK.fullmatch(value.zfill(5)):
        return value.zfill(5)
    raise PydanticCustomError("clock", 'must be a time of day, for example "14:30"')


ClockTime = Annotated[str, BeforeValidator(_clock)]


class TimeSlot(Slot):
    """A time of day, kept as "14:30". `from` and `until` decide whether "four" is of the morning or the afternoon."""

    keys_phrase: ClassVar[str] = "keys_time"

    type: Literal["time"]
    from_: ClockTime = Field(default="00:00", alias="from")
    until: ClockTime = "23:59"

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        value: str | None = None
        for piece in takes(text, language) if asked else [text]:
            found = find_time(piece, language, now, asked=asked)
            if found is not None:
                value = self._meant(found)
        return value

    def _meant(self, time: Time) -> str:
        if not self._within(time.clock) and time.other is not None and self._within(time.other):
            return time.other
        return time.clock

    def _within(self, clock: str) -> bool:
        return self.from_ <= clock <= self.until

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value.zfill(5)):
            return Rejected("not_understood", {})
        clock = value.zfill(5)
        if self._within(clock):
            return clock
        return Rejected("time_outside", {"heard": clock, "earliest": self.from_, "latest": self.until})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "time", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", keys=True)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """Another time; of "(not) five, six" the last."""
        words = text.split()[:12]
        for cut in range(1, len(words)):
            old = find_time(" ".join(words[:cut]), language, now, asked=True)
            new = find_time(" ".join(words[cut:]), language, now, asked=True)
            if old is not None and new is not None and value in (old.clock, old.other):
                return self._meant(new)
        return self.parse(text, language, now, asked=True)

    def from_keys(self, keys: str, now: datetime) -> str | None:
        """830, 0830, 14 or 1430."""
        if not (keys.isascii() and keys.isdigit() and len(keys) <= 4) or keys == "0":
            return None
        clock = f"{keys.zfill(2)}00" if len(keys) <= 2 else keys.zfill(4)
        return f"{clock[:2]}:{clock[2:]}" if int(clock[:2]) < 24 and int(clock[2:]) < 60 else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.from_ > self.until:
            return [("from", "`from` is later than `until`.", "Write the earlier time first.")]
        return []
