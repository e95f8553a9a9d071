"""Calls in which a Pipecat service hears and speaks, then hangs, then fails: the caller is served throughout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from telephony.leg import EndCause
from tests.integration.call_harness import Line, Phone, ended, line
from voicebot import events
from voicebot.config import HearingService, SpeakingService
from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
from voicebot.engines.testing import ContextVoice, FakeVendor, SegmentEars, StreamEars, WholeVoice
from voicebot.events import Outcome

ORDER = {"shop.order": {"status": "shipped", "status_pl": "w drodze", "status_en": "is on its way"}}


@pytest.fixture
def vendors() -> tuple[FakeVendor, FakeVendor]:
    """Of hearing, and of speech."""
    return FakeVendor(), FakeVendor(character_s=0.02)


@pytest.fixture(params=[(SegmentEars, WholeVoice), (StreamEars, ContextVoice)], ids=["http", "streaming"])
async def bot(
    request: pytest.FixtureRequest, vendors: tuple[FakeVendor, FakeVendor], tmp_path: Path
) -> AsyncIterator[Line]:
    kinds = [f"{kind.__module__}.{kind.__name__}" for kind in request.param]
    settings: list[dict[str, Any]] = [
        {"class": kind, "arguments": {"vendor": vendor}, "slow_s": 1.0}
        for kind, vendor in zip(kinds, vendors, strict=True)
    ]
    hearing = ConfiguredHearing(HearingService.model_validate(settings[0]))
    speaking = ConfiguredVoice(SpeakingService.model_validate(settings[1]), tmp_path / "prompts")
    async with line(tmp_path, hearing=hearing, speaking=speaking) as ready:
        ready.systems.answers = ORDER
        yield ready
    await hearing.close()
    await speaking.close()
    assert not vendors[0].open
    assert not vendors[1].open


async def asked(bot: Line, part: str) -> None:
    """The bot has said something with `part` in it."""
    seen = 0
    while True:
        seen += 1
        said = await bot.until(events.BotSaid, seen)
        if part in said.text:
            return


def whys(bot: Line, part: str) -> list[str]:
    """Why ours stood in, in order."""
    return [event.why for event in bot.events(events.StoodIn) if event.part == part]


async def test_a_caller_is_served_while_the_services_come_and_go(
    bot: Line, vendors: tuple[FakeVendor, FakeVendor]
) -> None:
    ears, voice = vendors
    phone = Phone(bot.network, 6000)
    await phone.start()
    leg = await phone.dial()
    await asked(bot, "W czym mogę pomóc")

    ears.text_of = lambda audio: "gdzie jest moja paczka"  # they work
    await bot.stream.speak(0.4)
    await asked(bot, "sześciocyfrowy")

    ears.hangs = voice.hangs = True
    await bot.say("jeden dwa trzy cztery pięć sześć")
    await asked(bot, "Zgadza się")

    ears.hangs = voice.hangs = False
    ears.error = voice.error = "no credit"
    await bot.say("tak")
    await asked(bot, "jeszcze w czymś pomóc")

    ears.error = voice.error = ""
    ears.text_of = lambda audio: "nie dziękuję"
    await bot.stream.speak(0.4)
    assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
    await bot.over()
    await phone.stop()

    (end,) = bot.events(events.CallEnded)
    assert end.outcome is Outcome.CONTAINED
    heard = [event.text for event in bot.events(events.CallerSaid)]
    assert heard == ["gdzie jest moja paczka", "jeden dwa trzy cztery pięć sześć", "tak", "nie dziękuję"]
    assert whys(bot, "recognition") == ["slow", "failed"]
    assert {"slow", "failed"} <= set(whys(bot, "speech"))
    assert bot.events(events.Fault) == []


async def test_a_service_that_never_works_leaves_the_call_to_ours(
    bot: Line, vendors: tuple[FakeVendor, FakeVendor]
) -> None:
    for vendor in vendors:
        vendor.error = "no credit"
    phone = Phone(bot.network, 6000)
    await phone.start()
    leg = await phone.dial()
    await asked(bot, "W czym mogę pomóc")
    for text, answer in (
        ("gdzie jest moja paczka", "sześciocyfrowy"),
        ("jeden dwa trzy cztery pięć sześć", "Zgadza się"),
        ("tak", "jeszcze w czymś pomóc"),
    ):
        await bot.say(text)
        await asked(bot, answer)
    await leg.hang_up()
    await bot.over()
    await phone.stop()
    assert whys(bot, "speech") == ["failed", "failed", "failed", "left_alone"]
