"""Agents at desk phones dial the service number: who they are, and what they want, by keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from telephony.leg import Leg
from tests.integration.call_harness import PATIENCE_S, Line, Phone, ended, line
from voicebot.access import Access, Author, NewUser
from voicebot.errors import NotPossible
from voicebot.people.service_number import ServiceNumber

PIN = "4071"


class Told:
    """Stands for the agents at the desk."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.busy = False

    async def set_available_by_phone(self, login: str) -> None:
        if self.busy:
            raise NotPossible("That cannot be changed during a call.")
        self.states.append((login, "available"))

    async def set_on_break(self, login: str, reason: str) -> None:
        self.states.append((login, reason))

    async def set_offline(self, login: str) -> None:
        self.states.append((login, "offline"))


@asynccontextmanager
async def calling(tmp_path: Path, caller: str = "anna") -> AsyncIterator[tuple[Line, Told, Leg]]:
    """A phone that has dialled the service number."""
    access, told = Access(tmp_path / "data"), Told()
    access.start()
    new = NewUser("anna", "Anna", "zielony rower pije herbatę", ["agent"], phone="sip:anna@127.0.0.1:6000", pin=PIN)
    await access.add_user(new, Author("root"))
    async with line(tmp_path) as bot:
        service = ServiceNumber(bot.services, access, told)
        calls: list[asyncio.Task[None]] = []
        bot.endpoint.on_incoming(lambda leg: calls.append(asyncio.create_task(service.serve(leg))))
        phone = Phone(bot.network, 6000)
        await phone.start()
        leg = await phone.dial("80", caller)
        yield bot, told, leg
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*calls)
        await phone.stop()
    await access.close()
    assert not bot.told  # nothing of it is a call in the records


async def heard(bot: Line, part: str, count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while sum(part in request.text for request in bot.voice.requests) < count:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("key", "state", "said"), [("1", "available", "kierowane"), ("2", "break", "Przerwa."), ("0", "offline", "Koniec")]
)
async def test_a_key_changes_the_state(tmp_path: Path, key: str, state: str, said: str) -> None:
    async with calling(tmp_path) as (bot, told, leg):
        await heard(bot, "Proszę podać")
        await leg.send_digits(f"{PIN}#")
        await heard(bot, "Aby odbierać")
        await leg.send_digits(key)
        await heard(bot, said)
        await ended(leg)
    assert told.states == [("anna", state)]


async def test_a_wrong_pin_is_told_and_has_three_tries(tmp_path: Path) -> None:
    async with calling(tmp_path) as (bot, told, leg):
        for count in (1, 2):
            await leg.send_digits("9999#")
            await heard(bot, "nie jest właściwy", count)
        await leg.send_digits("9999#")
        await heard(bot, "Za dużo prób")
        await ended(leg)
    assert told.states == []


async def test_an_unknown_phone_is_told_so(tmp_path: Path) -> None:
    async with calling(tmp_path, "+48600100200") as (bot, told, leg):
        await heard(bot, "nie jest przypisany")
        await ended(leg)
    assert told.states == []


async def test_a_key_that_means_nothing_is_asked_again_and_a_refusal_is_told(tmp_path: Path) -> None:
    async with calling(tmp_path) as (bot, told, leg):
        told.busy = True
        await leg.send_digits(f"{PIN}#")
        await heard(bot, "Aby odbierać")
        await leg.send_digits("7")
        await heard(bot, "Aby odbierać", 2)
        await leg.send_digits("1")
        await heard(bot, "Teraz nie można")
        await ended(leg)
    assert told.states == []


async def test_a_phone_may_hang_up_at_any_moment(tmp_path: Path) -> None:
    async with calling(tmp_path) as (bot, told, leg):
        await heard(bot, "Proszę podać")
        await leg.send_digits("40")
        await leg.hang_up()
    assert told.states == []
