"""Transfers that we ask for, by REFER: a PBX that takes the caller, refuses, says nothing, or hangs up meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.baresip import BaresipEndpoint
from telephony.errors import LegGone, TransferFailed
from telephony.leg import EndCause, LegState
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import Doorbell, ended, hear
from tests.contract.telephony.rtp import pitch_of, rtp_peer, tone
from tests.contract.telephony.sipp import Scenario, Sipp

pytestmark = pytest.mark.usefixtures("nothing_left")
QUEUE = "sip:600@127.0.0.1:9"
REPLACES = ("Supported: replaces", "Allow: INVITE, ACK, BYE, CANCEL, REFER, NOTIFY, UPDATE")


@pytest.fixture
async def endpoint(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(replace(SETTINGS, max_calls=4, rtp_timeout_s=10))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


def _caller(scenario: Scenario, folder: Path, endpoint: BaresipEndpoint) -> Sipp:
    return Sipp(scenario, folder, target=int(endpoint.sip_uri.rpartition(":")[2]))


def _asked(media_port: int) -> Scenario:
    return Scenario(media_port).talk().receive("REFER").reply("202 Accepted")


async def test_a_caller_who_is_referred_is_gone(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """NOTIFY to the end: 100, 180, 200; only the last ends our call."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = _asked(media.port).notify("100 Trying").notify("180 Ringing").pause(300).notify("200 OK")
        async with _caller(scenario.receive("BYE").reply("200 OK"), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            await leg.transfer(f"<{QUEUE}?X-Voicebot-Call=c1>")
            assert (await ended(leg)).cause is EndCause.TRANSFERRED
            await caller.finished()
            assert f"\nRefer-To: <{QUEUE}?X-Voicebot-Call=c1>" in caller.messages()


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "503 Service Unavailable"])
async def test_a_pbx_that_does_not_take_the_caller(endpoint: BaresipEndpoint, tmp_path: Path, status: str) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = _asked(media.port).notify("100 Trying").notify(status).receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            with pytest.raises(TransferFailed, match=status[:3]):
                await leg.transfer(QUEUE)
            assert leg.state is LegState.UP
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await caller.finished()


async def test_a_caller_who_cannot_be_referred(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().receive("REFER").reply("501 Not Implemented").receive("BYE")
        async with _caller(scenario.reply("200 OK"), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            with pytest.raises(TransferFailed):
                await leg.transfer(QUEUE)
            assert leg.state is LegState.UP
            await leg.hang_up()
            await caller.finished()


async def test_a_pbx_that_never_says_what_became_of_it(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        async with _caller(_asked(media.port).receive("BYE").reply("200 OK"), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            with pytest.raises(TransferFailed, match="no transfer outcome"):
                await leg.transfer(QUEUE, timeout_s=0.5)
            assert leg.state is LegState.UP
            await leg.hang_up()
            await caller.finished()


async def test_a_transfer_that_succeeds_after_we_gave_it_up(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = _asked(media.port).pause(1000).notify("200 OK").receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            with pytest.raises(TransferFailed):
                await leg.transfer(QUEUE, timeout_s=0.3)
            assert (await ended(leg)).cause is EndCause.TRANSFERRED
            await caller.finished()


async def test_a_caller_who_hangs_up_meanwhile(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        async with _caller(_asked(media.port).notify("100 Trying").bye(), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            with pytest.raises((TransferFailed, LegGone)):
                await leg.transfer(QUEUE)
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            await caller.finished()


async def test_a_caller_is_connected_with_a_pbx_that_has_answered(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """Attended: both are put on hold, REFER with Replaces names the call to the PBX, both of our legs end."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media, rtp_peer() as other:
        scenario = Scenario(media.port, headers=REPLACES).talk().receive("INVITE").reply("200 OK", media=True)
        scenario.receive("ACK").receive("REFER").reply("202 Accepted").notify("200 OK").receive("BYE").reply("200 OK")
        queue = Scenario(other.port).receive("INVITE").reply("200 OK", media=True).receive("ACK")
        queue.receive("INVITE").reply("200 OK", media=True).receive("ACK").pause(500).hang_up()
        async with _caller(scenario, tmp_path, endpoint) as caller, Sipp(queue, tmp_path) as pbx:
            leg = await bell.ring()
            await leg.answer()
            await pbx.listening()
            consult = await endpoint.dial(pbx.uri)
            await leg.attended_transfer(consult)
            assert (await ended(leg)).cause is EndCause.TRANSFERRED
            await caller.finished()
            assert "Replaces=" in next(line for line in caller.messages().splitlines() if line.startswith("Refer-To"))
            assert (await ended(consult)).cause is EndCause.REMOTE_HANGUP
            await pbx.finished()


async def test_a_caller_who_does_not_know_replaces_stays_with_both_calls_up(
    endpoint: BaresipEndpoint, tmp_path: Path
) -> None:
    """Both were put on hold for it, and are taken back."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media, rtp_peer() as other:

        def held(scenario: Scenario) -> Scenario:
            for _ in range(2):
                scenario.receive("INVITE").reply("200 OK", media=True).receive("ACK")
            return scenario.receive("BYE").reply("200 OK")

        queue = Scenario(other.port).receive("INVITE").reply("200 OK", media=True).receive("ACK")
        async with (
            _caller(held(Scenario(media.port).talk()), tmp_path, endpoint) as caller,
            Sipp(held(queue), tmp_path) as pbx,
        ):
            leg = await bell.ring()
            await leg.answer()
            await pbx.listening()
            consult = await endpoint.dial(pbx.uri)
            with pytest.raises(TransferFailed, match="Replaces"):
                await leg.attended_transfer(consult)
            assert (leg.state, consult.state) == (LegState.UP, LegState.UP)
            await asyncio.sleep(0.5)
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await consult.hang_up()
            await caller.finished()
            await pbx.finished()


async def test_a_pbx_that_hangs_up_before_the_caller_is_connected(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media, rtp_peer() as other:
        scenario = Scenario(media.port, headers=REPLACES).talk()
        scenario.receive("INVITE").reply("200 OK", media=True).receive("ACK").receive("REFER").reply("202 Accepted")
        scenario.notify("100 Trying").pause(500).notify("481 Call/Transaction Does Not Exist")
        scenario.receive("INVITE").reply("200 OK", media=True).receive("ACK").receive("BYE").reply("200 OK")
        queue = Scenario(other.port).receive("INVITE").reply("200 OK", media=True).receive("ACK")
        queue.receive("INVITE").reply("200 OK", media=True).receive("ACK").pause(200).hang_up()
        async with _caller(scenario, tmp_path, endpoint) as caller, Sipp(queue, tmp_path) as pbx:
            leg = await bell.ring()
            await leg.answer()
            await pbx.listening()
            consult = await endpoint.dial(pbx.uri)
            with pytest.raises(TransferFailed, match="481"):
                await leg.attended_transfer(consult)
            assert leg.state is LegState.UP
            assert (await ended(consult)).cause is EndCause.REMOTE_HANGUP
            with pytest.raises(TransferFailed, match="not up"):
                await leg.attended_transfer(consult)
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await caller.finished()
