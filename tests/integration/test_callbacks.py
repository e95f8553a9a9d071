"""Callbacks: how they are promised, and how they are made; each leaves the queue knowing what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telephony.errors import RecordingFailed
from telephony.leg import EndCause, Leg
from tests.integration.call_harness import PATIENCE_S, Line, Phone, ended, line
from tests.integration.test_call_life import ANNA, both_hear, greeted
from voicebot import events
from voicebot.errors import NotPossible
from voicebot.events import Outcome
from voicebot.people.calling_back import CallBack
from voicebot.people.talk import Target
from voicebot.people_settings import AgentSettings, OutboundSettings, PeopleSettings, QueueSettings
from voicebot.queueing.happenings import Promise
from voicebot.queueing.model import AgentState, Entry, EntryState, Kind, Profile

NUMBER = "+48600100200"
OUTBOUND = PeopleSettings(outbound=OutboundSettings(uri="sip:{number}@127.0.0.1:6000", allow=("+48",)))
EWA = Profile("ewa", "Ewa Lis")
PLACE = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@asynccontextmanager
async def phones(
    tmp_path: Path, *agents: AgentSettings, people: PeopleSettings = OUTBOUND
) -> AsyncIterator[tuple[Line, Phone, Phone]]:
    """The bot's side, the telephone of whom is called back, and that of an agent."""
    async with line(tmp_path, agents, people=people) as bot:
        caller, agent = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await caller.start()
        await agent.start()
        try:
            yield bot, caller, agent
        finally:
            await caller.stop()
            await agent.stop()


async def promise(bot: Line, number: str = NUMBER) -> Entry:
    await bot.desk.apply(Promise("call-before", number, "pl", "service", reason="order", entered_at=PLACE))
    return callbacks(bot)[0]


def callbacks(bot: Line) -> list[Entry]:
    return [entry for entry in bot.desk.entries if entry.kind is Kind.CALLBACK]


