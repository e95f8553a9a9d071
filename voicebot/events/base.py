"""What all events have, and the clock that stamps those of one call."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypedDict

REFUSED = "refused"
"""`RecordingStopped.reason` of a caller who does not want to be recorded: no words of the call are kept."""


class Outcome(StrEnum):
    """How a call ended, as the company sees it."""

    CONTAINED = "contained"  # served by the bot alone
    HANDED_OFF = "handed_off"  # an agent took it
    CALLBACK_PROMISED = "callback_promised"
    ABANDONED = "abandoned"  # the caller hung up before being served
    FAILED = "failed"
    LOST = "lost"  # with the process, or the SIP stack, that had it


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """What every event carries."""

    call_id: str
    at: datetime
    offset_s: float


class Stamp(TypedDict):
    """The fields that every event has; `BotSaid(text=..., step=..., **clock.stamp())`."""

    call_id: str
    at: datetime
    offset_s: float


def _utc_now() -> datetime:
    return datetime.now(UTC)


def new_call_id(zone: tzinfo) -> str:
    """Sorts by time, and is unique."""
    return f"{datetime.now(zone):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"


class CallClock:
    """Stamps the events of one call. `offset_s` runs by the monotonic clock, so it survives a clock being set."""

    def __init__(
        self,
        call_id: str,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.call_id = call_id
        self._now = now
        self._monotonic = monotonic
        self._began = monotonic()

    def stamp(self, ago_s: float = 0.0) -> Stamp:
        """Of what happened just now, or so many seconds ago."""
        offset_s = max(0.0, self._monotonic() - self._began - ago_s)
        at = self._now() - timedelta(seconds=ago_s)
        return {"call_id": self.call_id, "at": at, "offset_s": round(offset_s, 3)}
