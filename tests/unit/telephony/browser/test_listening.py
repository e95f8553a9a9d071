"""Supervisors at a room: many listeners of one encoder, and the way from listening to whispering and talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.leg import BrowserLeg
from telephony.browser.listening import MAX_WAITING_FRAMES, Listening
from telephony.browser.opus import OpusDecoder
from telephony.browser.supervisor import SupervisorLine, SupervisorMode
from telephony.browser.testing import BrowserPeer
from telephony.errors import LegGone, NobodyToWhisperTo
from telephony.leg import EndCause
from telephony.member import Member
from telephony.room import Room
from tests.unit.telephony.media_rig import Rig, ScriptedLeg, tone, values

HOME = ("127.0.0.1",)
FRAME = 160


@dataclass
class Call:
    """A caller (440 Hz) and an agent (700 Hz) in a room, and a clock that runs with the loop."""

    rig: Rig
    room: Room
    caller: ScriptedLeg
    agent: ScriptedLeg
    agent_member: Member
    listening: Listening

    async def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self.rig.run(1)
            await asyncio.sleep(0.02)


def loudness(pcm: bytes, rate: int, hz: float) -> float:
    """Peak level of one pitch."""
    signal = values(pcm).astype(float)
    at = np.arange(len(signal)) / rate
    return float(2 * abs(np.mean(signal * np.exp(-2j * np.pi * hz * at)))) if len(signal) else 0.0


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    rig = Rig(asyncio.get_running_loop())
    caller, agent = rig.leg(name="caller"), rig.leg(name="agent")
    for leg, hz in ((caller, 440.0), (agent, 700.0)):
        pcm = tone(20, 8000, hz)
        leg.incoming.extend(pcm[at : at + 2 * FRAME] for at in range(0, len(pcm), 2 * FRAME))
    room = rig.open_room(8000)
    room.join(caller)
    agent_member = room.join(agent)
    call = Call(rig, room, caller, agent, agent_member, Listening(room, asyncio.get_running_loop()))
    yield call
    call.listening.close()
    assert call.listening.listeners == 0


@pytest.fixture
async def endpoint() -> AsyncIterator[BrowserEndpoint]:
    endpoint = BrowserEndpoint(HOME)
    yield endpoint
    await endpoint.stop()


async def connected(endpoint: BrowserEndpoint, peer: BrowserPeer) -> BrowserLeg:
    leg, answer = await endpoint.answer_offer(await peer.offer(), "boss")
    await peer.connect(answer)
    await leg.answer()
    return leg


async def test_all_listeners_get_the_same_packets_of_one_encoder(call: Call) -> None:
    first, second = call.listening.subscribe(), call.listening.subscribe()
    await call.run(0.1)
    one = [await first.next() for _ in range(5)]
    two = [await second.next() for _ in range(5)]
    assert all(a is b for a, b in zip(one, two, strict=True))
    decoder = OpusDecoder()
    assert all(len(decoder.decode(packet.payload)) == 2 * 960 for packet in one if packet is not None)


async def test_nothing_is_done_while_nobody_listens(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[bytes] = []
    encode = call.listening._encoder.encode
    monkeypatch.setattr(call.listening._encoder, "encode", lambda pcm: encoded.append(pcm) or encode(pcm))
    await call.run(0.1)
    assert not encoded
    assert not call.room._taps
    listener = call.listening.subscribe()
    await call.run(0.1)
    assert len(encoded) == 5
    listener.close()
    listener.close()
    await call.run(0.1)
    assert len(encoded) == 5
    assert not call.room._taps


async def test_a_listener_who_does_not_keep_up_loses_the_oldest_and_its_timestamps_know(call: Call) -> None:
    listener = call.listening.subscribe()
    await call.run(0.02 * (MAX_WAITING_FRAMES + 7))
    first = await listener.next()
    second = await listener.next()
    assert first is not None
    assert second is not None
    assert (first.skipped, second.skipped) == (7, 0)


async def test_frames_that_a_stalled_loop_did_not_take_are_counted(call: Call) -> None:
    listener = call.listening.subscribe()
    await call.run(0.04)
    call.rig.run(MAX_WAITING_FRAMES + 4)  # the loop does not run meanwhile
    await asyncio.sleep(0)
    packets = [await listener.next() for _ in range(MAX_WAITING_FRAMES)]
    assert sum(packet.skipped for packet in packets if packet is not None) == 6


async def test_a_subscription_that_waits_ends_with_the_room(call: Call) -> None:
    waiting = asyncio.create_task(call.listening.subscribe().next())
    await asyncio.sleep(0)
    call.listening.close()
    assert await waiting is None


async def test_listen_whisper_barge_and_back(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        line = SupervisorLine(await connected(endpoint, peer), call.room, call.listening)
        over = asyncio.create_task(line.over())

        async def talk() -> tuple[bool, bool, bool, bool]:
            """Who hears the supervisor's 1000 Hz (caller, agent, it itself), and whether it hears both others."""
            peer.say(tone(1.2, 16000, 1000.0))
            await call.run(1.0)
            heard = peer.heard()[-2 * 24000 :]
            await call.run(0.4)
            hears = {hz: loudness(heard, 48000, hz) > 500 for hz in (440.0, 700.0, 1000.0)}
            at = slice(-2 * 8000, -2 * 4000)
            wires = [bytes(leg.wire)[at] for leg in (call.caller, call.agent)]
            by_caller, by_agent = (loudness(wire, 8000, 1000.0) > 500 for wire in wires)
            return by_caller, by_agent, hears[1000.0], hears[440.0] and hears[700.0]

        assert await talk() == (False, False, False, True)
        line.set_mode(SupervisorMode.WHISPER, [call.agent_member])
        assert await talk() == (False, True, False, True)
        assert call.listening.listeners == 0
        line.set_mode(SupervisorMode.BARGE)
        assert await talk() == (True, True, False, True)
        line.set_mode(SupervisorMode.LISTEN)
        assert line.mode is SupervisorMode.LISTEN
        assert await talk() == (False, False, False, True)
        assert set(np.diff(np.array(peer.packets)[:, 1])) <= {960, 1920, 2880, 3840}, "one stream from first to last"
        await line.close()
        assert (await over).cause is EndCause.LOCAL_HANGUP
    await call.run(0.04)
    assert len(call.room._members) == 2


