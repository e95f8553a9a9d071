"""A browser's audio line as a leg. Its sound is in memory that the process of the browsers' audio maps as well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from types import MappingProxyType

import httpx

from telephony.browser.shared_sound import SAMPLE_RATE, SharedSound
from telephony.errors import LegGone, NotForBrowsers
from telephony.leg import EndCause, Leg, LegEvent, LegState, MediaStats
from telephony.leg_life import LegLife, checked_keys


class BrowserLeg(Leg):
    """One browser that talks and listens over WebRTC, made by `BrowserEndpoint.answer_offer`.

    It is up as soon as the browser is connected; nobody has to answer it. It ends when the page closes its connection
    (REMOTE_HANGUP), when nothing is heard of the browser for about 5 s or the process of the browsers' audio has died
    (MEDIA_TIMEOUT), when no connection came about (UNREACHABLE), or by `hang_up`.
    """

    def __init__(self, leg_id: str, user: str, sound: SharedSound, on_gone: Callable[[BrowserLeg], None]) -> None:
        self.id = leg_id
        self.direction = "inbound"
        self.remote = user  # who signed in, not a SIP URI: browsers have none
        self.remote_number = ""
        self.dialled = ""
        self.headers = MappingProxyType({})
        self._sound = sound
        self._on_gone = on_gone
        self._life = LegLife(leg_id)
        self._read_before = False
        self._following: asyncio.Task[None] | None = None

    @property
    def state(self) -> LegState:
        return self._life.state

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def events(self) -> AsyncIterator[LegEvent]:
        return self._life.events()

    async def answer(self) -> None:
        """Wait until the browser is connected. Raises LegGone when it will not be."""
        if await self._life.settled() is LegState.ENDED:
            raise LegGone("The browser is not connected.")

    async def reject(self) -> None:
        if self.state is LegState.RINGING:
            await self.hang_up()

    async def hang_up(self) -> None:
        """End the line; the process closes its connection."""
        self._life.end(EndCause.LOCAL_HANGUP)
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})
        self._on_gone(self)

    async def send_digits(self, keys: str) -> None:
        """Raises NotForBrowsers: there is no telephone to hear keys."""
        checked_keys(keys)
        self._refuse("hear keys")

    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None:
        """Raises NotForBrowsers: another leg is brought into the room instead."""
        self._refuse("be transferred")

    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        """Raises NotForBrowsers, see `transfer`."""
        self._refuse("be transferred")

    def read(self, max_samples: int) -> bytes:
        """What came before the first read is gone, and so is what came while nobody read for long."""
        if self.state is not LegState.UP:
            return b""
        said = self._sound.said
        if not self._read_before or said.has_missed:
            self._read_before = True
            said.skip()
        return said.read(2 * max_samples)

    def write(self, pcm: bytes) -> int:
        return self._sound.heard.write(pcm) // 2 if self.state is LegState.UP else 0

    def flush(self) -> None:
        self._sound.heard.drop()

    def unsent_s(self) -> float:
        """Seconds of what was written that are not on the wire yet."""
        return self._sound.heard.unread / 2 / SAMPLE_RATE

    def media_stats(self) -> MediaStats:
        """Of what the browser sends; packets count as lost when three later ones have come."""
        return self._sound.stats

    async def follow(self, line: httpx.Response) -> str:
        """Once, by the endpoint: live as the line does that the process tells of. Returns the answer to the offer."""
        told = line.aiter_lines()
        try:
            answer = str(json.loads(await anext(told))["answer"])
        except BaseException:
            await line.aclose()
            raise
        self._following = asyncio.create_task(self._follow(line, told), name=self.id)
        return answer

    async def _follow(self, line: httpx.Response, told: AsyncIterator[str]) -> None:
        try:
            async for text in told:
                what = json.loads(text)
                if "cause" in what:
                    self._life.end(EndCause(what["cause"]), what["detail"])
                else:
                    self._life.answer()
        except httpx.HTTPError:
            pass
        finally:
            self._life.end(EndCause.MEDIA_TIMEOUT, "the process of the browsers' audio is gone")
            await line.aclose()
            self._on_gone(self)

    def _refuse(self, what: str) -> None:
        if self.state is not LegState.UP:
            raise LegGone("The leg is not up.")
        raise NotForBrowsers(f"A browser cannot {what}.", "Ask it of the other party's leg.")
