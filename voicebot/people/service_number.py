"""The number that agents at desk phones dial: their PIN, then a key for taking calls, a break, or going home."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Protocol

from telephony.errors import TelephonyError
from telephony.leg import Digit, Ended, Leg
from telephony.room import Room
from telephony.sip_names import parse_uri
from voicebot.access import Access, User
from voicebot.access.errors import SignInFailed, TooManyTries
from voicebot.announce import announce
from voicebot.errors import NotPossible
from voicebot.parts import Services, Voice
from voicebot.people import texts
from voicebot.people.phones import hang_up

log = logging.getLogger(__name__)

TRIES = 3
PIN_S = 20.0  # from the end of the question to the last key
CHOICE_S = 10.0
LONGEST_S = 180.0
_LONGEST_PIN = 12
_KEYS_AHEAD = 32  # pressed and not looked at yet; more are dropped, nobody presses that many for a PIN
_STATES = {"1": "available", "2": "break", "0": "offline"}


class AgentsAtPhones(Protocol):
    """What is done for them. Each raises NotPossible."""

    async def set_available_by_phone(self, login: str) -> None: ...
    async def set_on_break(self, login: str, reason: str) -> None: ...
    async def set_offline(self, login: str) -> None: ...


class _Gone(Exception):
    """The phone has hung up."""


class ServiceNumber:
    """`serve` each call to it. These calls are in no record: they are the house's own."""

    def __init__(self, services: Services, access: Access, agents: AgentsAtPhones) -> None:
        self._services = services
        self._access = access
        self._agents = agents

    async def serve(self, leg: Leg) -> None:
        """From the first ring to the end; trouble is logged."""
        try:
            await leg.answer()
            async with asyncio.timeout(LONGEST_S):
                user = await self._user(leg)
                language = user.language if user is not None else self._services.config.numbers[0].language
                async with _talking(self._services, leg, language) as talk:
                    await self._serve(talk, user, leg)
        except _Gone:
            pass
        except TimeoutError:
            log.info("a call to the service number took too long")
        except TelephonyError as error:
            log.info("a call to the service number was not answered: %s", error)
        finally:
            await asyncio.shield(hang_up(leg))

    async def _user(self, leg: Leg) -> User | None:
        """Whose phone it is: the one with that SIP URI, else the only one with that number."""
        agents = [user for user in await self._access.users() if user.phone and not user.disabled]
        agents = [user for user in agents if "agent" in user.powers]
        exact = [user for user in agents if _address(user.phone) == _address(leg.remote)]
        named = [user for user in agents if leg.remote_number and _address(user.phone)[0] == leg.remote_number]
        found = exact or named
        return found[0] if len(found) == 1 else None

    async def _serve(self, talk: _Talk, user: User | None, leg: Leg) -> None:
        if user is None:
            log.warning("nobody's phone called the service number: %s", leg.remote)
            await talk.say("service_unknown")
            return
        if not await self._is_known(talk, user, _address(leg.remote)[1]):
            return
        for _ in range(TRIES):
            state = _STATES.get(await talk.ask("service_menu", CHOICE_S, longest=1))
            if state is not None:
                await talk.say(await self._change(user, state))
                return
        await talk.say("service_nothing")

    async def _is_known(self, talk: _Talk, user: User, address: str) -> bool:
        """By the PIN; what is wrong is told."""
        question = "service_pin"
        for _ in range(TRIES):
            pin = await talk.ask(question, PIN_S, longest=_LONGEST_PIN)
            try:
                await self._access.check_pin(user.login, pin, address)
            except SignInFailed:
                question = "service_wrong_pin"
                continue
            except TooManyTries:
                await talk.say("service_too_many")
                return False
            return True
        await talk.say("service_too_many")
        return False

    async def _change(self, user: User, state: str) -> str:
        """What is to be said of it."""
        try:
            if state == "available":
                await self._agents.set_available_by_phone(user.login)
            elif state == "break":
                await self._agents.set_on_break(user.login, self._services.config.people.break_reasons[0])
            else:
                await self._agents.set_offline(user.login)
        except NotPossible as error:
            log.info("the service number could not do what %s wanted: %s", user.login, error)
            return "service_not_now"
        return f"service_{state}"


class _Talk:
    """With one phone. Keys cut off what is said. Raises _Gone."""

    def __init__(self, room: Room, voice: Voice, language: str) -> None:
        self._room = room
        self._voice = voice
        self._language = language
        self._keys: asyncio.Queue[str] = asyncio.Queue(_KEYS_AHEAD)  # "" when the phone has hung up

    async def read(self, leg: Leg) -> None:
        """Until the phone has hung up."""
        async for signal in leg.events():
            if isinstance(signal, Digit) and not self._keys.full():
                self._keys.put_nowait(signal.key)
            elif isinstance(signal, Ended):
                break
        while self._keys.full():
            self._keys.get_nowait()
        self._keys.put_nowait("")

    async def say(self, name: str) -> None:
        """To the end."""
        await announce(self._room, self._voice, texts.fixed(name, self._language), self._language)

    async def ask(self, name: str, wait_s: float, longest: int) -> str:
        """The keys up to #, or so many of them; what there is when none comes for so long after the question."""
        saying = asyncio.create_task(self.say(name), name="question of the service number")
        keys = ""
        try:
            while len(keys) < longest and (key := await self._next(saying, wait_s)) not in ("#", None):
                keys += key
                saying.cancel()
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
        return keys

    async def _next(self, saying: asyncio.Task[None], wait_s: float) -> str | None:
        getting = asyncio.create_task(self._keys.get(), name="key for the service number")
        try:
            await asyncio.wait({getting, saying}, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                await asyncio.wait({getting}, timeout=wait_s)
            if not getting.done():
                return None
        finally:
            getting.cancel()
        if not (key := getting.result()):
            raise _Gone
        return key


@contextlib.asynccontextmanager
async def _talking(services: Services, leg: Leg, language: str) -> AsyncIterator[_Talk]:
    room = services.media.open_room(leg.sample_rate)
    member = room.join(leg)
    talk = _Talk(room, services.own_voice(), language)
    reading = asyncio.create_task(talk.read(leg), name="keys for the service number")
    try:
        yield talk
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        room.leave(member)
        room.close()


def _address(uri: str) -> tuple[str, str]:
    """User and host of a SIP URI."""
    parsed = parse_uri(uri)
    return parsed.user, parsed.host
