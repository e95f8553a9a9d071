"""The other side of the contract suite: a network with phones, once in memory and once of sipp and RTP sockets."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed
from telephony.leg import Answered, Digit, Endpoint, EndpointSettings, Leg, LegState
from telephony.testing import MemoryEndpoint, MemoryLeg, MemoryNetwork
from tests.contract.telephony.listening import until
from tests.contract.telephony.rtp import RtpPeer, rtp_peer
from tests.contract.telephony.sipp import Scenario, Sipp
from tests.support import free_port

Then = Literal["wait", "hang_up", "cancel", "hold", "fall_silent"]
Behaviour = Literal["answer", "busy", "decline", "unavailable", "not_found", "ring"]
REFUSALS: Mapping[str, str] = {
    "busy": "486 Busy Here",
    "decline": "603 Decline",
    "unavailable": "480 Temporarily Unavailable",
    "not_found": "404 Not Found",
}
SETTINGS = EndpointSettings(
    "127.0.0.1", 0, rtp_ports=(24000, 24999), user="bot", max_calls=2, rtp_timeout_s=2, codecs=("pcma",)
)


class Party(abc.ABC):
    """The far end of one call."""

    uri = ""

    @abc.abstractmethod
    async def say(self, samples: NDArray[np.int16]) -> None:
        """Speak, 8000 Hz."""

    @abc.abstractmethod
    async def press(self, keys: str) -> None:
        """Press keys (RFC 4733)."""

    @abc.abstractmethod
    async def heard(self) -> bytes:
        """PCM that reached it, 8000 Hz."""

    @abc.abstractmethod
    async def keys_heard(self) -> str:
        """Keys that reached it."""

    @abc.abstractmethod
    async def ringing(self) -> None:
        """Wait until the call has reached it."""

    @abc.abstractmethod
    async def finished(self) -> None:
        """The far end's own script went through as written: the signalling was what it expected."""


class FarEnd(abc.ABC):
    """Makes an endpoint under test, and parties that call it or can be called."""

    @abc.abstractmethod
    def endpoint(self, settings: EndpointSettings = SETTINGS) -> Endpoint: ...

    @abc.abstractmethod
    def caller(
        self, endpoint: Endpoint, *, number: str = "48221234567", caller: str = "48600100200", then: Then = "wait"
    ) -> AbstractAsyncContextManager[Party]:
        """A party that calls. `then`: what it does when it is up (cancel: while it rings); else it waits for BYE."""

    @abc.abstractmethod
    def refused_caller(self, endpoint: Endpoint) -> AbstractAsyncContextManager[Party]:
        """A party that calls and expects to be told busy."""

    @abc.abstractmethod
    def phone(self, behaviour: Behaviour) -> AbstractAsyncContextManager[Party]:
        """A party that can be called at `uri`; "ring" never answers and expects to be cancelled."""


class _SippParty(Party):
    def __init__(self, sipp: Sipp, media: RtpPeer) -> None:
        self.sipp = sipp
        self.media = media
        self.uri = sipp.uri

    async def say(self, samples: NDArray[np.int16]) -> None:
        await self.media.say(samples)

    async def press(self, keys: str) -> None:
        await self.media.press(keys)

    async def heard(self) -> bytes:
        return self.media.heard()

    async def keys_heard(self) -> str:
        return self.media.keys_heard()

    async def finished(self) -> None:
        await self.sipp.finished()

    async def ringing(self) -> None:
        await until(lambda: "180 Ringing" in self.sipp.messages())


class SippFarEnd(FarEnd):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def endpoint(self, settings: EndpointSettings = SETTINGS) -> Endpoint:
        return BaresipEndpoint(settings, ack_timeout_s=2.0)

    @asynccontextmanager
    async def caller(
        self, endpoint: Endpoint, *, number: str = "48221234567", caller: str = "48600100200", then: Then = "wait"
    ) -> AsyncIterator[Party]:
        async with rtp_peer() as media:
            scenario = Scenario(media.port, caller=caller)
            if then == "cancel":
                scenario.invite().expect(100, optional=True).expect(180).pause(100).cancel()
            else:
                scenario.talk()
            if then == "hold":
                scenario.pause(100).reinvite(direction="sendonly").pause(100).reinvite()
            if then == "hang_up":
                scenario.pause(1500).bye()
            elif then != "cancel":
                scenario.receive("BYE").reply("200 OK")
            async with self._sipp(scenario, endpoint, number) as sipp:
                yield _SippParty(sipp, media)

    @asynccontextmanager
    async def refused_caller(self, endpoint: Endpoint) -> AsyncIterator[Party]:
        async with rtp_peer() as media:
            async with self._sipp(Scenario(media.port).refused(486), endpoint, "1") as sipp:
                yield _SippParty(sipp, media)

    def _sipp(self, scenario: Scenario, endpoint: Endpoint, number: str) -> Sipp:
        port = int(endpoint.sip_uri.rpartition(":")[2])
        return Sipp(scenario, self._folder, target=port, service=number)

    @asynccontextmanager
    async def phone(self, behaviour: Behaviour) -> AsyncIterator[Party]:
        async with rtp_peer() as media:
            scenario = Scenario(media.port).receive("INVITE")
            if behaviour in REFUSALS:
                scenario.reply(REFUSALS[behaviour]).receive("ACK")
            elif behaviour == "ring":
                scenario.reply("180 Ringing").receive("CANCEL").reply("200 OK").give_up().receive("ACK")
            else:
                scenario.reply("180 Ringing").pause(100).reply("200 OK", media=True).receive("ACK")
                scenario.receive("BYE").reply("200 OK")
            async with Sipp(scenario, self._folder) as sipp:
                await sipp.listening()
                yield _SippParty(sipp, media)


