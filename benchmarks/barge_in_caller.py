"""The callers of the barge-in benchmark: they wait until the bot is in the middle of a text, and then make a sound."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.barge_in_bot import KEYS, RunningBot
from benchmarks.barge_in_events import QUESTIONS, Echo, Event
from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed, LegGone
from telephony.leg import FRAME_MS, Ended, Endpoint, EndpointSettings, Leg
from telephony.media import MediaThread
from telephony.pcm import gain_of, samples, scaled, silence
from telephony.player import PlaybackStarted, PlayerEvent
from voicebot.caller.capture import SAMPLE_RATE, CallCapture
from voicebot.caller.wiretap import Wiretap
from voicebot.demo.stage import LOCALHOST

AFTER_S = 3.0  # an event is watched so long after its last sound
_FIRST_S = 2.5  # of a text are left alone
_TEXT_PAUSE_S = 0.6  # a shorter one is within a text
_GREETED_S = 2.5  # of silence: the greeting is over
_ANSWER_S = 5.0  # until a text follows the keys
_NO_TEXT = -1.0
_TRIES = 6  # answers by keys in a row without a text
_EVENTS_A_CALL = 10  # a call that goes astray costs no more than these
_LOOK_AGAIN_S = 0.05
_SHORTEST_WAIT_S = 0.005
_RING_S = 15.0
_HANG_UP_S = 5.0
_AFTERWORD_S = 0.3
_ECHO_RAMP = 12  # frames
_LOUD = 32768 * 10 ** (-45 / 20)
_RTP_PORTS = (40000, 49998)


@dataclass(frozen=True)
class Made:
    """An event that took place; its sound was put on the wire at about that time (Unix seconds)."""

    event: Event
    at: float


@dataclass(frozen=True)
class CallLog:
    """One call: what was done in it, and what the tap saw of it."""

    question: str
    made: tuple[Made, ...]
    capture: CallCapture | None


class Line:
    """What the caller hears of the bot, and the ways to make a sound. Its clock is the audio's, from the join on."""

    def __init__(self, media: MediaThread, leg: Leg) -> None:
        self.now_s = self._loud_at = self.began_at = 0.0  # written by the media thread
        self._room = media.open_room(SAMPLE_RATE)
        self._room.join(leg).tap(self._hear)
        self._mouth = self._room.add_player(self._played)
        self._on_wire: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._echoes = self._room.add_player(lambda event: None)
        self._echo: deque[float] = deque()  # gains of the frames to come
        self._names = 0

    @property
    def silent_s(self) -> float:
        """How long the bot has been silent; `began_at` is when it began to say what it says, or said last."""
        return self.now_s - self._loud_at

    def close(self) -> None:
        self._room.close()

    def listen_anew(self) -> None:
        """What is heard next is a new text, however short the silence before it."""
        self._loud_at = self.now_s - 2 * _TEXT_PAUSE_S

    async def play(self, pcm: bytes) -> float:
        """Make a sound; returns when it is on the wire, and that time (Unix seconds)."""
        self._names += 1
        self._on_wire = asyncio.get_running_loop().create_future()
        self._mouth.play(f"sound {self._names}", pcm)
        self._mouth.end(f"sound {self._names}")
        async with asyncio.timeout(_RING_S):
            return await self._on_wire

    def give_back(self, echo: Echo) -> float:
        """Let the bot hear itself, from now on (Unix seconds)."""
        self._names += 1
        frames, gain = int(echo.seconds * 1000 / FRAME_MS), gain_of(echo.gain_db)
        self._echoes.play(f"echo {self._names}", silence(echo.delay_ms * SAMPLE_RATE // 1000))
        self._echo.extend(gain * min(1.0, at / _ECHO_RAMP, (frames - at) / _ECHO_RAMP) for at in range(1, frames))
        return time.time()

    def _hear(self, first_sample: int, pcm: bytes) -> None:
        self.now_s = (first_sample + len(pcm) // 2) / SAMPLE_RATE
        if np.square(samples(pcm).astype(np.float64)).mean() > _LOUD**2:
            if self.silent_s > _TEXT_PAUSE_S:
                self.began_at = self.now_s
            self._loud_at = self.now_s
        if self._echo:
            self._echoes.play(f"echo {self._names}", scaled(pcm, self._echo.popleft()))
            if not self._echo:
                self._echoes.end(f"echo {self._names}")

    def _played(self, event: PlayerEvent) -> None:
        if isinstance(event, PlaybackStarted) and not self._on_wire.done():
            self._on_wire.set_result(time.time())


class Caller:
    """One call that goes through events of one kind of question."""

    def __init__(self, line: Line, leg: Leg, question: str, shortest_s: float, random: np.random.Generator) -> None:
        self._line = line
        self._leg = leg
        self._keys = ("1", KEYS[question])  # of the first question, and of those after the texts
        self._shortest_s = shortest_s
        self._random = random
        self._text_began = _NO_TEXT
        self.made: list[Made] = []

    async def go_through(self, events: Sequence[Event]) -> None:
        """Make them one after the other, in as many texts as it takes; stops early when the call gets nowhere.

        What the bot says after an interruption may be anything; keys lead to the next text.
        """
        left = deque(events)
        tries = 0
        while self._line.silent_s < _GREETED_S:  # noqa: ASYNC110 - the media thread listens
            await asyncio.sleep(_LOOK_AGAIN_S)
        while left and tries < _TRIES:
            if await self._found_its_time(left[0]):
                await self._make(left.popleft())
                tries = 0
            else:
                await self._press(self._keys[(tries + bool(self.made)) % 2])
                tries += 1

    async def _press(self, keys: str) -> None:
        """Answer by keys, and wait for the text that follows."""
        await self._leg.send_digits(keys)
        before = self._line.began_at
        self._line.listen_anew()
        for _ in range(int(_ANSWER_S / _LOOK_AGAIN_S)):
            if self._line.began_at != before:
                break
            await asyncio.sleep(_LOOK_AGAIN_S)
        self._text_began = self._line.began_at

    async def _found_its_time(self, event: Event) -> bool:
        """Wait for a random moment in the text that the bot is saying; False: it has none, or did not last."""
        began = self._text_began
        earliest = max(began + _FIRST_S, self._line.now_s + event.before_s)
        latest = began + self._shortest_s - event.sound_s - AFTER_S
        if self._line.began_at != began or earliest > latest:
            return False
        await self._wait_until(self._random.uniform(earliest, latest) - event.before_s)
        return self._line.began_at == began and self._line.silent_s < _TEXT_PAUSE_S

    async def _make(self, event: Event) -> None:
        at = await self._line.play(event.clip) if event.echo is None else self._line.give_back(event.echo)
        self.made.append(Made(event, at))
        await self._wait_until(self._line.now_s + event.before_s + event.sound_s + AFTER_S)
        if event.interrupts:
            self._text_began = _NO_TEXT

    async def _wait_until(self, audio_s: float) -> None:
        """By the clock of the line."""
        while (missing := audio_s - self._line.now_s) > 0:  # noqa: ASYNC110 - the media thread moves that clock
            await asyncio.sleep(max(_SHORTEST_WAIT_S, missing))


async def make_calls(bot: RunningBot, events: Sequence[Event], calls: int, seed: int) -> list[CallLog]:
    """So many calls at a time, each with a share of the events of one kind of question."""
    waiting = deque(
        (question, chosen[first : first + _EVENTS_A_CALL])
        for question in QUESTIONS
        if (chosen := [event for event in events if event.question == question])
        for first in range(0, len(chosen), _EVENTS_A_CALL)
    )
    logs: list[CallLog] = []
    media = MediaThread(asyncio.get_running_loop())
    endpoint = BaresipEndpoint(EndpointSettings(LOCALHOST, 0, _RTP_PORTS, "caller", ("pcma",), max_calls=calls))
    media.start()

    async def one_after_the_other() -> None:
        while waiting:
            question, share = waiting.popleft()
            logs.append(await _call(bot, endpoint, media, question, share, seed + len(waiting)))

    try:
        await endpoint.start()
        async with asyncio.TaskGroup() as tasks:
            for number in range(calls):
                tasks.create_task(one_after_the_other(), name=f"caller {number}")
    finally:
        await endpoint.stop()
        await asyncio.to_thread(media.stop)
    return logs


async def _call(
    bot: RunningBot, endpoint: Endpoint, media: MediaThread, question: str, events: Sequence[Event], seed: int
) -> CallLog:
    """One call. It may end before all events were made."""
    with Wiretap((LOCALHOST, bot.sip_port)) as tap:
        try:
            uri = f"sip:{bot.numbers[question]}@{LOCALHOST}:{tap.address[1]}"
            leg = await endpoint.dial(uri, caller="+48601000001", timeout_s=_RING_S)
        except DialFailed as error:
            print(f"a call failed: {error}", file=sys.stderr)
            return CallLog(question, (), None)
        line = Line(media, leg)
        shortest_s = min(len(text.samples) for text in bot.texts[question]) / SAMPLE_RATE
        caller = Caller(line, leg, question, shortest_s, np.random.default_rng(seed))
        try:
            await _unless_hung_up(leg, caller.go_through(events))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANG_UP_S):
                    await leg.hang_up()
            await asyncio.sleep(_AFTERWORD_S)
        finally:
            line.close()
        return CallLog(question, tuple(caller.made), tap.captures[0] if tap.captures else None)


async def _unless_hung_up(leg: Leg, doing: Coroutine[Any, Any, None]) -> None:
    """Until it is done or the call has ended."""

    async def ended() -> None:
        async for event in leg.events():
            if isinstance(event, Ended):
                return

    both = [asyncio.create_task(doing, name=f"do {leg.id}"), asyncio.create_task(ended(), name=f"watch {leg.id}")]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.wait(both)
    if not both[0].cancelled() and (error := both[0].exception()) is not None and not isinstance(error, LegGone):
        raise error
