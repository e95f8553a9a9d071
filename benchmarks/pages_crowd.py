"""A server with so many calls on its board, for the benchmark of the pages: `voicebot serve`, but nobody phones.

    python -m benchmarks.pages_crowd voicebot.yaml --calls 200

What calls would tell is put into the application's own stream of events, and goes from there the way of all events: to
the records, the board, the alerts and the pages. Every three seconds somebody says something in each call, by turns the
caller and who answers: the bot, and in the last third of the call an agent. Whoever hangs up is followed by somebody
else. Each sentence is printed, one a line: {"words": ..., "at": ...}, with when it was told (Unix seconds); no two are
alike.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
from datetime import tzinfo
from pathlib import Path
from typing import Any

from voicebot import events
from voicebot.app import App
from voicebot.config import load_config
from voicebot.events import CallClock, CallEvent, EventStream, Outcome, new_call_id
from voicebot.logs import configure_logging

SENTENCE_S = 3.0
SENTENCES, HANDED_OVER_AT, TAKEN_AT = 40, 26, 28
"""Of a call, until it ends, the caller waits, an agent answers: even numbers, at which the caller speaks."""

_numbers = itertools.count()


class SimulatedCall:
    """One call after another. `go_on` is to be called every `SENTENCE_S`."""

    def __init__(self, stream: EventStream, zone: tzinfo, sentences_so_far: int) -> None:
        self._stream = stream
        self._zone = zone
        self._said = sentences_so_far
        self._begin()

    def _begin(self) -> None:
        self._clock = CallClock(new_call_id(self._zone))
        caller = f"+48601{next(_numbers) % 1_000_000:06}"
        self._tell(events.CallStarted, caller=caller, dialled="100", language="pl", bot="shop")
        self._tell(events.Decision, kind="flow_started", data={"flow": "order_status"})

    def go_on(self) -> None:
        if self._said >= SENTENCES:
            lasted_s = SENTENCES * SENTENCE_S
            self._tell(events.CallEnded, outcome=Outcome.HANDED_OFF, cause="remote_hangup", duration_s=lasted_s)
            self._said = 0
            self._begin()
        self._move()
        words = f"Zdanie, jakiego jeszcze nie było: {letters(next(_numbers))}"
        print(json.dumps({"words": words, "at": self._clock.stamp()["at"].timestamp()}), flush=True)
        heard = {"confidence": 0.9, "decode_ms": 200.0, "audio_s": 1.5}
        if self._said % 2 == 0:
            self._tell(events.CallerSaid, text=words, **heard)
            self._tell(events.Decision, kind="understood", data={"flow": "order_status", "confidence": 0.9})
        elif self._said > TAKEN_AT:
            self._tell(events.AgentSaid, agent="anna", name="Anna Nowak", text=words, **heard)
        else:
            self._tell(events.BotSaid, text=words, step="order_status/ask")
        self._said += 1

    def _move(self) -> None:
        """From the bot to the queue, from there to an agent."""
        entry = self._clock.call_id
        if self._said == HANDED_OVER_AT:
            self._tell(events.HandoffStarted, queue="service", reason="caller_asked")
            self._tell(events.QueueEntered, queue="service", entry=entry)
        elif self._said == TAKEN_AT:
            waited_s = (TAKEN_AT - HANDED_OVER_AT) * SENTENCE_S
            self._tell(events.QueueLeft, queue="service", entry=entry, why="answered", waited_s=waited_s)
            self._tell(events.AgentJoined, uri="", agent="anna", name="Anna Nowak", queue="service")

    def _tell(self, event: type[CallEvent], **values: Any) -> None:
        self._stream.publish(event(**self._clock.stamp(), **values))


def letters(number: int) -> str:
    """A word of its own for every number: digits would be taken for something to mask."""
    word = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        word += chr(ord("a") + rest)
    return word


async def crowd(stream: EventStream, zone: tzinfo, calls: int) -> None:
    """Until cancelled. The calls are of every age, and go on evenly spread over time."""
    there = [SimulatedCall(stream, zone, number % SENTENCES) for number in range(calls)]
    loop = asyncio.get_running_loop()
    due = loop.time()
    for call in itertools.cycle(there):
        due += SENTENCE_S / calls
        await asyncio.sleep(max(0.0, due - loop.time()))
        call.go_on()


async def serve(config: Path, calls: int) -> None:
    settings = load_config(config)
    configure_logging(settings.log.level, settings.log.format)
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    app = App(settings)
    await app.start()
    try:
        coming = asyncio.create_task(crowd(app.events, settings.timezone, calls), name="crowd")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (coming, stopped):
            task.cancel()
        await asyncio.wait({coming, stopped})
        if not coming.cancelled():
            coming.result()
    finally:
        await app.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages_crowd", description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--calls", type=int, default=200)
    args = parser.parse_args()
    asyncio.run(serve(args.config, args.calls))


if __name__ == "__main__":
    main()
