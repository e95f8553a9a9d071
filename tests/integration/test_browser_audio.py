"""A real browser's audio line: sound both ways, listening, and its end. Debian's Chromium, by Playwright."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, async_playwright

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.leg import BrowserLeg
from telephony.browser.supervisor import SupervisorLine, SupervisorMode
from telephony.browser.testing import BrowserPeer, browser_endpoint
from telephony.leg import EndCause, Ended
from telephony.media import MediaThread
from telephony.player import PlayerEvent
from tests.support import require_program
from tests.unit.telephony.media_rig import tone

PAGE = Path(__file__).parent.parent / "data" / "browser_line.html"
FLAGS = (
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    chromium = require_program("chromium", package="chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = await browser.new_context(permissions=["microphone"])
        page = await context.new_page()
        await page.goto(PAGE.as_uri())
        yield page
        await browser.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[BrowserEndpoint]:
    async with browser_endpoint() as endpoint:
        yield endpoint


async def connected(endpoint: BrowserEndpoint, page: Page) -> BrowserLeg:
    leg, answer = await endpoint.answer_offer(await page.evaluate("offer()"))
    began = time.monotonic()
    await page.evaluate("sdp => accept(sdp)", answer)
    async with asyncio.timeout(5):
        await leg.answer()
    assert time.monotonic() - began < 2.0
    return leg


async def pitch_heard(leg: BrowserLeg, seconds: float) -> float:
    pcm = bytearray()
    for _ in range(round(seconds * 50)):
        pcm += leg.read(3200)
        await asyncio.sleep(0.02)
    heard = np.frombuffer(pcm[-16000:], "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(heard * np.hanning(len(heard))))) * 16000 / len(heard))


async def test_sound_goes_both_ways(endpoint: BrowserEndpoint, page: Page) -> None:
    leg = await connected(endpoint, page)
    leg.read(1)
    leg.write(tone(2.0, 16000, 1000.0))
    assert await pitch_heard(leg, 1.5) == pytest.approx(440, abs=4)
    heard = await page.evaluate("pitch()")
    assert heard["hz"] == pytest.approx(1000, abs=5)
    assert heard["db"] > -40
    figures = await page.evaluate("figures()")
    assert figures["lost"] == 0
    assert leg.media_stats().packets_lost == 0
    await leg.hang_up()


async def test_a_supervisor_listens_and_is_heard_only_when_meant_to_be(endpoint: BrowserEndpoint, page: Page) -> None:
    loop = asyncio.get_running_loop()
    media = MediaThread(loop)
    media.start()
    try:
        room = media.open_room(16000)
        events: list[PlayerEvent] = []
        bot = room.add_player(events.append)
        line = SupervisorLine(await connected(endpoint, page), room)
        levels: list[int] = []
        room.tap(lambda _, pcm: levels.append(int(np.abs(np.frombuffer(pcm, "<i2").astype(int)).max())))
        line.set_mode(SupervisorMode.BARGE)
        await asyncio.sleep(1.0)
        assert max(levels[-10:]) > 3000, "its tone is heard in the room"
        bot.play("a", tone(3.0, 16000, 800.0))
        await asyncio.sleep(1.2)
        assert (await page.evaluate("pitch()"))["hz"] == pytest.approx(800, abs=5), "the room, and not itself"
        line.set_mode(SupervisorMode.LISTEN)
        await asyncio.sleep(0.1)
        levels.clear()
        bot.stop()
        await asyncio.sleep(0.5)
        assert max(levels[-10:]) == 0, "nobody hears it"
        await line.close()
        room.close()
    finally:
        media.stop()


async def test_a_listener_hears_the_room_and_a_page_that_is_left_has_hung_up(
    endpoint: BrowserEndpoint, page: Page
) -> None:
    loop = asyncio.get_running_loop()
    media = MediaThread(loop)
    media.start()
    try:
        room = media.open_room(8000)
        line = SupervisorLine(await connected(endpoint, page), room)
        async with BrowserPeer(["127.0.0.1"]) as peer:
            agent, answer = await endpoint.answer_offer(await peer.offer())
            await peer.connect(answer)
            room.join(agent)
            peer.say(tone(2.0, 16000, 600.0))
            await asyncio.sleep(1.3)
            assert (await page.evaluate("pitch()"))["hz"] == pytest.approx(600, abs=5)
            await page.goto("about:blank")
            async with asyncio.timeout(8):
                assert (await line.over()).cause is EndCause.REMOTE_HANGUP
        room.close()
    finally:
        media.stop()


async def test_a_browser_that_is_killed_is_noticed_within_6_seconds(endpoint: BrowserEndpoint) -> None:
    chromium = require_program("chromium", package="chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = await (await browser.new_context(permissions=["microphone"])).new_page()
        await page.goto(PAGE.as_uri())
        leg = await connected(endpoint, page)
        session = await browser.new_browser_cdp_session()
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
        killed = time.monotonic()
        for process in processes:
            os.kill(process["id"], signal.SIGKILL)
        async with asyncio.timeout(10):
            events = [event async for event in leg.events()]
        took = time.monotonic() - killed
        assert isinstance(events[-1], Ended)
        assert events[-1].cause is EndCause.MEDIA_TIMEOUT
        assert took < 6.5
