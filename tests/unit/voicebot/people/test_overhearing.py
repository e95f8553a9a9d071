"""A talk written down: who said what and when, what is not listened to, and a recogniser that fails or is busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from asr.errors import RecogniserBusy, RecogniserUnavailable
from asr.recogniser import RecognitionRequest, Transcript
from asr.testing import Answer, ScriptedRecogniser, transcript
from telephony.member import Member
from tests.integration.call_harness import ToldActivity, ToldStream
from tests.unit.telephony.media_rig import Rig
from voicebot.events import AgentSaid, CallClock, CallerSaid, CallerSaying, CallEvent, EventStream, Fault
from voicebot.parts import CallContext, Services
from voicebot.people import overhearing, scribe
from voicebot.people.overhearing import Overhearing

RATE = 8000
PATIENCE_S = 10.0


class Talk:
    """Caller and agent in a room whose clock the test moves; what they say is told, and heard as scripted."""

    def __init__(self, answers: Callable[[RecognitionRequest], Answer]) -> None:
        self.rig = Rig()
        self.room = self.rig.open_room(RATE)
        self.caller, self.agent = (self.room.join(self.rig.leg(name=name)) for name in ("caller", "agent"))
        self.activity = ToldActivity()
        self.answer = answers
        self.recogniser = ScriptedRecogniser(lambda request: self.answer(request))
        self.published: list[CallEvent] = []
        stream = EventStream()
        stream.attach(self.published.append)
        self.context = CallContext("call", "600", "100", "pl", CallClock("call"), stream)
        self.followed = True
        services = cast(Services, _Parts(self.activity, self.recogniser))
        self.overhearing = Overhearing(services, self.context, RATE, lambda: self.followed)

    def begin(self) -> None:
        self.overhearing.hear_caller(self.caller)
        self.overhearing.hear_agent(self.agent, "anna", "Anna Nowak")
        self.pass_time(0.1)

    def pass_time(self, seconds: float) -> None:
        self.rig.run(round(seconds * 50))

    async def say(self, stream: ToldStream, seconds: float = 1.0) -> None:
        """One after the other: the clock moves for both."""
        await stream.start()
        await asyncio.sleep(0)
        self.pass_time(seconds)
        stream.pause()
        await asyncio.sleep(0)
        self.pass_time(0.8)

    def of(self, *kinds: type[CallEvent]) -> list[Any]:
        return [event for event in self.published if isinstance(event, kinds)]

    async def until(self, kind: type[CallEvent], count: int = 1) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.of(kind)) < count:
                await asyncio.sleep(0.005)
        return self.of(kind)

    async def asked(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.recogniser.requests) < count:
                await asyncio.sleep(0.005)


class _Parts:
    def __init__(self, activity: ToldActivity, recogniser: ScriptedRecogniser) -> None:
        self.activity = activity
        self.recogniser = recogniser


def by_speaker(request: RecognitionRequest) -> str:
    if not request.final:
        return "gdzie jest"
    return "gdzie jest moja paczka" if request.call_id == "call/caller" else "już sprawdzam"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhearing, "LOOK_S", 0.005)
    monkeypatch.setattr(scribe, "AGAIN_S", 0.01)


@pytest.fixture
async def talk(request: pytest.FixtureRequest) -> AsyncIterator[Talk]:
    talk = Talk(getattr(request, "param", by_speaker))
    yield talk
    await talk.overhearing.close()


async def test_both_sides_are_written_down_with_who_and_when(talk: Talk) -> None:
    talk.begin()
    caller, agent = talk.activity.streams
    await talk.say(caller)
    await talk.until(CallerSaid)
    await talk.say(agent, 2.0)
    [said] = await talk.until(AgentSaid)
    [asked] = talk.of(CallerSaid)
    assert (asked.text, said.text) == ("gdzie jest moja paczka", "już sprawdzam")
    assert (said.agent, said.name) == ("anna", "Anna Nowak")
    assert (asked.audio_s, said.audio_s) == (pytest.approx(1.0), pytest.approx(2.0))
    assert asked.confidence == pytest.approx(0.95)
    assert all(request.background and request.language == "pl" for request in talk.recogniser.requests)


async def test_what_is_told_late_carries_the_time_at_which_the_words_ended(talk: Talk) -> None:
    talk.begin()
    talk.recogniser.delay_s = 0.3
    await asyncio.sleep(1.0)  # of the call
    await talk.say(talk.activity.streams[0])
    [said] = await talk.until(CallerSaid)
    told_at = talk.context.clock.stamp()["offset_s"]
    assert told_at - said.offset_s == pytest.approx(0.8 + 0.3, abs=0.15)


async def test_words_so_far_are_told_of_the_caller_while_somebody_looks(talk: Talk) -> None:
    talk.begin()
    caller, agent = talk.activity.streams
    for stream in (agent, caller):
        await stream.start()
    for _ in range(4):
        talk.pass_time(1.3)
        await asyncio.sleep(0.05)
    [saying] = await talk.until(CallerSaying)
    assert saying.text == "gdzie jest"
    assert {request.call_id for request in talk.recogniser.requests if not request.final} == {"call/caller"}
    talk.followed = False
    asked = len(talk.recogniser.requests)
    for _ in range(3):
        talk.pass_time(1.3)
        await asyncio.sleep(0.05)
    assert len([request for request in talk.recogniser.requests[asked:] if not request.final]) == 0


async def test_somebody_who_speaks_on_is_told_in_pieces(talk: Talk) -> None:
    talk.begin()
    await talk.activity.streams[0].start()
    await asyncio.sleep(0)
    for _ in range(25):
        talk.pass_time(1.0)
        await asyncio.sleep(0.02)
    said = await talk.until(CallerSaid, 2)
    assert all(one.audio_s <= 12 for one in said)


async def test_nothing_is_heard_on_hold(talk: Talk) -> None:
    talk.begin()
    talk.overhearing.hold()
    assert all(stream.closed for stream in talk.activity.streams)
    before = [stream.position for stream in talk.activity.streams]
    talk.pass_time(1.0)
    assert [stream.position for stream in talk.activity.streams] == before
    talk.overhearing.resume()
    talk.overhearing.resume()
    assert len(talk.activity.streams) == 4
    talk.pass_time(0.1)
    await talk.say(talk.activity.streams[3])
    [said] = await talk.until(AgentSaid)
    assert said.text == "już sprawdzam"


async def test_what_was_being_said_when_the_call_was_held_is_kept(talk: Talk) -> None:
    talk.begin()
    await talk.activity.streams[0].start()
    await asyncio.sleep(0)
    talk.pass_time(1.0)
    talk.overhearing.hold()
    [said] = await talk.until(CallerSaid)
    assert said.audio_s == pytest.approx(1.0)


async def test_a_second_agent_is_told_apart(talk: Talk) -> None:
    talk.begin()
    talk.overhearing.stop_hearing(talk.agent)
    assert talk.activity.streams[1].closed
    second: Member = talk.room.join(talk.rig.leg(name="second"))
    talk.overhearing.hear_agent(second, "jan")
    talk.pass_time(0.1)
    await talk.say(talk.activity.streams[2])
    [said] = await talk.until(AgentSaid)
    assert said.agent == "jan"


async def test_nothing_is_written_down_after_a_refusal(talk: Talk) -> None:
    talk.begin()
    talk.recogniser.delay_s = 0.2
    await talk.say(talk.activity.streams[0])
    await talk.asked(1)
    talk.context.refuse_recording()  # while it is being decoded
    await talk.say(talk.activity.streams[1])
    await talk.overhearing.close()
    assert talk.of(CallerSaid, AgentSaid, CallerSaying, Fault) == []
    assert len(talk.recogniser.requests) == 1


async def test_a_caller_who_refused_before_is_not_heard_at_all(talk: Talk) -> None:
    talk.context.refuse_recording()
    talk.begin()
    assert talk.activity.streams == []


def music(request: RecognitionRequest) -> Transcript:
    """What recognisers make of it."""
    return transcript("eee usługę", request, confidence=0.2)


@pytest.mark.parametrize("talk", [lambda request: "", music], indirect=True)
async def test_what_is_no_speech_is_not_told(talk: Talk) -> None:
    talk.begin()
    await talk.say(talk.activity.streams[0])
    await talk.asked(1)
    await talk.overhearing.close()
    assert talk.of(CallerSaid, Fault) == []


async def test_a_busy_recogniser_is_asked_again_and_nothing_is_lost(talk: Talk) -> None:
    busy = [RecogniserBusy("full"), RecogniserUnavailable("away"), RecogniserBusy("full")]
    talk.answer = lambda request: busy.pop() if busy else by_speaker(request)
    talk.begin()
    await talk.say(talk.activity.streams[0])
    [said] = await talk.until(CallerSaid)
    assert said.text == "gdzie jest moja paczka"
    assert talk.of(Fault) == []


async def test_a_recogniser_that_is_away_is_told_once_and_heard_again(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "KEPT_S", 1.0)
    away = True
    talk.answer = lambda request: RecogniserUnavailable("away") if away else by_speaker(request)
    talk.begin()
    for _ in range(3):
        await talk.say(talk.activity.streams[0])
        await asyncio.sleep(0.35)
    [fault] = await talk.until(Fault)
    assert fault.stage == "transcript"
    away = False
    await talk.say(talk.activity.streams[1])
    await talk.until(AgentSaid)
    assert len(talk.of(Fault)) == 1


async def test_what_waits_is_bounded_and_the_oldest_gives_way(talk: Talk) -> None:
    talk.recogniser.delay_s = 0.5
    talk.begin()
    for _ in range(scribe.WAITING + 3):
        await talk.say(talk.activity.streams[0], 0.5)
        await asyncio.sleep(0.02)
    await talk.until(Fault)
    talk.recogniser.delay_s = 0.0
    await talk.until(CallerSaid, scribe.WAITING)


async def test_the_last_words_are_written_down_before_it_ends(talk: Talk) -> None:
    talk.recogniser.delay_s = 0.1
    talk.begin()
    caller, agent = talk.activity.streams
    for stream in (caller, agent):
        await stream.start()
    await asyncio.sleep(0)
    talk.pass_time(1.0)
    await talk.overhearing.close()
    assert len(talk.of(CallerSaid, AgentSaid)) == 2
    assert caller.closed
    assert agent.closed


async def test_it_does_not_wait_for_last_words_for_ever(talk: Talk) -> None:
    talk.recogniser.delay_s = 5.0
    talk.begin()
    await talk.activity.streams[0].start()
    await asyncio.sleep(0)
    talk.pass_time(1.0)
    async with asyncio.timeout(1.0):
        await talk.overhearing.close(0.1)
    assert [event.stage for event in talk.of(Fault)] == ["transcript"]
    assert talk.recogniser.cancelled == talk.recogniser.requests


async def test_voice_activity_that_fails_is_begun_again(talk: Talk) -> None:
    talk.begin()
    await talk.activity.streams[0].start()
    await asyncio.sleep(0)
    talk.pass_time(1.0)
    talk.activity.streams[0].fail("broken")
    [said] = await talk.until(CallerSaid)
    assert said.text == "gdzie jest moja paczka"
    talk.pass_time(0.1)
    await talk.say(talk.activity.streams[-1])
    await talk.until(CallerSaid, 2)
    for _ in range(3):
        talk.activity.streams[-1].fail("broken")
        await asyncio.sleep(0.01)
    [fault] = talk.of(Fault)
    assert (fault.stage, fault.message) == ("voice activity", "broken")
