"""Ten callers at once who do everything that callers do; what counts is what became of their calls, never when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from asr.recogniser import RecognitionRequest
from tests.integration.call_harness import Line, Phone, ToldStream, ended, line
from voicebot import events
from voicebot.conversation import Conversation
from voicebot.events import Outcome

ORDER = {"shop.order": {"status": "shipped", "status_pl": "w drodze", "status_en": "is on its way"}}
PATIENCE_S = 100.0

# What a caller does, one line each:
#   says TEXT              when the bot has asked; "/" is a pause after which the caller goes on
#   interrupts with TEXT   while the bot speaks
#   mutters TEXT           while the bot speaks, and it goes on; without TEXT a cough
#   coughs                 while the bot listens
#   presses KEYS
#   is asked PART          waits until the bot has said a sentence with PART
WHOLE = "jeden dwa trzy cztery pięć sześć"
CALLERS = {
    "dictates in groups": """
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says jeden dwa / trzy cztery / pięć sześć
        is asked Zgadza się
        says tak""",
    "corrects a digit": """
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says jeden dwa trzy cztery pięć siedem
        is asked Zgadza się
        says nie, nie siedem, sześć
        is asked Zgadza się
        says zgadza się""",
    "interrupts the question": f"""
        says gdzie jest moja paczka
        interrupts with {WHOLE}
        is asked Zgadza się
        says tak""",
    "mutters and coughs": f"""
        coughs
        says gdzie jest moja paczka
        mutters mhm
        is asked sześciocyfrowy
        coughs
        says {WHOLE}
        mutters
        is asked Zgadza się
        coughs
        says tak""",
    "is not understood at first": f"""
        says piękny dzień mamy dzisiaj
        is asked innymi słowami
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says nie wiem co to za numer
        is asked sześciocyfrowy
        says {WHOLE}
        is asked Zgadza się
        says tak""",
    "asks for a moment": f"""
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says chwileczkę
        is asked poczekam
        says {WHOLE}
        is asked Zgadza się
        says tak""",
    "wants it repeated": f"""
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says proszę powtórzyć
        is asked sześciocyfrowy
        says {WHOLE}
        is asked Zgadza się
        says proszę powtórzyć
        is asked Zgadza się
        says tak""",
    "leaves digits out": """
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says jeden dwa trzy
        is asked a słyszę
        says cztery pięć sześć
        is asked Zgadza się
        says tak""",
    "goes over to keys": """
        says gdzie jest moja paczka
        is asked sześciocyfrowy
        says ładna pogoda
        is asked sześciocyfrowy
        presses 123456
        is asked Zgadza się
        presses 1""",
    "does all of it": """
        coughs
        says ładna pogoda
        is asked innymi słowami
        says gdzie / jest moja paczka
        mutters mhm
        is asked sześciocyfrowy
        says chwileczkę
        is asked poczekam
        coughs
        says jeden dwa trzy / cztery pięć siedem
        interrupts with nie, nie siedem, sześć
        is asked Zgadza się
        mutters
        says proszę powtórzyć
        interrupts with tak""",
}  # fmt: skip


@dataclass
class Caller:
    """One call of the line. `heard` is what the recogniser makes of whatever it gets next from this call."""

    bot: Line
    number: int
    heard: str = ""
    seen: int = 0  # events that are done with
    stream: ToldStream = field(init=False)
    phone: Phone = field(init=False)

    @property
    def call_id(self) -> str:
        return f"call-{self.number}"

    async def call(self) -> None:
        self.phone = Phone(self.bot.network, 6000 + self.number)
        await self.phone.start()
        await self.phone.dial()
        while len(self.bot.activity.streams) <= self.number:
            await asyncio.sleep(0.01)
        self.stream = self.bot.activity.streams[self.number]

    async def does(self, deed: str) -> None:
        match deed.split(" ", 1):
            case ["says", text]:
                await self.quiet()
                await self.speak(text)
            case ["interrupts", text]:
                await self.during_speech()
                await self.speak(text.removeprefix("with "))
            case ["mutters", *text]:
                await self.during_speech()
                await self.speak(" ".join(text))
            case ["coughs"]:
                await self.quiet()
                await self.speak("")
            case ["presses", keys]:
                assert self.phone.leg is not None
                await self.phone.leg.send_digits(keys)
            case ["is", asked]:
                await self.said(asked.removeprefix("asked "))
            case _:
                raise ValueError(deed)

    async def speak(self, text: str) -> None:
        pieces = text.split(" / ")
        for count in range(1, len(pieces) + 1):
            self.heard = " ".join(pieces[:count])
            await self.stream.speak(0.3)
            if count < len(pieces):
                await self.stream.until(self.stream.position + 8 * 240)

    async def during_speech(self) -> None:
        """The bot says something that is not over."""
        speaking = self.talk.speaker
        while speaking.silent or not speaking.all_started:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)

    async def quiet(self) -> None:
        """The bot has said what it had to say."""
        while not self.talk.speaker.silent or not self.mine(events.BotSaid):
            await asyncio.sleep(0.01)

    async def said(self, part: str) -> None:
        while True:
            mine = self.mine(events.BotSaid)
            for index in range(self.seen, len(mine)):
                if part in mine[index].text:
                    self.seen = index + 1
                    return
            await asyncio.sleep(0.01)

    def mine(self, event_type: type[events.CallEvent]) -> list[Any]:
        return [event for event in self.bot.events(event_type) if event.call_id == self.call_id]

    @property
    def talk(self) -> Conversation:
        talk = self.bot.live[self.number]._conversation
        assert talk is not None
        return talk


async def talk_to_the_end(caller: Caller, script: str) -> None:
    await caller.call()
    async with asyncio.timeout(PATIENCE_S):
        for deed in filter(None, map(str.strip, script.splitlines())):
            await caller.does(deed)
        await caller.said("jeszcze w czymś pomóc")
        await caller.does("says nie dziękuję")
        assert caller.phone.leg is not None
        await ended(caller.phone.leg)
    await caller.phone.stop()


@pytest.mark.timeout(240)
async def test_ten_long_conversations(tmp_path: Path) -> None:
    async with line(tmp_path) as bot:
        bot.systems.answers = ORDER
        callers = [Caller(bot, number) for number in range(len(CALLERS))]

        def hear(request: RecognitionRequest) -> str:
            return callers[int(request.call_id.removeprefix("call-"))].heard if request.final else ""

        bot.recogniser._script = hear
        async with asyncio.TaskGroup() as talks:
            for caller, (name, script) in zip(callers, CALLERS.items(), strict=True):
                talks.create_task(talk_to_the_end(caller, script), name=name)
                while len(bot.activity.streams) <= caller.number:  # calls and callers are counted alike
                    await asyncio.sleep(0.01)
        await bot.over()
    became = {
        name: (caller.mine(events.CallEnded)[0].outcome, caller.mine(events.Fault))
        for name, caller in zip(CALLERS, callers, strict=True)
    }
    assert became == {name: (Outcome.CONTAINED, []) for name in CALLERS}
    assert [asked.arguments for asked in bot.systems.asked] == [{"number": "123456"}] * len(CALLERS)
    words = {
        name: [said.text for said in caller.mine(events.CallerSaid)]
        for name, caller in zip(CALLERS, callers, strict=True)
    }
    assert words["dictates in groups"][1] == WHOLE, "one turn, whatever the pauses"
    assert "mhm" not in words["mutters and coughs"]
    assert "" not in [text for texts in words.values() for text in texts]
