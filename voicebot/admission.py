"""Measured admission: a new call is taken only while those that are going on are served well.

A bot that is asked for more than it can do serves everybody badly at once: sound comes late, answers come late. So what
callers would feel is looked at every second, and beyond its limit new calls are refused or given to people.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from asr.activity import ActivityService
from asr.client import RecogniserClient, RecogniserLoad
from telephony.media import MediaThread
from voicebot.config import OverloadSettings

log = logging.getLogger(__name__)

LOOK_S = 1.0
CLOSES_AFTER = 2  # looks beyond a limit: one may be an accident
OPENS_AFTER = 5  # looks well below: calls that were let in have settled
WELL_BELOW = 0.7
LOOKS_BACK = 30  # as percentiles do: what is too much now was let in then
LOWERED_TO = 0.9
GROWS_BY, GROWS_BY_SHARE = 0.05, 0.005  # at each look: 20 calls become 24 in half a minute

_MEDIA_S = 10.0


@dataclass(frozen=True)
class Strain:
    """What is felt of the load, each as a share of its limit: beyond 1 is too much."""

    media: float = 0.0
    hearing: float = 0.0
    recognition: float = 0.0
    waiting: float = 0.0

    def worst(self) -> tuple[str, float]:
        """In words, and its share."""
        shares = {
            "sound is late": self.media,
            "voice activity is late": self.hearing,
            "recognition is slow": self.recognition,
            "too much waits for recognition": self.waiting,
        }
        name = max(shares, key=lambda name: shares[name])
        return name, shares[name]


class Admission:
    """Pure: a `Strain` a second in, whether another call may come out.

    It closes soon, and opens when all has been well for long. How many calls were too many is remembered: with callers
    waiting at the door, whoever opens it wide is overrun again. From nine tenths of that the number grows slowly, as
    TCP feels its way (RFC 5681: additive increase, multiplicative decrease).
    """

    def __init__(self) -> None:
        self.closed_because: str | None = None
        self._most = math.inf
        self._lately: deque[int] = deque(maxlen=LOOKS_BACK)  # how many calls were up
        self._beyond = 0
        self._well = 0

    def look(self, strain: Strain, calls: int) -> None:
        """`calls`: those that are up."""
        name, share = strain.worst()
        self._lately.append(calls)
        self._beyond = self._beyond + 1 if share > 1 else 0
        self._well = self._well + 1 if share < WELL_BELOW else 0
        if self._beyond >= CLOSES_AFTER:
            if self.closed_because is None:
                self._most = max(1.0, LOWERED_TO * min(self._most, max(self._lately)))
            self.closed_because = name
        elif self._well >= OPENS_AFTER:
            self.closed_because = None
            self._most += GROWS_BY + GROWS_BY_SHARE * self._most

    def refusal(self, calls: int) -> str | None:
        """Why there may be no other call beside so many."""
        if self.closed_because is None and calls >= self._most:
            return "as many calls as could be served well of late"
        return self.closed_because


def gauge(
    limits: OverloadSettings,
    media: MediaThread,
    activity: ActivityService,
    recogniser: RecogniserClient,
    recogniser_ready: Callable[[], bool],
) -> Callable[[], Strain]:
    """What looks at the parts of a worker. A recogniser that is being replaced is no sign of too many calls."""

    def strain() -> Strain:
        load = recogniser.load() if recogniser_ready() else RecogniserLoad(0, 0.0)
        return Strain(
            media.late_p95_ms(_MEDIA_S) / limits.media_late_ms,
            activity.health().behind_ms / limits.hearing_behind_ms,
            1000 * load.p95_s / limits.recognition_ms,
            load.waiting / limits.recognition_waiting,
        )

    return strain


async def watch(admission: Admission, strain: Callable[[], Strain], calls: Callable[[], int]) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        before = admission.closed_because
        try:
            felt = strain()
        except Exception:
            log.exception("the load could not be looked at")  # nobody is refused for that
            felt = Strain()
        admission.look(felt, calls())
        if admission.closed_because is not None and before is None:
            log.warning("no new calls are taken: %s", admission.closed_because)
        elif admission.closed_because is None and before is not None:
            log.warning("new calls are taken again")
