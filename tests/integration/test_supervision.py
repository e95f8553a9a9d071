"""Supervisors in real calls: memory legs for caller and agent, WebRTC on loopback for them, a real audit log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from telephony.browser.testing import BrowserPeer, browser_endpoint
from telephony.leg import Leg
from tests.integration.call_harness import Line, Phone, ended, line
from voicebot import events
from voicebot.access import Access, Author, NewUser, Who
from voicebot.access.model import AuditEntry
from voicebot.call import Call
from voicebot.errors import CallNotFound, NotPossible
from voicebot.events import Outcome
from voicebot.live_calls import LiveCalls
from voicebot.people.supervision import Mode, Supervision
from voicebot.people_settings import AgentSettings
from voicebot.queueing.model import EntryState

PASSWORD = "zielony rower pije herbatę"
AGENT = AgentSettings(name="Anna", uri="sip:anna@127.0.0.1:5070")
HUMAN = "chcę rozmawiać z człowiekiem"


@dataclass
class Rig:
    """One caller's call, and supervisors with browsers."""

    line: Line
    access: Access
    supervision: Supervision
    live: LiveCalls
    caller: Leg
    people: dict[str, tuple[Who, str]] = field(default_factory=dict)
    peers: list[BrowserPeer] = field(default_factory=list)

    @property
    def call(self) -> Call:
        return self.line.live[0]

    async def joins(self, login: str, mode: Mode = "listen") -> tuple[str, BrowserPeer]:
        """A supervisor's browser is in the call; the listen's id, and the browser."""
        peer = BrowserPeer(["127.0.0.1"])
        self.peers.append(peer)
        listen, answer = await self.supervision.begin(self.who(login), "call-0", await peer.offer(), mode)
        await peer.connect(answer)
        return listen, peer

    async def takes_over(self, login: str) -> BrowserPeer:
        _, peer = await self.joins(login)
        await self.supervision.take_over(self.who(login), "call-0")
        await self.line.until(events.AgentJoined, agent=login)
        return peer

    def who(self, login: str) -> Who:
        return self.people[login][0]

    async def to_agent(self) -> None:
        await self.line.say(HUMAN)
        await self.line.until(events.AgentJoined, name="Anna")

    async def close(self) -> None:
        await self.caller.hang_up()
        await self.line.over()
        await self.supervision.room_closed(self.call)
        await self.supervision.close()
        for peer in self.peers:
            await peer.close()

    async def log(self, what: str) -> list[AuditEntry]:
        return list(await self.access.audit_lines(what=what))

    def told(self, kind: type[events.CallEvent]) -> int:
        return len(self.line.events(kind))


