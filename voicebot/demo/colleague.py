"""A simulated agent: signed in as at the page, takes what is offered, talks, writes the call up, has breaks."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from telephony.browser.testing import BrowserPeer
from telephony.pcm import frame_samples
from voicebot.caller.ear import Ear
from voicebot.demo.client import ApiClient, Refused

REASONS = ("break", "lunch", "training")
"""For a break; those of the settings' default."""

HEARD_RATE = 48000

_LINE_S = 15.0
_THINKS_S = (1.0, 4.0)  # before an offer is accepted
_WRITES_S = (2.0, 6.0)  # after a call
_HOLDS_S = 4.0
_HOLD_SHARE = 0.3
_REPLY_S = 20.0
_REPLY_PAUSE_S = 1.2
_LOOKS_UP_S = 1.0  # without a change, too: nothing is waited for that will not come
_HEARS_EVERY_S = 0.1
_SPOKEN_S = 2.0  # what a browser's microphone holds


class BrowserVoice:
    """Mouth and ear of an agent at a browser. `lines`: what they say, 8000 Hz."""

    def __init__(self, peer: BrowserPeer, lines: Sequence[bytes]) -> None:
        self.peer = peer
        self.lines = lines
        self.ear = Ear(asyncio.get_running_loop())
        self._position = 0

    async def say(self, pcm: bytes) -> None:
        """Returns when it has been said."""
        while pcm:
            pcm = pcm[2 * self.peer.say(pcm) :]
            await asyncio.sleep(_HEARS_EVERY_S if pcm else _SPOKEN_S)

    async def listen(self) -> None:
        """Until cancelled."""
        size = 2 * frame_samples(HEARD_RATE)
        rest = b""
        while True:
            await asyncio.sleep(_HEARS_EVERY_S)
            rest += self.peer.heard()
            while len(rest) >= size:
                frame, rest = rest[:size], rest[size:]
                self.ear.hear(self._position, frame)
                self._position += size // 2


class Colleague:
    """`voice`: None for an agent at a desk phone, where another program answers. `view`: what the page would show."""

    def __init__(self, name: str, client: ApiClient, voice: BrowserVoice | None, chance: random.Random) -> None:
        self.name = name
        self.view: dict[str, Any] = {}
        self._client = client
        self._voice = voice
        self._chance = chance
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def at_the_desk(self) -> AsyncIterator[None]:
        """The page is open, its audio connected, and a break begins the day. Raises Refused, TimeoutError."""
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(self._follow(), name=f"view of {self.name}")]
            if self._voice is not None:
                following.append(tasks.create_task(self._voice.listen(), name=f"ear of {self.name}"))
                answer = await self._client.post("/agent/line", sdp=await self._voice.peer.offer())
                await self._voice.peer.connect(answer["sdp"])
                await self._until(lambda: self.view.get("line") == "up", _LINE_S)
            else:
                await self._client.put("/agent/reach", by="phone")
            await self._client.put("/agent/state", state="break", reason=self._chance.choice(REASONS))
            try:
                yield
            finally:
                for task in following:
                    task.cancel()

    async def serve(self, calls: int, patience_s: float) -> None:
        """Be available until so many calls are written up, or none has come for `patience_s`; then have a break."""
        await self._client.put("/agent/state", state="available")
        for left in reversed(range(calls)):
            try:
                await self._until(lambda: bool(self._busy), patience_s)
            except TimeoutError:
                break
            await self._serve_one(last=left == 0)
        await self._rest()

    @property
    def _busy(self) -> Any:
        return self.view.get("offer") or self.view.get("call") or self.view.get("wrap_up")

    async def _rest(self) -> None:
        await self._client.put("/agent/state", state="break", reason=self._chance.choice(REASONS))
        while self._busy:  # what came in the last moment
            await self._serve_one(last=True)

    async def _serve_one(self, *, last: bool) -> None:
        """From the offer until it is somebody else's, or written up."""
        while self._busy:
            view = self.view
            try:
                if view["wrap_up"]:
                    await self._write_up(view["wrap_up"], last=last)
                elif view["call"] and self._voice is not None:
                    await self._until_over(self._talk(self._voice))
                elif view["offer"] and self._voice is not None:
                    await asyncio.sleep(self._chance.uniform(*_THINKS_S))
                    await self._client.post(f"/offers/{view['offer']['entry']}/accept")
            except Refused as refused:
                if refused.status not in (404, 409):  # the caller was quicker
                    raise
            with contextlib.suppress(TimeoutError):
                await self._until(lambda seen=view: self.view is not seen, _LOOKS_UP_S)  # type: ignore[misc]

    async def _talk(self, voice: BrowserVoice) -> None:
        holds_after = self._chance.randrange(1, len(voice.lines)) if self._chance.random() < _HOLD_SHARE else -1
        for number, line in enumerate(voice.lines):
            onsets = voice.ear.onsets
            await voice.say(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REPLY_S):
                    await voice.ear.until_spoken(onsets, _REPLY_PAUSE_S)
            if number == holds_after:
                await self._client.post("/agent/call/hold", on=True)
                await asyncio.sleep(_HOLDS_S)
                await self._client.post("/agent/call/hold", on=False)
        await self._client.post("/agent/call/end")

    async def _until_over(self, talk: Coroutine[Any, Any, None]) -> None:
        """Whoever ends the call."""
        talking = asyncio.create_task(talk, name=f"talk of {self.name}")
        over = asyncio.create_task(self._until(lambda: not self.view["call"], None), name=f"end of {self.name}'s talk")
        try:
            await asyncio.wait({talking, over}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                await talking
                await over
        finally:
            for task in (talking, over):
                task.cancel()
            await asyncio.wait({talking, over})

    async def _write_up(self, wrap_up: dict[str, Any], *, last: bool) -> None:
        await asyncio.sleep(self._chance.uniform(*_WRITES_S))
        if last:
            await self._client.put("/agent/state", state="break", reason="break")
        await self._client.post("/agent/wrap-up", code=self._chance.choice(wrap_up["codes"]), notes="")

    async def _follow(self) -> None:
        async for event, data in self._client.stream("agent"):
            if event == "open":
                self._see(await self._client.get("/agent"))
            elif event == "agent":
                self._see(data)
        raise ConnectionError(f"the server has ended the stream of {self.name}")

    def _see(self, view: dict[str, Any]) -> None:
        self.view = view
        self._changed.set()

    async def _until(self, condition: Callable[[], bool], deadline_s: float | None) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
