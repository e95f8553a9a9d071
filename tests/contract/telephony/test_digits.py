"""Keys that reach the bot: as tones in the sound, and told in two ways at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.leg import Leg
from tests.contract.telephony.ear import Ear, bot
from tests.contract.telephony.listening import Doorbell, digits
from tests.contract.telephony.rtp import EVENT_PAYLOAD_TYPE, FRAME, RtpPeer, alaw, digit_packets, rtp, rtp_peer
from tests.contract.telephony.sipp import Scenario, Sipp
from tests.unit.telephony.key_tones import dialled, pair

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.timeout(60)]


@asynccontextmanager
async def called(folder: Path, info: str = "") -> AsyncIterator[tuple[Leg, RtpPeer]]:
    """A call that is up and heard; `info`: keys that the caller sends by SIP INFO, half a second after the answer."""
    async with bot() as (endpoint, media), rtp_peer() as peer:
        bell = Doorbell(endpoint)
        scenario = Scenario(peer.port).talk().pause(500)
        for key in info:
            scenario.info_digit(key).pause(150)
        scenario.receive("BYE").reply("200 OK")
        async with Sipp(scenario, folder, target=int(endpoint.sip_uri.rpartition(":")[2])):
            leg = await bell.ring()
            await leg.answer()
            ear = Ear(media, leg)
            yield leg, peer
            await leg.hang_up()
        ear.close()


def as_pcm(signal: NDArray[np.float64]) -> NDArray[np.int16]:
    whole = signal[: len(signal) // FRAME * FRAME]
    noise = np.random.default_rng(1).normal(0, 60, len(whole))
    return np.clip(whole + noise, -32768, 32767).astype(np.int16)


async def nothing_more(leg: Leg) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7):
            pytest.fail(f"another key: {await digits(leg, 1)}")


async def test_keys_as_tones_in_the_sound(tmp_path: Path) -> None:
    async with called(tmp_path) as (leg, peer):
        await peer.say(as_pcm(dialled("*0123456789ABCD#", 80, 80)))
        assert await digits(leg, 16) == "*0123456789ABCD#"
        await nothing_more(leg)


async def test_keys_as_events_and_as_tones_at_once_are_told_once(tmp_path: Path) -> None:
    """A gateway that sends events and leaves the tone in the sound."""
    async with called(tmp_path) as (leg, peer):
        sound = alaw(as_pcm(np.concatenate([np.concatenate([pair(key, 100), np.zeros(800 + 320)]) for key in "4422"])))
        timed = []
        for index in range(len(sound) // FRAME):
            speech = rtp(8, 2 * index, index * FRAME, sound[index * FRAME : (index + 1) * FRAME])
            timed.append((0.02 * index, speech))
        for index, event in enumerate(digit_packets("4422")):
            if event:
                again = rtp(EVENT_PAYLOAD_TYPE, 2 * index + 1, int.from_bytes(event[4:8], "big"), event[12:])
                timed.append((0.02 * index + 0.005, again))
        await peer.send_at(timed)
        assert await digits(leg, 4) == "4422"
        await nothing_more(leg)


async def test_a_key_as_a_tone_and_by_info_is_told_once(tmp_path: Path) -> None:
    async with called(tmp_path, info="5") as (leg, peer):
        await peer.say(as_pcm(np.concatenate([np.zeros(3200), pair("5", 100), np.zeros(3200)])))
        assert await digits(leg, 1) == "5"
        await nothing_more(leg)