@asynccontextmanager
async def rig(folder: Path, *, answers: bool = True) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        access = Access(folder / "access")
        access.start()
        stack.push_async_callback(access.close)
        endpoint = await stack.enter_async_context(browser_endpoint())
        ready = await stack.enter_async_context(line(folder, (AGENT,)))
        phone, anna = Phone(ready.network, 5061), Phone(ready.network, 5070)
        for one in (phone, anna):
            await one.start()
            stack.push_async_callback(one.stop)
        if answers:
            anna.answers("1")
        live = LiveCalls()
        supervision = Supervision(live, ready.desk, access, endpoint)
        floor = Rig(ready, access, supervision, live, await phone.dial())
        stack.push_async_callback(floor.close)
        for login in ("ewa", "marek"):
            new = NewUser(login, login.title(), PASSWORD, frozenset({"supervisor"}))
            await access.add_user(new, Author("root", ""))
            floor.people[login] = await access.sign_in(login, PASSWORD, "192.0.2.1", "device")
        live.add(floor.call)
        await ready.until(events.BotSaid, text="W czym mogę pomóc?")
        yield floor


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_each_mode_is_a_line_of_the_audit_log_with_its_length(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.to_agent()
        listen, _ = await floor.joins("ewa")
        for mode in ("whisper", "barge", "listen"):
            await floor.supervision.change(floor.who("ewa"), listen, mode)  # type: ignore[arg-type]
        await floor.supervision.end(floor.who("ewa"), listen)
        for what, times in (("listened", 2), ("whispered", 1), ("barged", 1)):
            lines = await floor.log(what)
            assert [(one.who, one.about) for one in lines] == [("ewa", "call-0")] * times
            assert all(one.duration_s is not None for one in lines)
        left = floor.line.events(events.SupervisorLeft)
        assert [(one.login, one.listen) for one in left] == [("ewa", listen)]


async def test_many_changes_at_once_end_in_one_mode_and_leave_no_line_open(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        listen, _ = await floor.joins("ewa")
        ewa = floor.who("ewa")
        modes: tuple[Mode, ...] = ("barge", "listen") * 4
        await asyncio.gather(*(floor.supervision.change(ewa, listen, mode) for mode in modes))
        (shown,) = floor.supervision.of_call("call-0")
        assert shown.mode == "listen" == str(shown.line.mode)
        await floor.supervision.end(ewa, listen)
        assert all(one.duration_s is not None for one in await floor.access.audit_lines(who="ewa", what="listened"))
        assert all(one.duration_s is not None for one in await floor.access.audit_lines(who="ewa", what="barged"))


async def test_nobody_to_whisper_to_is_told_and_not_logged(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        with pytest.raises(NotPossible, match="no agent"):
            await floor.joins("ewa", "whisper")
        listen, _ = await floor.joins("ewa")
        with pytest.raises(NotPossible, match="no agent"):
            await floor.supervision.change(floor.who("ewa"), listen, "whisper")
        assert await floor.log("whispered") == []


async def test_a_call_that_ends_while_somebody_joins_leaves_nobody_in_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        peer = BrowserPeer(["127.0.0.1"])
        floor.peers.append(peer)
        joining = asyncio.create_task(
            floor.supervision.begin(floor.who("ewa"), "call-0", await peer.offer(), "listen"), name="join"
        )
        floor.live.remove(floor.call)
        await floor.caller.hang_up()
        with pytest.raises(CallNotFound):
            await joining
        assert floor.supervision.of_call("call-0") == []
        assert all(one.duration_s is not None for one in await floor.log("listened"))


async def test_a_call_that_ends_takes_all_listeners_with_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.joins("ewa")
        await floor.joins("marek", "barge")
        await floor.caller.hang_up()
        await floor.line.over()
        await floor.supervision.room_closed(floor.call)
        await until(lambda: floor.supervision.of_call("call-0") == [])
        assert floor.told(events.SupervisorLeft) == 2


async def test_a_supervisor_takes_the_caller_from_the_bot_and_gives_them_back(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.takes_over("ewa")
        assert [one.duration_s for one in await floor.log("took_over")] == [None], "it goes on"
        said = floor.told(events.BotSaid)
        floor.call.back_to_bot("order_status")
        await floor.line.until(events.AgentLeft, agent="ewa", why="to_bot")
        await until(lambda: floor.told(events.BotSaid) > said)
        await until(lambda: floor.supervision.of_call("call-0") == [])
        assert floor.line.events(events.BotSaid)[-1].text != "W czym mogę pomóc?"
        with pytest.raises(NotPossible, match="bot has the call already"):
            floor.call.back_to_bot("")


async def test_an_agent_whose_caller_is_taken_is_out_of_the_call_and_the_queue_knows_why(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.to_agent()
        await floor.takes_over("ewa")
        left = await floor.line.until(events.AgentLeft, name="Anna")
        assert left.why == "taken_over"
        assert [one.why for one in floor.line.events(events.QueueLeft)] == ["answered"]
        (entry,) = floor.line.desk.entries
        assert (entry.state, entry.outcome) == (EntryState.WRAP_UP, "taken_over")
        await floor.caller.hang_up()
        assert (await floor.line.until(events.CallEnded)).outcome is Outcome.HANDED_OFF


async def test_a_caller_who_waits_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    async with rig(tmp_path, answers=False) as floor:
        await floor.line.say(HUMAN)
        await floor.line.until(events.QueueEntered)
        await floor.takes_over("ewa")
        assert [one.why for one in floor.line.events(events.QueueLeft)] == ["taken_over"]
        assert list(floor.line.desk.entries) == []


async def test_only_one_supervisor_can_take_a_call(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.joins("ewa")
        await floor.joins("marek")
        both = [floor.supervision.take_over(floor.who(login), "call-0") for login in ("ewa", "marek")]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [NotPossible]
        modes = {listen.mode for listen in floor.supervision.of_call("call-0")}
        assert modes == {"taken_over", "listen"}
        winner = next(one for one in floor.supervision.of_call("call-0") if one.mode == "taken_over").who.login
        await floor.line.until(events.AgentJoined, agent=winner)
        with pytest.raises(NotPossible, match="already"):
            await floor.supervision.take_over(floor.who(winner), "call-0")


async def test_who_does_not_listen_cannot_take_over(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        with pytest.raises(NotPossible, match="not in this call"):
            await floor.supervision.take_over(floor.who("ewa"), "call-0")


async def test_a_caller_whose_supervisor_is_lost_goes_to_the_queue(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        peer = await floor.takes_over("ewa")
        await peer.close()
        assert (await floor.line.until(events.AgentLeft, agent="ewa")).why == "line_lost"
        entered = await floor.line.until(events.QueueEntered)
        assert entered.queue == "service"
        await floor.line.until(events.AgentJoined, name="Anna")


async def test_a_supervisor_who_is_lost_in_the_moment_of_taking_over_leaves_the_caller_to_the_queue(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as floor:
        await floor.joins("ewa")
        (one,) = floor.supervision.of_call("call-0")
        await floor.supervision.take_over(floor.who("ewa"), "call-0")
        await one.line.close()
        await floor.line.until(events.QueueEntered)
        await floor.line.until(events.AgentJoined, name="Anna")
        assert all(line.duration_s is not None for line in await floor.log("took_over"))


async def test_another_tab_of_who_has_taken_over_can_be_closed(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        older, _ = await floor.joins("ewa")
        await floor.takes_over("ewa")
        await floor.supervision.end(floor.who("ewa"), older)
        await asyncio.sleep(0.2)
        assert floor.told(events.AgentLeft) == 0


async def test_a_session_that_ends_cuts_its_listening_and_gives_a_taken_caller_to_the_queue(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.joins("marek", "barge")
        await floor.takes_over("ewa")
        await floor.access.sign_out(floor.who("marek"))
        await until(lambda: [one.who.login for one in floor.supervision.of_call("call-0")] == ["ewa"])
        await floor.access.sign_out_everywhere("ewa", Author("root", ""))
        await until(lambda: floor.supervision.of_call("call-0") == [])
        await floor.line.until(events.QueueEntered)


async def test_a_supervisor_ends_the_call(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.to_agent()
        await floor.joins("ewa")
        floor.call.end()
        await ended(floor.caller)
        assert (await floor.line.until(events.CallEnded)).cause == "ended_by_supervisor"
        assert [one.why for one in floor.line.events(events.QueueLeft)] == ["answered"]


async def test_a_caller_who_hangs_up_on_a_supervisor_ends_the_call(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.takes_over("ewa")
        await floor.caller.hang_up()
        await floor.line.until(events.CallEnded)
        assert (await floor.line.until(events.AgentLeft, agent="ewa")).why == "caller_gone"
        await until(lambda: floor.supervision.of_call("call-0") == [])


async def test_a_whisper_ends_when_its_agent_is_gone(tmp_path: Path) -> None:
    async with rig(tmp_path) as floor:
        await floor.to_agent()
        await floor.joins("ewa", "whisper")
        floor.call.back_to_bot("")
        await floor.line.until(events.AgentLeft, name="Anna")
        await floor.supervision.agents_changed("call-0")
        (listen,) = floor.supervision.of_call("call-0")
        assert listen.mode == "listen" == str(listen.line.mode)
