"""Calls that go to a PBX, from the telephone's INVITE to the PBX's answer, on the wire.

The callers are Debian's baresip or sipp; the PBX is sipp, and takes them or fails in one of its ways. Whoever does not
get there stays with the bot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from telephony.baresip import BaresipEndpoint
from tests.contract.telephony.debian_phone import DebianPhone
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import until
from tests.contract.telephony.rtp import RtpPeer, pitch_of, rtp_peer, tone
from tests.contract.telephony.sipp import Scenario, Sipp
from tests.integration.call_harness import Line, line
from voicebot import events
from voicebot.events import Outcome
from voicebot.people_settings import PbxSettings, QueueSettings

pytestmark = pytest.mark.timeout(90)
How = Literal["refer", "attended", "bridge"]
Behaviour = Callable[[Scenario], Scenario]
REPLACES = ("Supported: replaces", "Allow: INVITE, ACK, BYE, CANCEL, REFER, NOTIFY, UPDATE")


@dataclass
class Wire:
    """A bot whose queue is a PBX's. `media`: the sound of the PBX."""

    bot: Line
    port: int
    pbx: Sipp
    media: RtpPeer

    async def ask(self) -> None:
        """The caller, who is with the bot, asks for a person."""
        await self.bot.until(events.BotSaid, step="greeting/ask")
        await self.bot.say("konsultant")
        await self.bot.until(events.PbxCalled)

    async def over(self) -> tuple[str, Outcome]:
        await self.bot.over()
        (ended,) = self.bot.events(events.CallEnded)
        return ended.cause, ended.outcome


@asynccontextmanager
async def wire(folder: Path, how: How, behaviour: Behaviour) -> AsyncIterator[Wire]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, max_calls=4, rtp_timeout_s=10))
    async with rtp_peer() as media, Sipp(behaviour(Scenario(media.port).receive("INVITE")), folder) as pbx:
        await pbx.listening()
        settings = PbxSettings(uri=f"sip:600@127.0.0.1:{pbx.port}", how=how, ring_s=2.0, failed="bot")
        async with line(folder, queue=QueueSettings(pbx=settings), endpoint=endpoint) as bot:
            yield Wire(bot, int(endpoint.sip_uri.rpartition(":")[2]), pbx, media)


@asynccontextmanager
async def telephone(folder: Path, how: How, behaviour: Behaviour) -> AsyncIterator[tuple[Wire, DebianPhone]]:
    """Its caller has asked for a person. It knows no Replaces."""
    async with wire(folder, how, behaviour) as at, DebianPhone(folder, tone(440, 40.0)) as phone:
        await phone.command("dial", f"sip:48221234567@127.0.0.1:{at.port}")
        await at.ask()
        yield at, phone


@asynccontextmanager
async def switch(folder: Path, how: How, caller: Behaviour, pbx: Behaviour) -> AsyncIterator[tuple[Wire, Sipp]]:
    """A caller behind a switch that takes REFER and knows Replaces, who has asked for a person."""
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(wire(folder, how, pbx))
        media = await stack.enter_async_context(rtp_peer())
        scenario = caller(Scenario(media.port, headers=REPLACES).talk())
        sipp = await stack.enter_async_context(Sipp(scenario, folder, target=at.port))
        await at.ask()
        yield at, sipp


def answered(scenario: Scenario) -> Scenario:
    return scenario.reply("180 Ringing").reply("200 OK", media=True).receive("ACK")


def held(scenario: Scenario) -> Scenario:
    return scenario.receive("INVITE").reply("200 OK", media=True).receive("ACK")


def left(scenario: Scenario) -> Scenario:
    return scenario.receive("BYE").reply("200 OK")


def referred(*told: str, first: Behaviour = lambda scenario: scenario) -> Behaviour:
    """Takes a REFER, and tells so much of what becomes of it."""

    def behave(scenario: Scenario) -> Scenario:
        first(scenario).receive("REFER").reply("202 Accepted")
        for status in told:
            scenario.notify(status)
        return scenario

    return behave


# Who gets there


async def test_a_switch_that_is_asked_to_refer_the_caller(tmp_path: Path) -> None:
    takes = referred("100 Trying", "180 Ringing", "200 OK")
    async with switch(tmp_path, "refer", lambda caller: left(takes(caller)), answered) as (at, caller):
        assert await at.over() == ("transferred", Outcome.HANDED_OFF)
        await caller.finished()
        asked = next(row for row in caller.messages().splitlines() if row.startswith("Refer-To"))
        assert asked.startswith(f"Refer-To: <sip:600@127.0.0.1:{at.pbx.port}?X-Voicebot-Call=call-0&X-Voicebot-Reason=")


