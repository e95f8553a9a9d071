"""A browser's leg, with an aiortc peer as the browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.leg import BrowserLeg
from telephony.browser.testing import HOME, BrowserPeer, browser_endpoint
from telephony.errors import LegGone, LinesFull, NotForBrowsers, OfferRefused
from telephony.leg import Answered, EndCause, Ended, LegState
from tests.unit.telephony.media_rig import tone


@pytest.fixture
async def endpoint() -> AsyncIterator[BrowserEndpoint]:
    async with browser_endpoint(connect_s=2.0) as endpoint:
        yield endpoint
    assert endpoint.legs == ()


async def hear(leg: BrowserLeg, seconds: float) -> bytes:
    pcm = bytearray()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pcm += leg.read(3200)
        await asyncio.sleep(0.02)
    return bytes(pcm)


def pitch(pcm: bytes, rate: int) -> float:
    heard = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(heard * np.hanning(len(heard))))) * rate / len(heard))


async def test_both_hear_each_other(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
        assert (leg.state, leg.remote, leg.sample_rate) == (LegState.UP, "anna", 16000)
        assert endpoint.legs == (leg,)
        leg.read(1)
        peer.say(tone(1.0, 16000, 500.0))
        leg.write(tone(1.0, 16000, 1200.0))
        received = await hear(leg, 1.0)
        assert pitch(received[-16000:], 16000) == pytest.approx(500, abs=4)
        assert np.abs(np.frombuffer(received, "<i2").astype(int)).max() == pytest.approx(8000, rel=0.25)
        assert pitch(peer.heard()[-48000:], 48000) == pytest.approx(1200, abs=4)
        stats = leg.media_stats()
        assert (stats.codec, stats.packets_lost, stats.packets_late) == ("opus", 0, 0)
        assert stats.packets_received > 40
        await leg.hang_up()
        assert [event async for event in leg.events()] == [Answered(), Ended(EndCause.LOCAL_HANGUP)]


async def test_the_browser_is_sent_a_packet_every_20_ms_of_sound_and_hardly_any_in_silence(
    endpoint: BrowserEndpoint,
) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
        await asyncio.sleep(1.0)
        leg.write(tone(0.4, 16000))
        await asyncio.sleep(1.0)
        times, stamps = np.array(peer.packets).T
        apart = np.diff(stamps)
        assert np.sum(apart == 960) == pytest.approx(25, abs=6), "the sound, and a little silence around it"
        assert np.sum(apart == 20 * 960) == pytest.approx(4, abs=2)
        assert np.all(apart % 960 == 0)
        assert times[-1] - times[0] == pytest.approx((stamps[-1] - stamps[0]) / 48000, abs=0.1)
        heard = np.frombuffer(peer.heard(), "<i2").astype(int)
        assert len(heard) / 48000 == pytest.approx(2.0, abs=0.6)
        assert np.sum(np.abs(heard) > 1000) / 48000 == pytest.approx(0.4, abs=0.1)


async def test_a_page_that_closes_its_connection_has_hung_up(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
    events = [event async for event in leg.events()]
    assert events == [Answered(), Ended(EndCause.REMOTE_HANGUP)]
    assert (leg.read(160), leg.write(bytes(320))) == (b"", 0)
    await leg.hang_up()
    await leg.hang_up()
    with pytest.raises(LegGone):
        await leg.answer()


async def test_a_browser_that_vanishes_is_noticed_in_6_seconds(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
        peer.vanish()
        vanished = time.monotonic()
        async with asyncio.timeout(10):
            events = [event async for event in leg.events()]
        took = time.monotonic() - vanished
        assert isinstance(events[-1], Ended)
        assert events[-1].cause is EndCause.MEDIA_TIMEOUT
        assert 3.0 < took < 6.5


async def test_a_browser_that_never_connects_is_given_up(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg, _ = await endpoint.answer_offer(await peer.offer())
        assert leg.state is LegState.RINGING
        assert (leg.read(160), leg.write(bytes(320))) == (b"", 0)
        events = [event async for event in leg.events()]
    assert isinstance(events[-1], Ended)
    assert events[-1].cause is EndCause.UNREACHABLE
    await leg.hang_up()


async def test_an_offer_whose_candidates_name_hosts_only_connects(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        offer = (await peer.offer()).replace(" 127.0.0.1 ", " 0b1e5f9c-1d7c-4a5e-9a39-6f0d8f2d7f5f.local ")
        assert ".local" in offer
        leg, answer = await endpoint.answer_offer(offer)
        began = time.monotonic()
        await peer.connect(answer)
        await leg.answer()
        assert time.monotonic() - began < 1.0


async def test_a_leg_can_be_hung_up_while_it_connects(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg, _ = await endpoint.answer_offer(await peer.offer())
        await leg.reject()
        assert [event async for event in leg.events()] == [Ended(EndCause.LOCAL_HANGUP)]


async def test_what_telephones_do_is_refused(endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
        with pytest.raises(NotForBrowsers):
            await leg.send_digits("1")
        with pytest.raises(NotForBrowsers):
            await leg.transfer("sip:9@127.0.0.1")


async def test_there_is_an_end_to_lines() -> None:
    async with browser_endpoint(max_lines=1) as endpoint, BrowserPeer(HOME) as first, BrowserPeer(HOME) as second:
        leg = await first.call(endpoint, "anna")
        with pytest.raises(LinesFull):
            await endpoint.answer_offer(await second.offer())
        await leg.hang_up()
        async with BrowserPeer(HOME) as third:
            await until_free(endpoint, third)


async def until_free(endpoint: BrowserEndpoint, peer: BrowserPeer) -> None:
    """A line that was hung up is free a moment later."""
    offer = await peer.offer()
    async with asyncio.timeout(5):
        while True:
            try:
                await endpoint.answer_offer(offer)
            except LinesFull:
                await asyncio.sleep(0.02)
            else:
                return


@pytest.mark.parametrize(
    "mistake",
    [
        lambda offer: "",
        lambda offer: "v=0\r\nm=audio",
        lambda offer: offer.replace("opus", "speex"),
        lambda offer: offer + offer[offer.index("m=audio") :],
        lambda offer: offer.replace("m=audio", "m=video"),
        lambda offer: offer + "a=x\r\n" * 10000,
        lambda offer: "".join(line for line in offer.splitlines(True) if "ice-pwd" not in line),
        lambda offer: "".join(line for line in offer.splitlines(True) if "fingerprint" not in line),
    ],
)
async def test_what_is_no_offer_of_an_audio_line_is_refused(endpoint: BrowserEndpoint, mistake) -> None:  # type: ignore[no-untyped-def]
    async with BrowserPeer(HOME) as peer:
        offer = await peer.offer()
        with pytest.raises(OfferRefused) as refused:
            await endpoint.answer_offer(mistake(offer))
        assert refused.value.remedy
    assert endpoint.legs == ()
