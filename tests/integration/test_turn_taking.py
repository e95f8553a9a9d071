"""Who speaks when, in a call: interruptions, mere sounds of attention, words that come while they are spoken."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asr.recogniser import RecognitionRequest
from flows import TurnContext, Understood
from tests.integration.call_harness import SHOP, Line, Phone, ended, line
from voicebot import events

ASK = "W czym mogę pomóc?"
LONG_ASK = "Mogę sprawdzić, gdzie jest zamówienie, połączyć z konsultantem albo oddzwonić. " * 3 + ASK


@pytest.fixture
async def called(tmp_path: Path) -> AsyncIterator[tuple[Line, Phone]]:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    written = (folder / "bot.yaml").read_text(encoding="utf-8")
    (folder / "bot.yaml").write_text(written.replace(ASK, LONG_ASK), encoding="utf-8")
    async with line(tmp_path / "data", folder=folder) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        await phone.dial()
        yield bot, phone
        assert phone.leg is not None
        await phone.leg.hang_up()
        await ended(phone.leg)
        await bot.over()
        await phone.stop()


async def bot_speaks(bot: Line) -> None:
    """The bot is in the middle of a sentence that may be interrupted: the last of the greeting."""
    await bot.until(events.BotSaid, step="greeting/recording")
    await asyncio.sleep(0.3)


async def test_words_into_the_bots_speech_stop_it(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot_speaks(bot)
    await bot.say("gdzie jest moja paczka")
    said = await bot.until(events.BotSaid, step="greeting/ask")
    assert said.interrupted
    assert said.text.startswith(said.heard_text)
    assert said.text != said.heard_text
    decision = await bot.until(events.Decision, kind="turn_taking")
    assert decision.data == {"move": "interruption", "reason": "words"}
    missed = await bot.until(events.Decision, kind="interrupted")
    assert missed.data["missed"], "the flow knows what was not heard"
    assert said.text.endswith(missed.data["missed"])
    assert (await bot.until(events.CallerSaid)).text == "gdzie jest moja paczka"


@pytest.mark.parametrize(("heard", "reason"), [("mhm", "listening"), ("", "no words")])
async def test_after_a_mhm_or_a_cough_the_bot_goes_on(called: tuple[Line, Phone], heard: str, reason: str) -> None:
    bot, _ = called
    await bot_speaks(bot)
    await bot.say(heard)
    decision = await bot.until(events.Decision, kind="turn_taking")
    assert decision.data == {"move": "no_interruption", "reason": reason}
    said = await bot.until(events.BotSaid, step="greeting/ask")
    assert not said.interrupted
    assert bot.events(events.CallerSaid) == []


async def test_the_end_of_a_turn_says_why(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    await bot.say("gdzie jest moja paczka")
    decision = await bot.until(events.Decision, kind="turn_taking")
    assert (decision.data["move"], decision.data["reason"]) == ("end_of_turn", "complete")
    assert decision.data["pause_ms"] >= 350


async def test_words_are_seen_while_they_are_spoken(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")

    def by_length(request: RecognitionRequest) -> str:
        """Two words a second, as far as they have come."""
        return " ".join("gdzie jest moja paczka proszę pani".split()[: int(2 * request.seconds)])

    bot.recogniser._script = by_length
    await bot.stream.speak(2.5)
    said = await bot.until(events.CallerSaid)
    partial = [event.text for event in bot.events(events.CallerSaying)]
    assert partial
    assert all(said.text.startswith(text) for text in partial)
    assert partial == sorted(partial, key=len)
    requests = [request.final for request in bot.recogniser.requests]
    assert requests.count(True) == 1
    assert requests.count(False) >= 2


async def test_the_bot_is_not_held_for_ever_while_recognition_is_slow(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot_speaks(bot)
    bot.recogniser.delay_s = 4.0
    await bot.say("gdzie jest moja paczka")
    decision = await bot.until(events.Decision, kind="turn_taking")
    assert decision.data == {"move": "no_interruption", "reason": "not recognised in time"}
    bot.recogniser.delay_s = 0.0
    assert not (await bot.until(events.BotSaid, step="greeting/ask")).interrupted


async def test_who_waits_for_slow_recognition_hears_that_it_takes_a_moment(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    bot.recogniser.delay_s = 7.0
    await bot.say("gdzie jest moja paczka")
    moment = await bot.until(events.BotSaid, step="phrases/one_moment")
    assert not moment.interrupted
    assert bot.events(events.CallerSaid) == [], "it was said before the words were known"
    (fault,) = bot.events(events.Fault)
    assert fault.stage == "recognition"
    assert "sześciocyfrowy" in (await bot.until(events.BotSaid, step="order_status/order_number/ask")).text


async def test_who_waits_for_a_slow_dialog_hears_that_it_takes_a_moment(
    called: tuple[Line, Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    understand = bot.bot.understanding.understand

    async def slowly(text: str, context: TurnContext) -> Understood:
        await asyncio.sleep(4.0)
        return await understand(text, context)

    monkeypatch.setattr(bot.bot.understanding, "understand", slowly)
    await bot.say("gdzie jest moja paczka")
    await bot.until(events.BotSaid, step="phrases/one_moment")
    assert "sześciocyfrowy" in (await bot.until(events.BotSaid, step="order_status/order_number/ask")).text


async def test_who_gets_no_answer_at_all_gets_a_person(
    called: tuple[Line, Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    monkeypatch.setattr("voicebot.reply_watch.LOST_S", 3.0)
    bot.recogniser.delay_s = 60.0
    await bot.say("gdzie jest moja paczka")
    await bot.until(events.BotSaid, step="phrases/one_moment")
    await bot.until(events.HandoffStarted, reason="fault")
    assert [fault.stage for fault in bot.events(events.Fault)] == ["recognition", "pipeline"]


async def test_a_deaf_ear_is_replaced_and_the_caller_asked_again(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    bot.stream.fail("it hung")
    asked_again = await bot.until(events.BotSaid, step="phrases/no_input")
    assert not asked_again.interrupted
    (fault,) = bot.events(events.Fault)
    assert (fault.stage, fault.message) == ("voice activity", "it hung")
    assert len(bot.activity.streams) == 2
    await bot.say("gdzie jest moja paczka")
    assert "sześciocyfrowy" in (await bot.until(events.BotSaid, step="order_status/order_number/ask")).text


async def test_what_was_being_said_into_an_ear_that_failed_is_not_lost(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    bot.recogniser.add("gdzie jest moja paczka")
    await bot.stream.start()
    await bot.stream.until(bot.stream.position + 8000)
    bot.stream.fail("it hung")
    assert (await bot.until(events.CallerSaid)).text == "gdzie jest moja paczka"


async def test_an_ear_that_fails_again_and_again_gives_the_call_to_people(called: tuple[Line, Phone]) -> None:
    bot, _ = called
    await bot.until(events.BotSaid, step="greeting/ask")
    for count in range(4):
        bot.stream.fail("it hung")
        await bot.until(events.Fault, count + 1)
    await bot.until(events.HandoffStarted, reason="fault")
