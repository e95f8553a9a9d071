"""Talks at the desk with agents in browsers: every way in which a line, a caller or a colleague can go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from telephony.leg import Digit, Leg, LegState
from tests.integration.call_harness import PATIENCE_S, Line, Phone, line
from tests.integration.test_call_life import both_hear, greeted
from voicebot import events
from voicebot.errors import NotPossible
from voicebot.people import first_sound
from voicebot.people.talk import Talk, TalkState, Target
from voicebot.people_settings import OutboundSettings, PeopleSettings, QueueSettings
from voicebot.queueing.model import Agent, AgentState, Entry, EntryState, Kind, Profile

ANNA, EWA = Profile("anna", "Anna Nowak"), Profile("ewa", "Ewa Lis")
ASK_EWA, GIVE_TO_QUEUE = Target("agent", "ewa"), Target("queue", "service")
PEOPLE = PeopleSettings(line_back_s=1.0, outbound=OutboundSettings(uri="sip:{number}@127.0.0.1:6009", allow=("+48",)))
QUEUE = QueueSettings(ring_s=10.0, wrap_up_s=60.0)


@dataclass
class Rig:
    """A caller, and two agents in browsers who are there; Anna came first."""

    bot: Line
    caller: Leg
    browsers: dict[str, Phone]
    lines: dict[str, Leg]

    @property
    def talk(self) -> Talk:
        return self.bot.desk.talk_of("anna")

    def agent(self, login: str) -> Agent:
        agent = self.bot.desk.agent(login)
        assert agent is not None
        return agent

    async def until(self, holds: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := holds()):
                await asyncio.sleep(0.01)
        return found

    async def offered(self, login: str) -> Entry:
        """What is offered to the agent."""
        await self.until(lambda: self.agent(login).state is AgentState.OFFERED)
        entry = self.bot.desk.entry(self.agent(login).entry)
        assert entry is not None
        return entry

    async def takes(self, login: str) -> None:
        await self.bot.desk.accept(login, (await self.offered(login)).id)
        await self.until(lambda: self.agent(login).state is AgentState.ON_CALL)

    async def talks(self, login: str) -> None:
        """The agent takes the caller, and both hear each other."""
        await self.takes(login)
        await self.bot.until(events.AgentJoined, agent=login)
        await both_hear(self.lines[login], self.caller)

    async def asks_ewa(self) -> None:
        """Anna asks Ewa, who accepts: they hear each other."""
        self.talk.ask(ASK_EWA)
        assert (await self.offered("ewa")).kind is Kind.CONSULT
        await self.takes("ewa")
        await self.until(lambda: self.talk.consult is not None and self.talk.consult.state == "talking")
        await both_hear(self.lines["anna"], self.lines["ewa"])

    async def free(self, login: str) -> None:
        await self.until(lambda: self.agent(login).state is AgentState.AVAILABLE)

    async def connects(self, login: str) -> None:
        self.lines[login] = await self.bot.browsers.connect(login, self.browsers[login])


@asynccontextmanager
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with line(tmp_path, people=PEOPLE, queue=QUEUE) as bot:
        phone = Phone(bot.network, 6000)
        browsers = {"anna": Phone(bot.network, 6001), "ewa": Phone(bot.network, 6002)}
        for each in (phone, *browsers.values()):
            await each.start()
        try:
            lines = {login: await bot.browsers.connect(login, browser) for login, browser in browsers.items()}
            for profile in (ANNA, EWA):
                await bot.desk.set_available(profile)
            caller = await phone.dial()
            await greeted(bot)
            await caller.send_digits("0")
            yield Rig(bot, caller, browsers, lines)
        finally:
            for each in (phone, *browsers.values()):
                await each.stop()


async def test_a_line_that_breaks_on_hold_comes_back_on_hold(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.talks("anna")
        floor.talk.hold(True)
        await floor.lines["anna"].hang_up()
        await floor.until(lambda: floor.talk.state is TalkState.LINE_LOST)
        assert floor.bot.desk.back_until("anna") is not None
        await floor.connects("anna")
        await floor.until(lambda: floor.talk.state is TalkState.ON_HOLD)
        floor.talk.hold(False)
        await both_hear(floor.lines["anna"], floor.caller)
        assert floor.bot.desk.back_until("anna") is None


async def test_a_line_that_is_replaced_carries_the_talk_on(tmp_path: Path) -> None:
    """The browser connects anew before anybody has noticed that it was gone."""
    async with rig(tmp_path) as floor:
        await floor.talks("anna")
        await floor.connects("anna")
        await floor.until(lambda: floor.talk.state is TalkState.TALKING)
        await both_hear(floor.lines["anna"], floor.caller)


async def test_another_leg_takes_the_place_of_the_one_that_nobody_saw_going(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.talks("anna")
        other = floor.bot.desk.line("ewa")
        assert other is not None
        floor.talk.line_back(other)
        assert floor.talk.state is TalkState.TALKING
        await both_hear(floor.lines["ewa"], floor.caller)


async def test_a_line_that_stays_away_gives_the_caller_to_the_next_agent(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.talks("anna")
        await floor.lines["anna"].hang_up()
        entry = await floor.offered("ewa")
        assert entry.first
        await floor.talks("ewa")
        assert (floor.agent("anna").state, floor.agent("anna").reason) == (AgentState.ON_BREAK, "line_lost")


async def test_a_line_that_breaks_between_accepting_and_joining_leaves_the_caller_in_the_queue(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        entry = await floor.offered("anna")
        await floor.bot.desk.lines.disconnect("anna")
        await floor.bot.desk.accept("anna", entry.id)
        await floor.talks("ewa")
        assert not [told for told in floor.bot.events(events.AgentJoined) if told.agent == "anna"]


async def nothing(floor: Rig) -> None:
    await floor.offered("anna")


async def talking(floor: Rig) -> None:
    await floor.talks("anna")


async def on_hold(floor: Rig) -> None:
    await floor.talks("anna")
    floor.talk.hold(True)


async def ringing_ewa(floor: Rig) -> None:
    await floor.talks("anna")
    floor.talk.ask(ASK_EWA)
    await floor.offered("ewa")


async def asking_ewa(floor: Rig) -> None:
    await floor.talks("anna")
    await floor.asks_ewa()


async def line_lost(floor: Rig) -> None:
    await floor.talks("anna")
    await floor.lines["anna"].hang_up()
    await floor.until(lambda: floor.talk.state is TalkState.LINE_LOST)


EVERY_STATE = pytest.mark.parametrize("reach", [nothing, talking, on_hold, ringing_ewa, asking_ewa, line_lost])


@EVERY_STATE
async def test_a_caller_who_hangs_up_leaves_nobody_busy(tmp_path: Path, reach: Callable[[Rig], Any]) -> None:
    async with rig(tmp_path) as floor:
        await reach(floor)
        await floor.caller.hang_up()
        await floor.bot.over()
        await floor.free("ewa")
        after = AgentState.AVAILABLE if reach is nothing else AgentState.WRAP_UP
        await floor.until(lambda: floor.agent("anna").state is after)
        if reach is not nothing:
            await floor.bot.desk.wrap_up("anna", "solved", "")
        assert not list(floor.bot.desk.entries)
        assert floor.bot.desk.case_of(floor.bot.live[0].context.call_id) is None


@pytest.mark.parametrize("reach", [talking, on_hold, ringing_ewa, asking_ewa])
async def test_an_agent_who_ends_the_call_leaves_no_colleague_busy(tmp_path: Path, reach: Callable[[Rig], Any]) -> None:
    async with rig(tmp_path) as floor:
        await reach(floor)
        await floor.bot.desk.end("anna")
        await floor.bot.over()
        await floor.free("ewa")
        assert floor.agent("anna").state is AgentState.WRAP_UP


@pytest.mark.parametrize("line_breaks", [False, True], ids=["hangs up", "loses the line"])
async def test_a_colleague_who_goes_leaves_the_caller_on_hold(tmp_path: Path, line_breaks: bool) -> None:
    async with rig(tmp_path) as floor:
        await asking_ewa(floor)
        if line_breaks:
            await floor.lines["ewa"].hang_up()
        else:
            await floor.bot.desk.end("ewa")
        await floor.until(lambda: floor.talk.state is TalkState.ON_HOLD)
        await floor.free("ewa")
        consult = floor.talk.consult
        assert consult is not None
        assert (consult.state, consult.why) == ("failed", "hung_up")
        with pytest.raises(NotPossible):
            floor.talk.complete()
        floor.talk.hold(False)
        assert floor.talk.consult is None
        await both_hear(floor.lines["anna"], floor.caller)


async def test_a_caller_is_not_put_on_hold_or_taken_back_while_a_colleague_is_asked(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await asking_ewa(floor)
        with pytest.raises(NotPossible):
            floor.talk.hold(True)
        await floor.talk.back_to_caller()
        await floor.free("ewa")
        await both_hear(floor.lines["anna"], floor.caller)


async def test_the_colleague_who_was_asked_gets_the_caller(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await asking_ewa(floor)
        floor.talk.complete()
        await floor.bot.until(events.AgentJoined, agent="ewa")
        await both_hear(floor.lines["ewa"], floor.caller)
        assert floor.agent("anna").state is AgentState.WRAP_UP
        assert floor.bot.desk.talk_of("ewa").state is TalkState.TALKING
        await floor.bot.desk.end("ewa")
        await floor.bot.over()
        assert floor.agent("ewa").state is AgentState.WRAP_UP


async def test_who_is_given_away_while_a_colleague_is_asked_frees_the_colleague(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await asking_ewa(floor)
        floor.talk.give(GIVE_TO_QUEUE)
        assert (await floor.offered("ewa")).kind is Kind.CALL
        await floor.talks("ewa")


@pytest.mark.parametrize("number", ["+48600000000", "+15550000"], ids=["not answered", "not allowed"])
async def test_a_number_that_is_not_reached_gives_the_old_place_back(tmp_path: Path, number: str) -> None:
    async with rig(tmp_path) as floor:
        before = (await floor.offered("anna")).entered_at
        await floor.talks("anna")
        floor.talk.give(Target("number", number))
        entry = await floor.offered("ewa")
        assert (entry.entered_at, entry.state) == (before, EntryState.OFFERED)
        await floor.talks("ewa")


@pytest.mark.parametrize("asked", [True, False], ids=["asked first", "given"])
async def test_nothing_of_what_the_caller_told_goes_to_a_number_outside(tmp_path: Path, asked: bool) -> None:
    async with rig(tmp_path) as floor:
        outside = Phone(floor.bot.network, 6009)
        await outside.start()
        outside.answers("")
        await floor.talks("anna")
        target = Target("number", "+48600000000")
        floor.talk.ask(target) if asked else floor.talk.give(target)
        leg = await floor.until(lambda: outside.leg)
        assert (leg.remote_number, leg.headers.keys()) == ("+48600100200", {"To", "From"})
        await outside.stop()


async def keys_of(leg: Leg, count: int) -> str:
    """The next keys that arrive there."""
    pressed = ""
    async with asyncio.timeout(PATIENCE_S):
        async for event in leg.events():
            pressed += event.key if isinstance(event, Digit) else ""
            if len(pressed) == count:
                break
    return pressed


async def test_an_agents_keys_go_to_the_caller_and_to_a_number_that_is_asked(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        outside = Phone(floor.bot.network, 6009)
        await outside.start()
        outside.answers("")
        await floor.talks("anna")
        await floor.talk.send_digits("12#")
        assert await keys_of(floor.caller, 3) == "12#"
        floor.talk.ask(Target("number", "+48600000000"))
        await floor.until(lambda: floor.talk.consult is not None and floor.talk.consult.state == "talking")
        await floor.talk.send_digits("34")
        assert await keys_of(outside.leg, 2) == "34"  # type: ignore[arg-type]
        await floor.talk.back_to_caller()
        await floor.talk.send_digits("5")
        assert await keys_of(floor.caller, 1) == "5"
        await outside.stop()


async def test_no_call_is_offered_to_an_agent_without_a_line(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.talks("anna")
        await floor.bot.desk.end("anna")
        await floor.bot.over()
        await floor.bot.desk.lines.disconnect("anna")
        with pytest.raises(NotPossible):
            await floor.bot.desk.set_available(ANNA)
        await floor.bot.desk.wrap_up("anna", "solved", "")
        await floor.until(lambda: floor.agent("anna").state is AgentState.ON_BREAK)
        assert floor.agent("anna").reason == "line_lost"


async def test_who_talks_with_somebody_outside_can_be_sent_back_to_the_bot(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        outside = Phone(floor.bot.network, 6009)
        await outside.start()
        outside.answers("")
        await floor.talks("anna")
        floor.talk.give(Target("number", "+48600000000"))
        leg = await floor.until(lambda: outside.leg)
        await both_hear(leg, floor.caller)
        floor.bot.live[0].back_to_bot("")
        await floor.bot.until(events.BotSaid, step="phrases/ask_more")
        await floor.until(lambda: leg.state is LegState.ENDED)
        await outside.stop()


async def test_an_agent_of_whom_nothing_is_heard_is_told_of_until_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_sound, "UNHEARD_S", 0.3)
    async with rig(tmp_path) as floor:
        await floor.takes("anna")
        await floor.bot.until(events.AgentUnheard, agent="anna", name="Anna Nowak")
        assert floor.talk.unheard
        floor.talk.mute(True)
        assert not floor.talk.unheard, "of whom has muted themselves here nothing is to be heard"
        floor.talk.mute(False)
        assert floor.talk.unheard
        await both_hear(floor.lines["anna"], floor.caller)
        await floor.until(lambda: not floor.talk.unheard)
        await asyncio.sleep(0.5)
        assert len(floor.bot.events(events.AgentUnheard)) == 1, "whoever was heard once may listen"


async def test_whoever_is_not_to_be_heard_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_sound, "UNHEARD_S", 0.3)
    async with rig(tmp_path) as floor:
        await floor.takes("anna")
        await floor.bot.until(events.AgentJoined, agent="anna")
        floor.talk.mute(True)
        await asyncio.sleep(0.5)
        floor.talk.hold(True)
        floor.talk.mute(False)
        await asyncio.sleep(0.5)
        assert floor.bot.events(events.AgentUnheard) == []
        floor.talk.hold(False)
        await floor.bot.until(events.AgentUnheard, agent="anna")