async def until(holds: Callable[[], Any]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while not (found := holds()):
            await asyncio.sleep(0.01)
    return found


async def ewa_takes_it(bot: Line, browser: Phone) -> tuple[Leg, Entry]:
    """Ewa, in her browser, is offered the callback and accepts it."""
    line = await bot.browsers.connect("ewa", browser)
    await bot.desk.set_available(EWA)
    entry = await promise(bot)
    assert entry.state is EntryState.OFFERED
    await bot.desk.accept("ewa", entry.id)
    return line, entry


async def state(bot: Line, entry: Entry, wanted: EntryState) -> Entry:
    def found() -> Entry | None:
        now = bot.desk.entry(entry.id)
        return now if now is not None and now.state is wanted else None

    return await until(found)  # type: ignore[no-any-return]


async def test_an_agent_in_the_browser_calls_back(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, caller, browser):
        caller.answers("")
        ewa, entry = await ewa_takes_it(bot, browser)
        await bot.until(events.AgentJoined, agent="ewa")
        assert caller.leg is not None
        await both_hear(ewa, caller.leg)
        (call,) = bot.others
        assert bot.desk.call_id(entry) == call.context.call_id != entry.call_id
        assert bot.desk.serves("ewa", call.context.call_id)
        await caller.leg.hang_up()
        end = await bot.until(events.CallEnded)
        await state(bot, entry, EntryState.WRAP_UP)
        await bot.desk.wrap_up("ewa", "solved", "oddzwoniono")
        written = await bot.until(events.WrappedUp)
    assert (end.outcome, end.cause, end.call_id) == (Outcome.HANDED_OFF, "remote_hangup", call.context.call_id)
    assert (written.call_id, written.notes) == (end.call_id, "oddzwoniono")
    started = bot.events(events.CallStarted)[0]
    assert (started.caller, started.bot) == (NUMBER, "")
    assert not bot.events(events.QueueLeft)  # nobody waited on the line
    (sound,) = bot.events(events.LineMeasured)
    assert (sound.call_id, sound.codec) == (end.call_id, "pcma")
    folder = tmp_path / "calls" / end.call_id
    assert json.loads((folder / "transcript.json").read_text(encoding="utf-8"))["caller"] == NUMBER
    assert not (folder / "recording.wav").exists()


async def test_the_agent_hears_it_ring_and_sees_that_nobody_is_there_yet(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, caller, browser):
        caller.endpoint.on_incoming(lambda leg: None)  # rings
        ewa, entry = await ewa_takes_it(bot, browser)
        (call,) = await until(lambda: tuple(bot.others))
        with pytest.raises(NotPossible):
            call.room  # noqa: B018 (a property that raises)
        ewa.read(100_000)
        await until(lambda: any(ewa.read(160)))
        now = bot.desk.entry(entry.id)
        assert now is not None
        assert now.state is EntryState.ACCEPTED
        await bot.desk.end("ewa")
        waits = await state(bot, entry, EntryState.WAITING)
    assert waits.tries == 1
    assert bot.events(events.CallEnded)[0].cause == "given_up"


async def test_who_is_not_reached_is_tried_again_later(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, _, browser):  # the caller's telephone is busy
        _, entry = await ewa_takes_it(bot, browser)
        waits = await state(bot, entry, EntryState.WAITING)
        ewa = bot.desk.agent("ewa")
    assert waits.tries == 1
    assert waits.next_at is not None
    assert waits.next_at > datetime.now(UTC) + timedelta(minutes=5)
    assert ewa is not None
    assert ewa.state is AgentState.AVAILABLE
    end = bot.events(events.CallEnded)[0]
    assert (end.outcome, end.cause) == (Outcome.ABANDONED, "busy")


async def test_an_agent_at_a_desk_phone_calls_back(tmp_path: Path) -> None:
    async with phones(tmp_path, ANNA) as (bot, caller, anna):
        caller.answers("")
        anna.answers("1")
        entry = await promise(bot)
        await bot.until(events.AgentJoined, agent=ANNA.uri)
        assert caller.leg is not None
        assert anna.leg is not None
        await both_hear(anna.leg, caller.leg)
        await anna.leg.send_digits("*1")
        await bot.until(events.CallHeld)
        await anna.leg.send_digits("*1")
        await bot.until(events.CallResumed)
        await anna.leg.send_digits("*0")
        assert (await ended(caller.leg)).cause is EndCause.REMOTE_HANGUP
        assert (await ended(anna.leg)).cause is EndCause.REMOTE_HANGUP
        await state(bot, entry, EntryState.WRAP_UP)
    assert bot.events(events.CallEnded)[0].cause == "local_hangup"


async def test_a_desk_phone_is_let_go_when_nobody_answers(tmp_path: Path) -> None:
    async with phones(tmp_path, ANNA) as (bot, _, anna):
        anna.answers("1")
        entry = await promise(bot)
        await bot.until(events.CallEnded)
        assert anna.leg is not None
        assert (await ended(anna.leg)).cause is EndCause.REMOTE_HANGUP
        assert (await state(bot, entry, EntryState.WAITING)).tries == 1


async def test_an_agent_on_a_break_takes_one_and_their_phone_is_rung_first(tmp_path: Path) -> None:
    ewa = Profile("ewa", "Ewa Lis", phone="sip:ewa@127.0.0.1:6001")
    async with phones(tmp_path) as (bot, caller, phone):
        caller.answers("")
        phone.answers("")
        entry = await promise(bot)
        await bot.desk.set_on_break(ewa, "lunch")
        await bot.desk.take_callback(ewa, entry.id)
        await bot.until(events.AgentJoined, agent="ewa")
        assert caller.leg is not None
        assert phone.leg is not None
        await both_hear(phone.leg, caller.leg)
        with pytest.raises(NotPossible):
            await bot.desk.take_callback(ewa, entry.id)
        await phone.leg.hang_up()
        await ended(caller.leg)
        await bot.until(events.CallEnded)


async def test_without_a_way_out_the_agent_rings_by_hand_and_says_how_it_ended(tmp_path: Path) -> None:
    async with phones(tmp_path, people=PeopleSettings()) as (bot, _, browser):
        _, entry = await ewa_takes_it(bot, browser)
        now = bot.desk.entry(entry.id)
        assert now is not None
        assert bot.desk.is_by_hand(now)
        assert now.state is EntryState.ACCEPTED
        await bot.desk.close_callback(entry.id, "reached", "zamówione")
        assert bot.desk.entry(entry.id) is None
        ewa = bot.desk.agent("ewa")
        assert ewa is not None
        assert ewa.state is AgentState.AVAILABLE
        with pytest.raises(NotPossible):
            await bot.desk.close_callback(entry.id, "gave_up")
    written = bot.events(events.WrappedUp)[0]
    assert (written.call_id, written.notes, written.agent) == ("call-before", "zamówione", "ewa")
    assert not bot.events(events.CallStarted)


async def test_a_number_that_may_not_be_dialled_is_rung_by_hand(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, _, _):
        assert bot.desk.is_by_hand(await promise(bot, "+15005550006"))


async def test_whoever_loses_the_agent_is_called_once_more(tmp_path: Path) -> None:
    async with phones(tmp_path, people=OUTBOUND.model_copy(update={"line_back_s": 0.2})) as (bot, caller, browser):
        caller.answers("")
        ewa, entry = await ewa_takes_it(bot, browser)
        await bot.until(events.AgentJoined)
        await ewa.hang_up()
        await bot.until(events.AgentLeft, why="line_lost")
        assert caller.leg is not None
        await ended(caller.leg)
        waits = await state(bot, entry, EntryState.WAITING)
        await bot.until(events.CallEnded)
    assert waits.first
    assert waits.entered_at == PLACE
    assert any("Wkrótce zadzwonimy" in request.text for request in bot.voice.requests)


async def test_whom_we_called_is_given_to_a_queue_and_waits_like_any_other(tmp_path: Path) -> None:
    async with phones(tmp_path, ANNA) as (bot, caller, anna):
        caller.answers("")
        anna.answers("1", delay_s=1.0)
        browser = Phone(bot.network, 6002)
        await browser.start()
        await bot.browsers.connect("ewa", browser)
        await bot.desk.set_on_break(EWA, "lunch")
        entry = await promise(bot)
        await bot.until(events.AgentJoined, agent=ANNA.uri)
        await bot.desk.set_available(EWA)
        bot.desk.talk_of(ANNA.uri).give(Target("agent", "ewa"))
        offered = await bot.until(events.AgentOffered, agent="ewa")
        await bot.desk.accept("ewa", offered.entry)
        await bot.until(events.AgentJoined, agent="ewa")
        assert caller.leg is not None
        assert browser.leg is not None
        await both_hear(browser.leg, caller.leg)
        await caller.leg.hang_up()
        await bot.until(events.CallEnded)
        done = bot.desk.entry(entry.id)
        await browser.stop()
    assert done is None or done.state is EntryState.WRAP_UP


async def test_a_supervisor_ends_one(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, caller, browser):
        caller.answers("")
        await ewa_takes_it(bot, browser)
        await bot.until(events.AgentJoined)
        (call,) = bot.others
        assert isinstance(call, CallBack)
        with pytest.raises(NotPossible):
            call.back_to_bot("")
        call.end()
        assert caller.leg is not None
        await ended(caller.leg)
        end = await bot.until(events.CallEnded)
    assert end.cause == "ended_by_supervisor"


# How they are promised


@asynccontextmanager
async def waiting(tmp_path: Path, caller: str = NUMBER) -> AsyncIterator[tuple[Line, Leg]]:
    """A caller who waits in the queue while Anna does not decide."""
    async with phones(tmp_path, ANNA) as (bot, phone, anna):
        anna.answers("")
        leg = await phone.dial(caller=caller)
        await greeted(bot)
        await leg.send_digits("0")
        await bot.until(events.AgentAnswered)
        yield bot, leg


async def test_who_presses_1_while_waiting_keeps_the_place(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (bot, leg):
        (before,) = bot.desk.entries
        await leg.send_digits("1")
        await bot.until(events.BotSaid, step="phrases/callback_confirm")
        assert not callbacks(bot)
        await bot.say("tak")
        await bot.until(events.CallbackPromised)
        (entry,) = await until(lambda: callbacks(bot))
        await ended(leg)
        await bot.over()
    assert (entry.caller, entry.entered_at, entry.queue) == (NUMBER, before.entered_at, "service")
    assert bot.events(events.CallEnded)[-1].outcome is Outcome.CALLBACK_PROMISED


async def test_a_withheld_number_is_asked_for_until_it_is_one(tmp_path: Path) -> None:
    async with waiting(tmp_path, "anonymous") as (bot, leg):
        await leg.send_digits("1")
        await bot.until(events.BotSaid, step="callback/number/ask")
        await leg.send_digits("12345#")  # too short
        await bot.until(events.BotSaid, step="callback/number/ask", count=2)
        await leg.send_digits("601222333#")
        await bot.until(events.BotSaid, step="phrases/callback_confirm")
        await leg.send_digits("1")
        promised = await bot.until(events.CallbackPromised)
        (entry,) = await until(lambda: callbacks(bot))
        await ended(leg)
        await bot.over()
    assert promised.number == "601222333"
    assert entry.caller == "+48601222333"


async def test_a_promise_that_is_made_twice_is_one(tmp_path: Path) -> None:
    async with phones(tmp_path) as (bot, _, _):
        await promise(bot)
        await promise(bot)
        await promise(bot, "+48601222333")
        assert [entry.caller for entry in callbacks(bot)] == [NUMBER, "+48601222333"]


async def test_a_caller_whom_nobody_can_serve_leaves_a_message(tmp_path: Path) -> None:
    async with phones_with_voicemail(tmp_path) as (bot, leg):
        await until(lambda: any("zostawić wiadomość" in request.text for request in bot.voice.requests))
        await until(lambda: len(bot.activity.streams) > 1)
        await bot.say("proszę oddzwonić w sprawie zamówienia")
        await asyncio.sleep(1.0)
        await leg.send_digits("#")
        left = await bot.until(events.VoicemailLeft)
        await ended(leg)
        await bot.over()
    assert (left.queue, left.number, left.text) == ("service", NUMBER, "proszę oddzwonić w sprawie zamówienia")
    assert (tmp_path / "calls" / "call-0" / f"voicemail-{left.voicemail}.wav").is_file()
    assert bot.events(events.QueueLeft)[0].why == "voicemail"


@asynccontextmanager
async def phones_with_voicemail(tmp_path: Path) -> AsyncIterator[tuple[Line, Leg]]:
    async with line(tmp_path, queue=QueueSettings(overflow="voicemail")) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        leg = await phone.dial()
        await greeted(bot)
        await leg.send_digits("0")
        yield bot, leg
        await phone.stop()


async def test_where_no_message_can_be_taken_the_caller_is_called_back(tmp_path: Path, monkeypatch: Any) -> None:
    def full(*args: Any) -> None:
        raise RecordingFailed("The disk is full.", "Make room.")

    monkeypatch.setattr("voicebot.people.voicemail.Recorder", full)
    async with phones_with_voicemail(tmp_path) as (bot, leg):
        await bot.until(events.BotSaid, step="phrases/callback_confirm")
        await bot.say("tak")
        await ended(leg)
        await bot.over()
        assert [entry.caller for entry in callbacks(bot)] == [NUMBER]
