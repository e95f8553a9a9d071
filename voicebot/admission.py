"""Measured admission: a new call is taken only while those that are going on are served well.

A bot that is asked for more than it can do serves everybody badly at once: sound comes late, answers come late. So what
callers would feel is looked at every second, and beyond its limit new calls are refused or given to people.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from asr.activity import ActivityService
from asr.client import RecogniserClient
from telephony.media import MediaThread
from voicebot.config import OverloadSettings

log = logging.getLogger(__name__)

LOOK_S = 1.0
CLOSES_AFTER = 2  # looks beyond a limit: one may be an accident
OPENS_AFTER = 5  # looks well below: calls that were let in have settled
WELL_BELOW = 0.7

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
    """Pure: a `Strain` a second in, `closed_because` out. It closes soon, and opens when it has been well for long."""

    def __init__(self) -> None:
        self.closed_because: str | None = None
        self._beyond = 0
        self._well = 0

    def look(self, strain: Strain) -> None:
        name, share = strain.worst()
        self._beyond = self._beyond + 1 if share > 1 else 0
        self._well = self._well + 1 if share < WELL_BELOW else 0
        if self._beyond >= CLOSES_AFTER:
            self.closed_because = name
        elif self._well >= OPENS_AFTER:
            self.closed_because = None


def gauge(
    limits: OverloadSettings, media: MediaThread, activity: ActivityService, recogniser: RecogniserClient
) -> Callable[[], Strain]:
    """What looks at the parts of a worker."""

    def strain() -> Strain:
        load = recogniser.load()
        return Strain(
            media.late_p99_ms(_MEDIA_S) / limits.media_late_ms,
            activity.health().behind_ms / limits.hearing_behind_ms,
            1000 * load.p95_s / limits.recognition_ms,
            load.waiting / limits.recognition_waiting,
        )

    return strain


async def watch(admission: Admission, strain: Callable[[], Strain]) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        before = admission.closed_because
        admission.look(strain())
        if admission.closed_because is not None and before is None:
            log.warning("no new calls are taken: %s", admission.closed_because)
        elif admission.closed_because is None and before is not None:
            log.warning("new calls are taken again")
