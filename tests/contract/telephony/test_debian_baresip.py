"""Calls with Debian's `baresip`, a SIP phone that is neither sipp nor ours: both directions, G.711 and Opus."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.baresip import BaresipEndpoint
from telephony.leg import EndCause, Leg
from tests.contract.telephony.debian_phone import DebianPhone
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import Doorbell, ended, hear, speak
from tests.contract.telephony.rtp import pitch_of, tone

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
async def endpoint(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, codecs=("pcma", "pcmu", "opus"), rtp_timeout_s=10))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


async def _talk(leg: Leg, phone: DebianPhone, rate: int) -> None:
    assert leg.sample_rate == rate
    # Every sample counts once: at a wrong rate or with two channels taken for one, the tone would be another.
    assert pitch_of(await hear(leg, rate), rate) == pytest.approx(440, abs=5)
    await speak(leg, tone(1000, 1.0, rate))
    await asyncio.sleep(1.2)
    await leg.hang_up()
    assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
    await asyncio.sleep(0.2)
    heard, heard_rate = phone.heard()
    assert pitch_of(heard, heard_rate) == pytest.approx(1000, abs=10)


@pytest.mark.parametrize(("codec", "rate"), [("pcma", 8000), ("pcmu", 8000), ("opus", 16000)])
async def test_the_phone_dials_us(endpoint: BaresipEndpoint, tmp_path: Path, codec: str, rate: int) -> None:
    bell = Doorbell(endpoint)
    async with DebianPhone(tmp_path, tone(440, 20, 48000 if codec == "opus" else 8000), codec) as phone:
        await phone.command("dial", endpoint.sip_uri.replace("bot@", "48221234567@"))
        leg = await bell.ring()
        assert (leg.dialled, leg.remote_number) == ("48221234567", "phone")
        await leg.answer()
        await _talk(leg, phone, rate)
        assert leg.media_stats().packets_received > 40
        assert leg.media_stats().codec == ("opus" if codec == "opus" else "g711")


@pytest.mark.parametrize(("codec", "rate"), [("pcma", 8000), ("opus", 16000)])
async def test_we_dial_the_phone(endpoint: BaresipEndpoint, tmp_path: Path, codec: str, rate: int) -> None:
    async with DebianPhone(tmp_path, tone(440, 20, 48000 if codec == "opus" else 8000), codec) as phone:
        leg = await endpoint.dial(phone.uri)
        await _talk(leg, phone, rate)


async def test_the_phone_hangs_up_a_call_that_we_made(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    async with DebianPhone(tmp_path, tone(440, 20)) as phone:
        leg = await endpoint.dial(phone.uri)
        await hear(leg, 800)
        await phone.command("hangup")
        assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
    assert endpoint.legs == ()
