"""A SIP endpoint whose legs are heard in a room, as in a call of the bot."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telephony.baresip import BaresipEndpoint
from telephony.leg import Leg
from telephony.media import MediaThread
from telephony.port import Reception
from tests.contract.telephony.far_end import SETTINGS


class Ear:
    """What is heard of one leg in a room, in frames of 20 ms."""

    def __init__(self, media: MediaThread, leg: Leg) -> None:
        self.frames: list[bytes] = []
        self._room = media.open_room(8000)
        self._member = self._room.join(leg)
        self._member.tap(lambda _, pcm: self.frames.append(pcm))

    @property
    def reception(self) -> Reception:
        assert self._member.reception is not None
        return self._member.reception

    def close(self) -> None:
        self._room.close()


@asynccontextmanager
async def bot(rtp_timeout_s: int = 20) -> AsyncIterator[tuple[BaresipEndpoint, MediaThread]]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, rtp_timeout_s=rtp_timeout_s, codecs=("pcma", "pcmu")))
    media = MediaThread(asyncio.get_running_loop())
    await endpoint.start()
    media.start()
    try:
        yield endpoint, media
    finally:
        await endpoint.stop()
        media.stop()
