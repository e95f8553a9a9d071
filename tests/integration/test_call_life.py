"""The life of a call, whatever caller, agents and parts do; each ends with a clear outcome and nothing left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import flows
from asr.errors import RecogniserUnavailable
from telephony.leg import EndCause, Leg
from tests.integration.call_harness import SHOP, Line, Phone, ended, line
from tts.text import spoken
from voicebot import events
from voicebot.conversation import Conversation
from voicebot.events import Outcome
from voicebot.people_settings import AgentSettings

ORDER = {"shop.order": {"status": "shipped", "status_pl": "w drodze", "status_en": "is on its way"}}
ANNA = AgentSettings(name="Anna", uri="sip:anna@127.0.0.1:6001")
EWA = AgentSettings(name="Ewa", uri="sip:ewa@127.0.0.1:6002")


async def greeted(bot: Line) -> None:
    """The bot has asked what it can do."""
    await bot.until(events.BotSaid, step="greeting/ask")


async def test_an_order_is_served_to_the_end(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        phone = Phone(bot.network, 6000)
        await phone.start()
        leg = await phone.dial()
        await greeted(bot)
        await bot.say("gdzie jest moja paczka")
        await said(bot, "sześciocyfrowy")
        await bot.say("jeden dwa trzy cztery pięć sześć")
        await said(bot, "Zgadza się")
        await bot.say("tak")
        await said(bot, "jeszcze w czymś pomóc")
        await bot.say("nie dziękuję")
        assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
        await bot.over()
        await phone.stop()
    (end,) = bot.events(events.CallEnded)
    assert end.outcome is Outcome.CONTAINED
    assert bot.events(events.CallerSaid)[0].text == "gdzie jest moja paczka"
    assert bot.systems.asked[0].arguments == {"number": "123456"}
    folder = tmp_path / "calls" / "call-0"
    transcript = json.loads((folder / "transcript.json").read_text(encoding="utf-8"))
    assert transcript["outcome"] == "contained"
    assert (folder / "recording.wav").stat().st_size > 16_000
    assert bot.stream.closed


async def test_a_call_that_the_stack_breaks_off_is_lost(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        await phone.dial()
        await greeted(bot)
        bot.endpoint.die()
        await bot.over()
        await phone.stop()
    (end,) = bot.events(events.CallEnded)
    assert (end.outcome, end.cause) == (Outcome.LOST, "endpoint_dead")


async def said(bot: Line, part: str, count: int = 1) -> events.BotSaid:
    """The bot has said (to its end) a sentence with `part` in it."""
    async with asyncio.timeout(30):
        while True:
            found = [event for event in bot.events(events.BotSaid) if part in event.text and not event.interrupted]
            if len(found) >= count:
                return found[count - 1]
            await asyncio.sleep(0.01)


@asynccontextmanager
async def caller_and_anna(tmp_path: Path) -> AsyncIterator[tuple[Line, Leg, Phone]]:
    """The bot in a call, the caller's leg, and an agent who takes what she is offered; all is over at the end."""
    async with line(tmp_path, (ANNA,)) as bot:
        phone, anna = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await phone.start()
        await anna.start()
        anna.answers("1")
        caller = await phone.dial()
        await greeted(bot)
        yield bot, caller, anna
        await bot.over()
        await phone.stop()
        await anna.stop()


async def test_a_caller_who_asks_for_a_person_reaches_the_agent(tmp_path: Path) -> None:
    async with caller_and_anna(tmp_path) as (bot, caller, anna):
        await bot.say("gdzie jest moja paczka")
        await said(bot, "sześciocyfrowy")
        await bot.say("chcę rozmawiać z człowiekiem")
        await bot.until(events.AgentJoined)
        assert anna.leg is not None
        told = anna.leg.headers
        assert (told["X-Voicebot-Call"], told["X-Voicebot-Reason"]) == ("call-0", "caller_asked")
        assert "gdzie jest zam" in told["X-Voicebot-Summary"]
        await both_hear(caller, anna.leg)
        await anna.leg.hang_up()
        assert (await ended(caller)).cause is EndCause.REMOTE_HANGUP
    (end,) = bot.events(events.CallEnded)
    assert end.outcome is Outcome.HANDED_OFF
    summary = json.loads((tmp_path / "calls" / "call-0" / "summary.json").read_text(encoding="utf-8"))
    assert "konsultant" in json.dumps(summary, ensure_ascii=False).lower() or summary["why_stopped"]


