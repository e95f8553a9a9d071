"""Queues that are a PBX's: the caller goes there or stays with us, and nobody is dropped on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from telephony.leg import EndCause, Leg
from telephony.testing import MemoryLeg
from tests.integration.call_harness import PATIENCE_S, Line, Phone, ended, line
from voicebot import events
from voicebot.events import Outcome
from voicebot.people_settings import AgentSettings, OutboundSettings, PbxSettings, PeopleSettings, QueueSettings

PBX = "sip:600@127.0.0.1:6100"
ANNA = AgentSettings(name="Anna", uri="sip:anna@127.0.0.1:6001")
How = Literal["refer", "attended", "bridge"]


@asynccontextmanager
async def handed_over(
    data: Path,
    how: How,
    agents: tuple[AgentSettings, ...] = (),
    *,
    uri: str = PBX,
    failed: Literal["queue", "bot"] = "queue",
    people: PeopleSettings = PeopleSettings(),  # noqa: B008 (frozen)
) -> AsyncIterator[tuple[Line, Phone, Phone]]:
    """A caller who wants a person, and the PBX; both are there for the test to do with what it likes."""
    pbx = PbxSettings(uri=uri, how=how, ring_s=2.0, failed=failed)
    async with line(data, agents, people=people, queue=QueueSettings(ring_s=1.0, decide_s=5.0, pbx=pbx)) as bot:
        caller, switch = Phone(bot.network, 6000), Phone(bot.network, 6100)
        await caller.start()
        await switch.start()
        await caller.dial()
        await bot.until(events.BotSaid, step="greeting/ask")
        yield bot, caller, switch
        await caller.stop()
        await switch.stop()


def call_leg(bot: Line) -> MemoryLeg:
    """The bot's end of the call."""
    leg = bot.live[0]._leg
    assert isinstance(leg, MemoryLeg)
    return leg


def outcome(bot: Line) -> tuple[str, Outcome]:
    (over,) = bot.events(events.CallEnded)
    return over.cause, over.outcome


async def test_a_caller_is_referred_with_the_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    transfer = MemoryLeg.transfer

    async def note(self: MemoryLeg, uri: str, timeout_s: float = 15.0) -> None:
        asked.append(uri)
        await transfer(self, PBX, timeout_s)

    monkeypatch.setattr(MemoryLeg, "transfer", note)
    async with handed_over(tmp_path, "refer") as (bot, _, switch):
        switch.answers("")
        await bot.say("konsultant")
        await bot.over()
    assert asked[0].startswith(f"<{PBX}?X-Voicebot-Call=call-0&X-Voicebot-Reason=caller_asked&X-Voicebot-Summary=")
    assert bot.events(events.PbxCalled)[0].how == "refer"
    assert outcome(bot) == ("transferred", Outcome.HANDED_OFF)


async def test_a_caller_is_connected_with_a_pbx_that_has_answered(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "attended") as (bot, _, switch):
        switch.answers("")
        await bot.say("konsultant")
        await bot.over()
        assert switch.leg is not None
        assert switch.leg.headers["From"].startswith("<sip:+48600100200@")
    assert outcome(bot) == ("transferred", Outcome.HANDED_OFF)


async def test_a_caller_who_cannot_be_connected_talks_through_us(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "attended") as (bot, caller, switch):
        call_leg(bot).no_replaces = True
        switch.answers("")
        await bot.say("konsultant")
        await bot.until(events.PbxJoined)
        assert caller.leg is not None
        await caller.leg.hang_up()
        await bot.over()
    assert outcome(bot) == ("remote_hangup", Outcome.HANDED_OFF)


async def test_a_pbx_that_hangs_up_before_the_caller_is_connected_leaves_them_to_our_agents(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "attended", (ANNA,)) as (bot, caller, switch):
        answering: list[asyncio.Task[None]] = []

        async def answer_and_go(leg: Leg) -> None:
            await leg.answer()
            await leg.hang_up()

        switch.endpoint.on_incoming(lambda leg: answering.append(asyncio.create_task(answer_and_go(leg))))
        cause = await left_to_anna(bot, caller)
    assert cause in ("ended", "remote_hangup")


async def test_a_bridged_caller_presses_keys_in_the_menu_of_the_pbx(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "bridge") as (bot, caller, switch):
        switch.answers("")
        await bot.say("konsultant")
        await bot.until(events.PbxJoined)
        assert caller.leg is not None
        assert switch.leg is not None
        await caller.leg.send_digits("12")
        assert await keys(switch.leg, 2) == "12"
        await switch.leg.hang_up()
        await bot.over()
    assert outcome(bot) == ("local_hangup", Outcome.HANDED_OFF)