class _MemoryParty(Party):
    def __init__(self, endpoint: Endpoint, script: Coroutine[Any, Any, None] | None = None) -> None:
        self._endpoint = endpoint
        self.uri = endpoint.sip_uri.replace("sip:", "sip:agent-")
        self.leg: Leg | None = None
        self.up = asyncio.Event()
        self.keys = ""
        self.task: asyncio.Task[None] | None = None
        self._heard = bytearray()

    async def follow(self, leg: Leg) -> None:
        """Live with the call until it ends."""
        self.leg = leg
        if leg.state is LegState.UP:
            self.up.set()
        async for event in leg.events():
            if isinstance(event, Answered):
                self.up.set()
            elif isinstance(event, Digit):
                self.keys += event.key

    async def say(self, samples: NDArray[np.int16]) -> None:
        await self.up.wait()
        assert self.leg is not None
        self.leg.write(samples.astype("<i2").tobytes())

    async def press(self, keys: str) -> None:
        await self.up.wait()
        assert self.leg is not None
        await self.leg.send_digits(keys)

    async def heard(self) -> bytes:
        assert self.leg is not None
        self._heard += self.leg.read(80000)
        return bytes(self._heard)

    async def keys_heard(self) -> str:
        return self.keys

    async def ringing(self) -> None:
        await until(lambda: self.task is not None)

    async def finished(self) -> None:
        assert self.task is not None
        async with asyncio.timeout(10):
            await asyncio.shield(self.task)


class MemoryFarEnd(FarEnd):
    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.under_test: list[MemoryEndpoint] = []

    def endpoint(self, settings: EndpointSettings = SETTINGS) -> Endpoint:
        endpoint = MemoryEndpoint(settings, self.network)
        self.under_test.append(endpoint)
        return endpoint

    @asynccontextmanager
    async def _party(self, run: Callable[[_MemoryParty, MemoryEndpoint], Coroutine[Any, Any, None]] | None = None,
                     user: str = "phone") -> AsyncIterator[_MemoryParty]:  # fmt: skip
        endpoint = MemoryEndpoint(EndpointSettings("127.0.0.1", 0, user=user, codecs=("pcma",)), self.network)
        await endpoint.start()
        party = _MemoryParty(endpoint)
        if run is not None:
            party.task = asyncio.create_task(run(party, endpoint))
        try:
            yield party
        finally:
            await endpoint.stop()
            if party.task is not None:
                party.task.cancel()
                await asyncio.gather(party.task, return_exceptions=True)

    @asynccontextmanager
    async def caller(
        self, endpoint: Endpoint, *, number: str = "48221234567", caller: str = "48600100200", then: Then = "wait"
    ) -> AsyncIterator[Party]:
        async def run(party: _MemoryParty, phone: MemoryEndpoint) -> None:
            dialling = asyncio.create_task(phone.dial(endpoint.sip_uri.replace("bot@", f"{number}@"), caller=caller))
            if then == "cancel":
                await until(lambda: bool(endpoint.legs))
                dialling.cancel()
                await asyncio.gather(dialling, return_exceptions=True)
                return
            leg = await dialling
            assert isinstance(leg, MemoryLeg)
            if then == "hold":
                leg.hold(True)
                leg.hold(False)
            following = asyncio.create_task(party.follow(leg))
            if then == "hang_up":
                await asyncio.sleep(0.1)
                await leg.hang_up()
            elif then == "fall_silent":
                assert leg.peer is not None
                leg.peer.drop_rtp()
            await following

        async with self._party(run, user=caller) as party:
            yield party

    @asynccontextmanager
    async def refused_caller(self, endpoint: Endpoint) -> AsyncIterator[Party]:
        async def run(party: _MemoryParty, phone: MemoryEndpoint) -> None:
            with pytest.raises(DialFailed) as refused:
                await phone.dial(endpoint.sip_uri)
            assert refused.value.cause == "busy"

        async with self._party(run) as party:
            yield party

    @asynccontextmanager
    async def phone(self, behaviour: Behaviour) -> AsyncIterator[Party]:
        async with self._party() as party:
            endpoint = party._endpoint
            assert isinstance(endpoint, MemoryEndpoint)

            async def answer(leg: Leg) -> None:
                if behaviour == "answer":
                    await leg.answer()
                elif behaviour in ("decline", "unavailable"):
                    assert isinstance(leg, MemoryLeg)
                    leg.refuse(REFUSALS[behaviour])
                elif behaviour == "busy":
                    await leg.reject()
                await party.follow(leg)

            def incoming(leg: Leg) -> None:
                party.task = asyncio.create_task(answer(leg))

            endpoint.on_incoming(incoming)
            if behaviour == "not_found":
                party.uri = f"sip:nobody@127.0.0.1:{free_port()}"
                party.task = asyncio.create_task(asyncio.sleep(0))
            yield party