async def test_who_changes_the_language_is_given_to_people_in_it(tmp_path: Path) -> None:
    async with caller_and_anna(tmp_path) as (bot, _, anna):
        await bot.say("do you speak english please")
        await said(bot, "How can I help")
        await bot.say("a person please")
        await bot.until(events.AgentJoined)
        assert anna.leg is not None
        await anna.leg.hang_up()
    summary = json.loads((tmp_path / "calls" / "call-0" / "summary.json").read_text(encoding="utf-8"))
    assert summary["language"] == "en"


async def both_hear(one: Any, other: Any) -> None:
    """A tone spoken by each arrives at the other."""
    tone = b"\x00\x20\x00\xe0" * 80
    for speaker, hearer in ((one, other), (other, one)):
        hearer.read(100_000)
        async with asyncio.timeout(10):
            while True:
                speaker.write(tone)
                await asyncio.sleep(0.02)
                if any(hearer.read(160)[1::2]):
                    break


@pytest.mark.parametrize("keys", ["2", ""], ids=["declines", "presses nothing"])
async def test_an_agent_who_does_not_take_it_is_followed_by_the_next(tmp_path: Path, keys: str) -> None:
    async with line(tmp_path, (ANNA, EWA)) as bot:
        phone, anna, ewa = (Phone(bot.network, port) for port in (6000, 6001, 6002))
        for one in (phone, anna, ewa):
            await one.start()
        anna.answers(keys)
        ewa.answers("1")
        caller = await phone.dial()
        await greeted(bot)
        await caller.send_digits("0")
        await bot.until(events.AgentJoined, uri=EWA.uri)
        await caller.hang_up()
        await bot.over()
        for one in (phone, anna, ewa):
            await one.stop()
    (refused,) = bot.events(events.AgentRefused)
    assert (refused.uri, refused.cause) == (ANNA.uri, "declined" if keys else "no_decision")
    assert bot.events(events.CallEnded)[0].outcome is Outcome.HANDED_OFF


async def test_when_nobody_answers_a_callback_is_promised(tmp_path: Path) -> None:
    async with line(tmp_path, (ANNA,)) as bot:  # Anna's phone is switched off
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        await caller.send_digits("0")
        await bot.until(events.AgentRefused, cause="unreachable")
        await bot.until(events.BotSaid, step="phrases/callback_confirm")
        await bot.say("tak")
        await ended(caller)
        await bot.over()
        await phone.stop()
    assert bot.events(events.CallbackPromised)[0].number == "+48600100200"
    assert bot.events(events.CallEnded)[0].outcome is Outcome.CALLBACK_PROMISED