async def test_a_browser_that_goes_away_is_out_of_the_room(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        line = SupervisorLine(await connected(endpoint, peer), call.room, call.listening)
        line.set_mode(SupervisorMode.BARGE)
        await call.run(0.1)
        assert len(call.room._members) == 3
    assert (await line.over()).cause is EndCause.REMOTE_HANGUP
    await call.run(0.04)
    assert len(call.room._members) == 2
    with pytest.raises(LegGone):
        line.set_mode(SupervisorMode.LISTEN)
    await line.close()


async def test_a_listener_who_goes_away_no_longer_listens(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as first, BrowserPeer(HOME) as second:
        lines = [SupervisorLine(await connected(endpoint, p), call.room, call.listening) for p in (first, second)]
        assert call.listening.listeners == 2
        with pytest.raises(NobodyToWhisperTo):
            lines[0].set_mode(SupervisorMode.WHISPER)
        await first.close()
        await lines[0].over()
        assert call.listening.listeners == 1
        await lines[1].close()
        await lines[1].close()
        assert call.listening.listeners == 0


async def test_no_sample_changes_for_caller_and_agent_when_somebody_listens(endpoint: BrowserEndpoint) -> None:
    wires = []
    for listened in (False, True):
        rig = Rig(asyncio.get_running_loop())
        caller, agent = rig.leg(name="caller"), rig.leg(name="agent")
        room = rig.open_room(8000)
        for leg, hz in ((caller, 440.0), (agent, 700.0)):
            room.join(leg)
            pcm = tone(2, 8000, hz)
            leg.incoming.extend(pcm[at : at + 2 * FRAME] for at in range(0, len(pcm), 2 * FRAME))
        rig.run(20)
        listening = Listening(room, asyncio.get_running_loop())
        if listened:
            async with BrowserPeer(HOME) as peer:
                line = SupervisorLine(await connected(endpoint, peer), room, listening)
                peer.say(tone(1.0, 16000, 1000.0))
                for _ in range(40):
                    rig.run(1)
                    await asyncio.sleep(0.02)
                await line.close()
                assert loudness(peer.heard()[-2 * 9600 :], 48000, 440.0) > 500
        else:
            rig.run(40)
        rig.run(20)
        for leg in (caller, agent):
            leg.settle()
        wires.append((bytes(caller.wire), bytes(agent.wire)))
    assert wires[0] == wires[1]
