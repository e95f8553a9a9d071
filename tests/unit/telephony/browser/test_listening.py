"""Supervisors at a room: listening, and the way from there to whispering and talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.supervisor import SupervisorLine, SupervisorMode
from telephony.browser.testing import HOME, BrowserPeer, browser_endpoint
from telephony.errors import LegGone, NobodyToWhisperTo
from telephony.leg import EndCause
from telephony.member import Member
from telephony.room import Room
from tests.unit.telephony.media_rig import Rig, ScriptedLeg, tone, values

FRAME = 160


@dataclass
class Call:
    """A caller (440 Hz) and an agent (700 Hz) in a room, and a clock that runs with the loop."""

    rig: Rig
    room: Room
    caller: ScriptedLeg
    agent: ScriptedLeg
    agent_member: Member

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
async def call() -> Call:
    rig = Rig(asyncio.get_running_loop())
    caller, agent = rig.leg(name="caller"), rig.leg(name="agent")
    for leg, hz in ((caller, 440.0), (agent, 700.0)):
        pcm = tone(20, 8000, hz)
        leg.incoming.extend(pcm[at : at + 2 * FRAME] for at in range(0, len(pcm), 2 * FRAME))
    room = rig.open_room(8000)
    room.join(caller)
    agent_member = room.join(agent)
    return Call(rig, room, caller, agent, agent_member)


@pytest.fixture
async def endpoint() -> AsyncIterator[BrowserEndpoint]:
    async with browser_endpoint() as endpoint:
        yield endpoint


async def test_listen_whisper_barge_and_back(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        line = SupervisorLine(await peer.call(endpoint, "boss"), call.room)
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
        assert not call.room._taps
        line.set_mode(SupervisorMode.BARGE)
        assert await talk() == (True, True, False, True)
        line.set_mode(SupervisorMode.LISTEN)
        assert line.mode is SupervisorMode.LISTEN
        assert await talk() == (False, False, False, True)
        assert np.all(np.diff(np.array(peer.packets)[:, 1]) % 960 == 0), "one stream from first to last"
        await line.close()
        assert (await over).cause is EndCause.LOCAL_HANGUP
    await call.run(0.04)
    assert len(call.room._members) == 2


async def test_a_browser_that_goes_away_is_out_of_the_room(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        line = SupervisorLine(await peer.call(endpoint, "boss"), call.room)
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
        lines = [SupervisorLine(await p.call(endpoint, "boss"), call.room) for p in (first, second)]
        await call.run(0.04)
        assert len(call.room._taps._sinks) == 2
        with pytest.raises(NobodyToWhisperTo):
            lines[0].set_mode(SupervisorMode.WHISPER)
        await first.close()
        await lines[0].over()
        await call.run(0.04)
        assert len(call.room._taps._sinks) == 1
        await lines[1].close()
        await lines[1].close()
        await call.run(0.04)
        assert not call.room._taps


async def test_a_listener_hears_what_is_said_now(call: Call, endpoint: BrowserEndpoint) -> None:
    async with BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "boss")
        line = SupervisorLine(leg, call.room)
        call.rig.run(100)  # two seconds at once: whoever sends them has stood still meanwhile
        assert 0.06 <= leg.unsent_s() <= 0.1
        await line.close()


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
        if listened:
            async with BrowserPeer(HOME) as peer:
                line = SupervisorLine(await peer.call(endpoint, "boss"), room)
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