async def test_a_caller_who_refuses_recording_is_not_recorded(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        await bot.say("nie zgadzam się na nagrywanie")
        await bot.until(events.RecordingStopped)
        await caller.hang_up()
        await bot.over()
        await phone.stop()
    folder = tmp_path / "calls" / "call-0"
    assert not folder.exists() or list(folder.iterdir()) == []


async def test_a_caller_who_says_nothing_gets_a_person(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await bot.until(events.HandoffStarted, reason="no_input")
        await caller.hang_up()
        await bot.over()
        await phone.stop()


async def test_recognition_that_is_down_leaves_the_keys(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        bot.recogniser.add(RecogniserUnavailable("The recogniser does not answer."))
        await bot.stream.speak(0.4)
        await bot.until(events.BotSaid, step="phrases/recognition_down")
        await caller.hang_up()
        await bot.over()
        await phone.stop()


async def test_speech_that_is_down_gives_the_caller_to_people(tmp_path: Path) -> None:
    async with line(tmp_path, (ANNA,)) as bot:
        phone, anna = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await phone.start()
        await anna.start()
        anna.answers("1")
        caller = await phone.dial()
        await greeted(bot)
        bot.voice.available = False
        await bot.say("gdzie jest moja paczka")
        await bot.until(events.Fault)
        await bot.until(events.AgentJoined)
        await caller.hang_up()
        await bot.over()
        await phone.stop()
        await anna.stop()
    assert bot.events(events.CallEnded)[0].outcome is Outcome.HANDED_OFF


async def test_speech_that_is_down_with_nobody_there_ends_in_a_promise(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        bot.voice.available = False
        await bot.say("gdzie jest moja paczka")
        await ended(caller)
        await bot.over()
        await phone.stop()
    (handoff,) = bot.events(events.HandoffStarted)
    assert handoff.reason == "fault"
    assert bot.events(events.CallEnded)[0].outcome is Outcome.CALLBACK_PROMISED


async def test_the_sentence_of_a_fault_is_heard_though_more_cannot_be_said(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        fault = flows.load_bot(SHOP).phrases["pl"]["handoff_fault"][0]
        request = bot.bot.speech(spoken((fault,), "pl"), "pl", 8000)
        await bot.services.prompts.fill([request])
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        bot.voice.available = False
        await caller.send_digits("9")  # two sentences are the answer
        await bot.until(events.BotSaid, step="phrases/handoff_fault", interrupted=False)
        await caller.hang_up()
        await bot.over()
        await phone.stop()


@pytest.mark.parametrize("broken", [flows.Faulted, flows.HandoffFailed])
async def test_a_flow_that_breaks_over_a_fault_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: type[Any]
) -> None:
    monkeypatch.setattr("voicebot.conversation.WAY_OUT_S", 1.0)
    happened = Conversation.happened

    def break_off(self: Conversation, event: Any) -> Any:
        if isinstance(event, flows.Keys | broken):
            raise RuntimeError("a bug of the flow engine")
        return happened(self, event)

    monkeypatch.setattr(Conversation, "happened", break_off)
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        await caller.send_digits("9")
        await ended(caller)
        await bot.over()
        await phone.stop()
    assert bot.events(events.HandoffStarted)[0].reason == "fault"
    assert bot.events(events.CallEnded)[0].outcome is Outcome.FAILED


async def decided(bot: Line, kind: str) -> None:
    async with asyncio.timeout(10):
        while kind not in [event.kind for event in bot.events(events.Decision)]:
            await asyncio.sleep(0.01)


async def test_the_hash_after_a_whole_entry_is_no_answer(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        await bot.say("gdzie jest moja paczka")
        await said(bot, "sześciocyfrowy")
        await caller.send_digits("123456#")
        await said(bot, "Zgadza się")
        await caller.send_digits("1")
        await decided(bot, "confirmed")
        await caller.hang_up()
        await bot.over()
        await phone.stop()
    assert "no_match" not in [event.kind for event in bot.events(events.Decision)]


async def test_keys_of_an_entry_do_not_answer_the_next_question(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        await bot.say("gdzie jest moja paczka")
        await said(bot, "sześciocyfrowy")
        bot.recogniser.add("jeden dwa trzy cztery pięć sześć")
        await bot.stream.start()
        await caller.send_digits("12")
        await bot.stream.speak(0.4)
        await decided(bot, "slot_set")
        await caller.send_digits("1")
        await decided(bot, "confirmed")
        await caller.hang_up()
        await bot.over()
        await phone.stop()
    assert [event.keys for event in bot.events(events.KeysPressed)] == ["1"]


async def test_words_into_the_farewell_do_not_cut_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        happened = Conversation.happened

        def farewell(self: Conversation, event: Any) -> Any:
            if not isinstance(event, flows.Keys):
                return happened(self, event)
            said = ("To wszystko, co wiem o tym zamówieniu, i więcej nie powiem.", "Do widzenia.")
            return (*(flows.Say((text,), "pl", True, "farewell") for text in said), flows.HangUp("contained"))

        monkeypatch.setattr(Conversation, "happened", farewell)
        await caller.send_digits("9")
        async with asyncio.timeout(10):
            while "To wszystko" not in bot.voice.requests[-1].text and "widzenia" not in bot.voice.requests[-1].text:
                await asyncio.sleep(0.01)
        await bot.say("chcę rozmawiać z człowiekiem")
        await bot.over()
        await phone.stop()
    assert [event.interrupted for event in bot.events(events.BotSaid) if event.step == "farewell"] == [False, False]


Moment = Callable[[Line, Any], Awaitable[None]]


async def at_once(bot: Line, caller: Any) -> None:
    return None


async def in_the_greeting(bot: Line, caller: Any) -> None:
    await bot.until(events.BotSaid)


async def while_speaking(bot: Line, caller: Any) -> None:
    await greeted(bot)
    await bot.stream.start()


async def while_recognising(bot: Line, caller: Any) -> None:
    await greeted(bot)
    bot.recogniser.delay_s = 20.0
    await bot.stream.speak(0.3)


async def while_a_system_is_asked(bot: Line, caller: Any) -> None:
    async def hang(action: Any) -> Any:
        bot.systems.asked.append(action)
        await asyncio.sleep(60)

    bot.systems.call = hang  # type: ignore[method-assign]
    await greeted(bot)
    await bot.say("gdzie jest moja paczka")
    await said(bot, "sześciocyfrowy")
    await bot.say("jeden dwa trzy cztery pięć sześć")
    await said(bot, "Zgadza się")
    await bot.say("tak")
    async with asyncio.timeout(20):
        while not bot.systems.asked:
            await asyncio.sleep(0.01)


async def while_the_agent_is_rung(bot: Line, caller: Any) -> None:
    await greeted(bot)
    await caller.send_digits("0")
    await bot.until(events.AgentCalled)


async def while_the_agent_is_briefed(bot: Line, caller: Any) -> None:
    await while_the_agent_is_rung(bot, caller)
    await bot.until(events.AgentAnswered)


@pytest.mark.parametrize(
    "moment",
    [
        at_once,
        in_the_greeting,
        while_speaking,
        while_recognising,
        while_a_system_is_asked,
        while_the_agent_is_rung,
        while_the_agent_is_briefed,
    ],
)
@pytest.mark.parametrize("how", ["hangs up", "network gone"])
async def test_a_caller_may_leave_at_any_moment(tmp_path: Path, moment: Moment, how: str) -> None:
    async with line(tmp_path, (ANNA,)) as bot:
        phone, anna = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await phone.start()
        await anna.start()
        anna.answers("", delay_s=0.2)
        caller = await phone.dial()
        await moment(bot, caller)
        if how == "hangs up":
            await caller.hang_up()
        else:
            (leg,) = [leg for leg in bot.endpoint.legs if leg.direction == "inbound"]
            leg.drop_rtp()  # type: ignore[attr-defined]
        await bot.over()
        await phone.stop()
        await anna.stop()
        assert bot.endpoint.legs == (), "no agent is left ringing or talking to nobody"
    (end,) = bot.events(events.CallEnded)
    assert end.outcome is Outcome.ABANDONED
    assert end.cause == ("remote_hangup" if how == "hangs up" else "media_timeout")


async def test_a_caller_of_whom_nothing_is_heard_is_told_so_and_served_when_the_sound_comes(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        (leg,) = [leg for leg in bot.endpoint.legs if leg.direction == "inbound"]
        leg.lose_sound(ever=False)  # type: ignore[attr-defined]
        told = await bot.until(events.BotSaid, step="phrases/not_heard")
        assert "Nie dociera do mnie dźwięk" in told.text
        leg.regain_sound(8.0)  # type: ignore[attr-defined]
        caller.write(b"\x01\x02" * 8000)
        await bot.say("gdzie jest moja paczka")
        await said(bot, "sześciocyfrowy")
        await caller.hang_up()
        await bot.over()
        await phone.stop()
    assert [event.ever for event in bot.events(events.CallerUnheard)] == [False]
    assert [event.after_s for event in bot.events(events.CallerHeardAgain)] == [8.0]
    (measured,) = bot.events(events.LineMeasured)
    assert (measured.codec, measured.packets) == ("pcma", 50)
    assert 1 < measured.mos < 4.5


async def test_two_calls_at_once_do_not_mix(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        first, second = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await first.start()
        await second.start()
        one, two = await first.dial(), await second.dial()
        await bot.until(events.BotSaid, 2, step="greeting/ask")
        await one.send_digits("0")
        await bot.until(events.HandoffStarted, call_id="call-0")
        assert [event.call_id for event in bot.events(events.KeysPressed)] == ["call-0"]
        await two.hang_up()
        await one.hang_up()
        await bot.over()
        await first.stop()
        await second.stop()
    assert {event.call_id for event in bot.events(events.CallEnded)} == {"call-0", "call-1"}


async def test_an_answer_that_meets_an_interruption_leaves_the_bot_able_to_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller interrupts in the moment in which the next answer is announced."""
    happened = Conversation.happened

    def meet(self: Conversation, event: Any) -> Any:
        if isinstance(event, flows.Keys):
            self.speaker.interrupt()
        return happened(self, event)

    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        monkeypatch.setattr(Conversation, "happened", meet)
        bot.voice.sentence_delay_s = 0.2
        await caller.send_digits("9")
        await bot.until(events.BotSaid, step="phrases/no_match", interrupted=True)
        await bot.until(events.BotSaid, step="phrases/no_input", interrupted=False)
        await caller.hang_up()
        await bot.over()
        await phone.stop()


async def test_who_presses_keys_does_not_wait_for_words(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        await greeted(bot)
        bot.recogniser.delay_s = 20.0
        await bot.stream.speak(0.3)
        await bot.stream.until(bot.stream.position + 12_000)  # the turn has ended and its words are awaited
        async with asyncio.timeout(5):
            await caller.send_digits("0")
            await bot.until(events.HandoffStarted, reason="caller_asked")
        await caller.hang_up()
        await bot.over()
        await phone.stop()
    assert bot.events(events.CallerSaid) == []
    assert bot.events(events.Fault) == []


async def test_a_talk_without_end_is_ended(tmp_path: Path) -> None:
    async with line(tmp_path, longest_call_s=10.5) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        caller = await phone.dial()
        assert (await ended(caller)).cause is EndCause.REMOTE_HANGUP
        await bot.over()
        await phone.stop()
    assert bot.events(events.CallEnded)[0].cause == "too_long"