async def test_a_switch_that_connects_the_caller_with_the_pbx(tmp_path: Path) -> None:
    takes = referred("200 OK", first=held)
    async with switch(
        tmp_path, "attended", lambda caller: left(takes(caller)), lambda pbx: held(answered(pbx)).pause(500).hang_up()
    ) as (at, caller):
        assert await at.over() == ("transferred", Outcome.HANDED_OFF)
        await caller.finished()
        await at.pbx.finished()
        assert "Replaces=" in next(row for row in caller.messages().splitlines() if row.startswith("Refer-To"))
        assert "X-Voicebot-Reason: caller_asked" in at.pbx.messages()


@pytest.mark.parametrize("how", ["attended", "bridge"])
async def test_a_telephone_talks_with_the_pbx_through_us(tmp_path: Path, how: How) -> None:
    def takes(pbx: Scenario) -> Scenario:
        answered(pbx)
        return left(held(held(pbx)) if how == "attended" else pbx)  # there and back

    async with telephone(tmp_path, how, takes) as (at, phone):
        await at.bot.until(events.PbxJoined)
        await until(lambda: abs(pitch_of(at.media.heard()[-8000:], 8000) - 440) < 15)
        await at.media.say(tone(700, 1.0))
        await phone.command("hangup")
        assert await at.over() == ("remote_hangup", Outcome.HANDED_OFF)
        await at.pbx.finished()
        assert "X-Voicebot-Reason: caller_asked" in at.pbx.messages()
        if how == "bridge":  # this telephone keeps no sound that follows a hold
            sound, rate = phone.heard()
            assert pitch_of(sound[-rate:], rate) == pytest.approx(700, abs=15)


# Who does not, and is not dropped


async def stays(at: Wire, phone: DebianPhone) -> str:
    """The bot talks with the caller again, who hears it, and hangs up. Returns why."""
    failed = await at.bot.until(events.PbxFailed)
    said = len(at.bot.events(events.BotSaid))
    await at.bot.until(events.BotSaid, said + 1)
    await phone.command("hangup")
    assert await at.over() == ("remote_hangup", Outcome.ABANDONED)
    sound, rate = phone.heard()
    assert np.abs(np.frombuffer(sound[-2 * rate :], "<i2")).max() > 1000
    return str(failed.cause)


@pytest.mark.parametrize("how", ["attended", "bridge"])
@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("486 Busy Here", "busy"),
        ("603 Decline", "declined"),
        ("503 Service Unavailable", "unreachable"),
        ("180 Ringing", "no_answer"),
    ],
)
async def test_a_pbx_that_is_rung_and_does_not_take_the_caller(
    tmp_path: Path, how: How, status: str, cause: str
) -> None:
    def behave(pbx: Scenario) -> Scenario:
        pbx.reply(status)
        if cause == "no_answer":
            return pbx.receive("CANCEL").reply("200 OK").give_up().receive("ACK")
        return pbx.receive("ACK")

    async with telephone(tmp_path, how, behave) as (at, phone):
        assert await stays(at, phone) == cause
        await at.pbx.finished()


async def test_a_pbx_that_hangs_up_when_the_caller_is_to_be_connected(tmp_path: Path) -> None:
    async with telephone(tmp_path, "attended", lambda pbx: held(answered(pbx)).hang_up()) as (at, phone):
        assert await stays(at, phone) == "ended"


async def test_a_telephone_that_cannot_follow_a_refer(tmp_path: Path) -> None:
    """This one makes nothing of headers in Refer-To, and says 500."""
    async with telephone(tmp_path, "refer", answered) as (at, phone):
        assert await stays(at, phone) == "not_transferred"
        assert "INVITE" not in at.pbx.messages()


@pytest.mark.parametrize("told", [("100 Trying", "486 Busy Here"), ("503 Service Unavailable",), ("180 Ringing",)])
async def test_a_switch_that_does_not_get_the_caller_there(tmp_path: Path, told: tuple[str, ...]) -> None:
    async with switch(tmp_path, "refer", lambda caller: referred(*told)(caller).pause(4000).bye(), answered) as (
        at,
        caller,
    ):
        assert (await at.bot.until(events.PbxFailed)).cause == "not_transferred"
        said = len(at.bot.events(events.BotSaid))
        await at.bot.until(events.BotSaid, said + 1)
        assert await at.over() == ("remote_hangup", Outcome.ABANDONED)
        await caller.finished()


async def test_a_caller_whose_switch_refuses_the_replacement_talks_through_us(tmp_path: Path) -> None:
    refuses = referred("100 Trying", "481 Call/Transaction Does Not Exist", first=held)
    async with switch(
        tmp_path,
        "attended",
        lambda caller: held(refuses(caller)).pause(1500).bye(),
        lambda pbx: left(held(held(answered(pbx)))),
    ) as (at, caller):
        await at.bot.until(events.PbxJoined)
        assert await at.over() == ("remote_hangup", Outcome.HANDED_OFF)
        await caller.finished()
        await at.pbx.finished()
