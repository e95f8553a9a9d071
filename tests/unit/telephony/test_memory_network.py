"""What the network in memory does beyond the contract: the faults that tests of other packages ask it for."""

from __future__ import annotations

import asyncio

import pytest

from telephony.errors import DialFailed, EndpointDead, TransferFailed
from telephony.leg import EndCause, Ended, EndpointSettings, Leg, LegState
from telephony.testing import MemoryEndpoint, MemoryLeg, MemoryNetwork


async def _endpoint(network: MemoryNetwork, user: str, codecs: tuple[str, ...] = ("pcma", "opus")) -> MemoryEndpoint:
    endpoint = MemoryEndpoint(EndpointSettings("127.0.0.1", 0, user=user, codecs=codecs), network)
    await endpoint.start()
    return endpoint


def _answer_all(endpoint: MemoryEndpoint) -> list[Leg]:
    legs: list[Leg] = []
    tasks: set[asyncio.Task[None]] = set()

    def take(leg: Leg) -> None:
        legs.append(leg)
        task = asyncio.create_task(leg.answer())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    endpoint.on_incoming(take)
    return legs


async def _last(leg: Leg) -> Ended:
    async with asyncio.timeout(2):
        event = [event async for event in leg.events()][-1]
    assert isinstance(event, Ended)
    return event


async def _call(first: str = "pcma") -> tuple[MemoryEndpoint, MemoryLeg, MemoryEndpoint, MemoryLeg]:
    network = MemoryNetwork()
    phone = await _endpoint(network, "phone", (first,))
    bot = await _endpoint(network, "bot")
    legs = _answer_all(bot)
    near = await phone.dial(bot.sip_uri, caller="600")
    far = legs[0]
    assert isinstance(near, MemoryLeg)
    assert isinstance(far, MemoryLeg)
    return phone, near, bot, far


async def test_the_codec_decides_the_rate() -> None:
    for codec, rate in (("pcma", 8000), ("opus", 16000)):
        _, near, _, far = await _call(codec)
        assert near.sample_rate == far.sample_rate == rate


async def test_no_common_codec() -> None:
    network = MemoryNetwork()
    phone, bot = await _endpoint(network, "phone", ("opus",)), await _endpoint(network, "bot", ("pcma",))
    with pytest.raises(DialFailed) as failed:
        await phone.dial(bot.sip_uri)
    assert failed.value.cause == EndCause.FAILED
    assert phone.legs == ()


async def test_rtp_that_stops() -> None:
    _, near, _, far = await _call()
    far.drop_rtp()
    assert (await _last(far)).cause is EndCause.MEDIA_TIMEOUT
    assert (await _last(near)).cause is EndCause.REMOTE_HANGUP


async def test_a_held_leg_hears_nothing() -> None:
    _, near, _, far = await _call()
    near.hold(True)
    near.write(bytes(320))
    assert far.read(160) == b""
    near.hold(False)
    assert far.read(160) == bytes(320)


async def test_a_stack_that_dies() -> None:
    _, near, bot, far = await _call()
    told: list[tuple[str, int]] = []
    bot.on_dead(lambda reason: told.append((reason, len(bot.legs))))
    bot.die("gone")
    assert told == [("gone", 0)]
    assert (await _last(far)).cause is EndCause.ENDPOINT_DEAD
    assert near.state is LegState.UP, "nobody told the far end"
    for again in (bot.start(), bot.dial("sip:a@127.0.0.1")):
        with pytest.raises(EndpointDead):
            await again


async def test_a_reader_who_does_not_read_loses_the_oldest() -> None:
    _, near, _, far = await _call()
    for value in range(200):
        assert near.write(bytes([value, 0]) * 160) == 160
    heard = far.read(8000 * 10)
    assert len(heard) == 2 * 16384
    assert heard[-2] == 199
    assert far.media_stats().packets_lost == 97


async def test_a_blind_transfer() -> None:
    phone, near, bot, far = await _call()
    agent = await _endpoint(bot.network, "agent")
    agents_legs = _answer_all(agent)
    await far.transfer(agent.sip_uri)
    assert (await _last(far)).cause is EndCause.TRANSFERRED
    assert near.state is LegState.ENDED
    assert len(agents_legs) == 1
    assert len(phone.legs) == 1, "the caller talks to the agent now"


async def test_a_blind_transfer_to_nowhere_leaves_the_call_up() -> None:
    _, near, _, far = await _call()
    with pytest.raises(TransferFailed):
        await far.transfer("sip:nobody@127.0.0.1:1")
    assert near.state is far.state is LegState.UP


async def test_a_withheld_number() -> None:
    network = MemoryNetwork()
    phone, bot = await _endpoint(network, "phone"), await _endpoint(network, "bot")
    legs = _answer_all(bot)
    await phone.dial(bot.sip_uri, caller="anonymous")
    assert legs[0].remote_number == ""