async def left_to_anna(bot: Line, caller: Phone) -> str:
    """The PBX does not take the caller, an agent of ours does. Returns why."""
    anna = Phone(bot.network, 6001)
    await anna.start()
    anna.answers("1")
    await bot.say("konsultant")
    cause = (await bot.until(events.PbxFailed)).cause
    await bot.until(events.AgentJoined)
    assert caller.leg is not None
    await caller.leg.hang_up()
    await bot.over()
    await anna.stop()
    return str(cause)


async def keys(leg: Leg, count: int) -> str:
    pressed = ""
    async with asyncio.timeout(PATIENCE_S):
        async for event in leg.events():
            pressed += getattr(event, "key", "")
            if len(pressed) == count:
                break
    return pressed


@pytest.mark.parametrize("how", ["refer", "attended", "bridge"])
@pytest.mark.parametrize("behaviour", ["refuses", "rings"])
async def test_a_pbx_that_does_not_take_the_caller_leaves_them_to_our_agents(
    tmp_path: Path, how: How, behaviour: str
) -> None:
    async with handed_over(tmp_path, how, (ANNA,)) as (bot, caller, switch):
        rejecting: list[asyncio.Task[None]] = []

        def refuse(leg: Leg) -> None:
            if behaviour == "refuses":
                rejecting.append(asyncio.create_task(leg.reject()))

        switch.endpoint.on_incoming(refuse)
        cause = await left_to_anna(bot, caller)
    assert cause == ("not_transferred" if how == "refer" else "busy" if behaviour == "refuses" else "no_answer")
    assert outcome(bot) == ("remote_hangup", Outcome.HANDED_OFF)


async def test_a_caller_may_go_back_to_the_bot_instead(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "bridge", uri="sip:600@127.0.0.1:6999", failed="bot") as (bot, caller, _):
        await bot.say("konsultant")
        failed = await bot.until(events.PbxFailed)
        said = len(bot.events(events.BotSaid))
        await bot.until(events.BotSaid, said + 1)
        assert caller.leg is not None
        await caller.leg.hang_up()
        await bot.over()
    assert failed.cause == "unreachable"
    assert bot.events(events.QueueEntered) == []


async def test_without_agents_the_caller_of_a_failed_transfer_is_promised_a_callback(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "refer", uri="sip:600@127.0.0.1:6999") as (bot, caller, _):
        await bot.say("konsultant")
        await bot.over()
        assert caller.leg is not None
        await ended(caller.leg)
    assert outcome(bot) == ("local_hangup", Outcome.CALLBACK_PROMISED)


async def test_a_number_beyond_its_limit_is_never_asked_for(tmp_path: Path) -> None:
    route = OutboundSettings(uri="sip:{number}@127.0.0.1:6100", allow=("+48",), per_day=0)
    away, people = "sip:+48600100200@127.0.0.1:6100", PeopleSettings(outbound=(route,))
    async with handed_over(tmp_path, "refer", uri=away, people=people) as (bot, _, switch):
        rung: list[Leg] = []
        switch.endpoint.on_incoming(rung.append)
        await bot.say("konsultant")
        await bot.over()
    assert bot.events(events.OutboundRefused)[0].why == "limit_reached"
    assert rung == []
    assert outcome(bot)[1] is Outcome.CALLBACK_PROMISED


async def test_keys_that_were_pressed_while_the_pbx_rang_do_not_end_the_talk(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "bridge") as (bot, caller, switch):
        rung: asyncio.Queue[Leg] = asyncio.Queue()
        switch.endpoint.on_incoming(rung.put_nowait)
        await bot.say("konsultant")
        async with asyncio.timeout(PATIENCE_S):
            ringing = await rung.get()
        assert caller.leg is not None
        await caller.leg.send_digits("1")
        await asyncio.sleep(0.1)
        await ringing.answer()
        await bot.until(events.PbxJoined)
        await caller.leg.send_digits("7")
        assert await keys(ringing, 1) == "7"
        await caller.leg.hang_up()
        await bot.over()
    assert outcome(bot) == ("remote_hangup", Outcome.HANDED_OFF)


async def test_a_caller_who_hangs_up_while_the_pbx_rings(tmp_path: Path) -> None:
    async with handed_over(tmp_path, "bridge") as (bot, caller, switch):
        rung: asyncio.Queue[Leg] = asyncio.Queue()
        switch.endpoint.on_incoming(rung.put_nowait)
        await bot.say("konsultant")
        async with asyncio.timeout(PATIENCE_S):
            ringing = await rung.get()
        assert caller.leg is not None
        await caller.leg.hang_up()
        await bot.over()
        assert (await ended(ringing)).cause is EndCause.CANCELLED
    assert outcome(bot) == ("remote_hangup", Outcome.ABANDONED)
    assert json.loads((tmp_path / "calls" / "call-0" / "summary.json").read_text(encoding="utf-8"))
