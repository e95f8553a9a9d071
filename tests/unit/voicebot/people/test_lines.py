"""An agent has one audio line, in the browser that connected it last, and pages do not fight for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from telephony.errors import OfferRefused
from telephony.leg import EndpointSettings, Leg, LegState
from telephony.testing import MemoryEndpoint, MemoryNetwork
from voicebot.errors import LineTaken
from voicebot.people.lines import BrowserLines, Connected, LineState


class Floor:
    """Lines whose browsers are telephones in memory; an offer is any text."""

    def __init__(self) -> None:
        network = MemoryNetwork()
        self._here, self._browsers = (
            MemoryEndpoint(EndpointSettings("127.0.0.1", port, codecs=("pcma",)), network) for port in (7000, 7001)
        )
        self._incoming: asyncio.Queue[Leg] = asyncio.Queue()
        self._here.on_incoming(self._incoming.put_nowait)
        self._dialling: list[asyncio.Task[Leg]] = []
        self.legs: list[Leg] = []
        self.changes: list[str] = []
        self.lines = BrowserLines(self._answer, self.changes.append)

    async def start(self) -> None:
        await self._here.start()
        await self._browsers.start()

    async def _answer(self, offer: str) -> tuple[Leg, str]:
        if offer == "broken":
            raise OfferRefused("The offer cannot be read as SDP.")
        dialling = self._browsers.dial("sip:line@127.0.0.1:7000", caller=offer, timeout_s=5.0)
        self._dialling.append(asyncio.create_task(dialling, name=f"browser {offer}"))
        self.legs.append(await self._incoming.get())
        return self.legs[-1], f"answer to {offer}"

    async def connect(self, offer: str, instead_of: str = "") -> Connected:
        connected = await self.lines.connect("anna", offer, instead_of)
        await self.until(LineState.UP)
        return connected

    async def lose(self) -> None:
        """The browser's network is gone."""
        await self.legs[-1].hang_up()
        await self.until(LineState.LOST)

    async def until(self, state: LineState) -> None:
        async with asyncio.timeout(5):
            while self.lines.state("anna") is not state:
                await asyncio.sleep(0)

    async def stop(self) -> None:
        await self.lines.close()
        await self._here.stop()
        await self._browsers.stop()
        await asyncio.gather(*self._dialling, return_exceptions=True)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    floor = Floor()
    await floor.start()
    yield floor
    await floor.stop()


async def test_who_connects_later_has_the_line_and_the_earlier_one_ends(floor: Floor) -> None:
    home = await floor.connect("home")
    office = await floor.connect("office")
    assert office.id != home.id
    assert office.answer_sdp == "answer to office"
    first, second = floor.legs
    assert first.state is LegState.ENDED
    assert floor.lines.leg("anna") is second


async def test_a_page_whose_line_was_taken_does_not_take_it_back_by_itself(floor: Floor) -> None:
    home = await floor.connect("home")
    office = await floor.connect("office")
    with pytest.raises(LineTaken):
        await floor.connect("home", instead_of=home.id)
    assert floor.lines.leg("anna") is floor.legs[1]
    assert floor.legs[1].state is LegState.UP

    back = await floor.connect("home")  # its user says so
    with pytest.raises(LineTaken):
        await floor.connect("office", instead_of=office.id)
    assert floor.lines.leg("anna") is floor.legs[2]
    assert back.id not in (home.id, office.id)


async def test_a_line_that_broke_comes_back(floor: Floor) -> None:
    home = await floor.connect("home")
    await floor.lose()
    again = await floor.connect("home", instead_of=home.id)
    assert again.id != home.id


async def test_a_line_that_nobody_has_any_more_is_free_for_whoever_had_it_before(floor: Floor) -> None:
    home = await floor.connect("home")
    await floor.connect("office")
    await floor.lose()
    await floor.connect("home", instead_of=home.id)
    await floor.lines.disconnect("anna")
    await floor.connect("home", instead_of=home.id)


async def test_two_who_connect_at_once_leave_one_line(floor: Floor) -> None:
    await asyncio.gather(*(floor.lines.connect("anna", place) for place in ("home", "office")))
    await floor.until(LineState.UP)
    assert [leg.state for leg in floor.legs] == [LegState.ENDED, LegState.UP]


async def test_switching_off_a_line_that_was_taken_leaves_the_other_one(floor: Floor) -> None:
    home = await floor.connect("home")
    office = await floor.connect("office")
    assert not await floor.lines.disconnect("anna", home.id)
    assert floor.lines.state("anna") is LineState.UP
    assert await floor.lines.disconnect("anna", office.id)
    assert floor.lines.state("anna") is LineState.NONE


async def test_an_offer_that_is_refused_does_not_stop_the_next(floor: Floor) -> None:
    with pytest.raises(OfferRefused):
        await floor.connect("broken")
    await floor.connect("home")
