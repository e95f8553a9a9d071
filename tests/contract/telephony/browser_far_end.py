"""Browsers as the far end of the contract suite: aiortc peers that call a `BrowserEndpoint`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.testing import HOME, BrowserPeer, browser_endpoint
from telephony.errors import LinesFull
from telephony.leg import Endpoint, EndpointSettings, Leg
from telephony.resample import Resampler
from tests.contract.telephony.far_end import SETTINGS, Behaviour, FarEnd, Party, Then


class Door(Endpoint):
    """`BrowserEndpoint` as the suite's endpoint: an offer is an incoming call."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self.browsers: BrowserEndpoint
        self._stack = AsyncExitStack()
        self._on_incoming: Callable[[Leg], None] | None = None

    async def start(self) -> None:
        self.browsers = await self._stack.enter_async_context(browser_endpoint(max_lines=self.settings.max_calls))

    async def stop(self) -> None:
        await self._stack.aclose()

    def on_incoming(self, callback: Callable[[Leg], None]) -> None:
        self._on_incoming = callback

    def on_dead(self, callback: Callable[[str], None]) -> None: ...

    async def dial(
        self, uri: str, *, caller: str = "", headers: Mapping[str, str] | None = None, timeout_s: float = 30.0
    ) -> Leg:
        raise NotImplementedError("browsers call, they are not called")

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.browsers.legs

    @property
    def sip_uri(self) -> str:
        return ""

    async def offer(self, sdp: str) -> str:
        """What the application's POST does."""
        leg, answer = await self.browsers.answer_offer(sdp)
        assert self._on_incoming is not None
        self._on_incoming(leg)
        return answer


class _BrowserParty(Party):
    def __init__(self, peer: BrowserPeer) -> None:
        self._peer = peer
        self._inward = Resampler(48000, 8000)
        self._heard = b""
        self.closed = asyncio.Event()
        peer.connection.on("connectionstatechange", self._follow)

    def _follow(self) -> None:
        if self._peer.connection.connectionState in ("closed", "failed"):
            self.closed.set()

    async def say(self, samples: NDArray[np.int16]) -> None:
        self._peer.say(samples.astype("<i2").tobytes())

    async def press(self, keys: str) -> None:
        raise NotImplementedError

    async def heard(self) -> bytes:
        self._heard += self._inward.convert(self._peer.heard())
        return self._heard

    async def keys_heard(self) -> str:
        raise NotImplementedError

    async def ringing(self) -> None: ...

    async def finished(self) -> None:
        async with asyncio.timeout(10):
            await self.closed.wait()


class _RefusedParty(_BrowserParty):
    async def finished(self) -> None:
        """It was refused before it could connect."""


class BrowserFarEnd(FarEnd):
    def endpoint(self, settings: EndpointSettings = SETTINGS) -> Endpoint:
        return Door(settings)

    @asynccontextmanager
    async def caller(
        self, endpoint: Endpoint, *, number: str = "", caller: str = "", then: Then = "wait"
    ) -> AsyncIterator[Party]:
        assert isinstance(endpoint, Door)
        async with BrowserPeer(HOME, sample_rate=8000) as peer:
            party = _BrowserParty(peer)
            await peer.connect(await endpoint.offer(await peer.offer()))
            if then == "fall_silent":
                peer.vanish()
                party.closed.set()
            yield party

    @asynccontextmanager
    async def refused_caller(self, endpoint: Endpoint) -> AsyncIterator[Party]:
        assert isinstance(endpoint, Door)
        async with BrowserPeer(HOME, sample_rate=8000) as peer:
            with pytest.raises(LinesFull):
                await endpoint.offer(await peer.offer())
            yield _RefusedParty(peer)

    def phone(self, behaviour: Behaviour) -> AbstractAsyncContextManager[Party]:
        raise NotImplementedError("browsers call, they are not called")
