"""Never deaf: a voice activity thread that hangs is replaced while the calls go on."""

from __future__ import annotations

import asyncio
import logging

from asr.activity import ActivityService

log = logging.getLogger(__name__)

LOOK_S = 0.5
DEAF_MS = 1000  # sound that waits so long while nothing is looked at


async def watch(activity: ActivityService) -> None:
    """Until cancelled. A busy machine is late, too, but goes on looking: that is left alone."""
    rounds = -1
    while True:
        await asyncio.sleep(LOOK_S)
        health = activity.health()
        stands_still, rounds = health.rounds == rounds, health.rounds
        if not health.alive or (health.behind_ms >= DEAF_MS and stands_still):
            log.error("voice activity does not hear any more and is started anew")
            await asyncio.to_thread(activity.revive, "voice activity did not look at the sound any more")
