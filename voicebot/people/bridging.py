"""A caller and somebody outside who hear each other through us: a telephone number, or a PBX."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from telephony.errors import TelephonyError
from telephony.leg import Leg
from voicebot.people.handed import BackToBot, CallerAtDesk, Handed, LetGo, Talked
from voicebot.people.talk import Reached

log = logging.getLogger(__name__)

_KEYS_AHEAD = 32


class Bridge:
    """`run` once."""

    def __init__(self, caller: CallerAtDesk, reached: Reached) -> None:
        self._caller = caller
        self._reached = reached
        # Pressed faster than they can be passed on; more are dropped.
        self._keys: asyncio.Queue[str] = asyncio.Queue(_KEYS_AHEAD)

    def key(self, key: str) -> None:
        """A key of the caller's telephone, for the menu at the other end."""
        if not self._keys.full():
            self._keys.put_nowait(key)

    async def run(self, wanted: Awaitable[BackToBot | LetGo]) -> Handed:
        """Until one of the two hangs up or a supervisor wants it otherwise."""
        caller, reached = self._caller, self._reached
        call_id = caller.context.call_id
        member = caller.room.join(reached.leg)
        passing = asyncio.create_task(self._pass_keys(reached.leg), name=f"keys of {call_id}")
        gone = asyncio.create_task(reached.gone(), name=f"somebody outside for {call_id}")
        news = asyncio.ensure_future(wanted)
        try:
            await asyncio.wait({gone, news}, return_when=asyncio.FIRST_COMPLETED)
            return news.result() if news.done() else Talked()
        finally:
            for task in (gone, news, passing):
                task.cancel()
            await asyncio.gather(gone, news, passing, return_exceptions=True)
            caller.room.leave(member)
            await asyncio.shield(reached.release())

    async def _pass_keys(self, leg: Leg) -> None:
        while True:
            key = await self._keys.get()
            try:
                await leg.send_digits(key)
            except TelephonyError as error:
                log.info("a key was not passed on: %s", error)
