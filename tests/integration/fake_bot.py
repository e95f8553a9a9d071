"""Stands in for the bot in tests of the demo: greets with a tone, hears one line, gives the call to the first agent.

    python -m tests.integration.fake_bot --config voicebot.yaml

Prints the events and writes the files that the bot would. With FAKE_BOT_DEAF=1 caller and agent are never connected,
with FAKE_BOT_BROKEN=1 it ends at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from telephony.baresip import BaresipEndpoint
from telephony.leg import Digit, Ended, EndpointSettings, Leg
from telephony.media import MediaThread
from telephony.room import Room
from voicebot.caller.ear import Ear

RATE = 8000


def tone(seconds: float) -> bytes:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)).astype("<i2").tobytes()


class FakeBot:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        sip = config["sip"]
        self.endpoint = BaresipEndpoint(
            EndpointSettings(sip["address"], sip["port"], (30000, 39998), codecs=("pcma",), max_calls=4)
        )
        self.media = MediaThread(asyncio.get_running_loop())
        self.calls: set[asyncio.Task[None]] = set()

    def tell(self, event: str, leg: Leg, **fields: Any) -> None:
        print(json.dumps({"event": event, "call_id": leg.id, "caller": leg.remote_number, **fields}), flush=True)

    async def say(self, room: Room, seconds: float) -> None:
        finished = asyncio.Event()
        player = room.add_player(lambda event: finished.set() if type(event).__name__ == "PlaybackFinished" else None)
        player.play("tone", tone(seconds))
        player.end("tone")
        await finished.wait()

    async def serve(self, leg: Leg) -> None:
        await asyncio.sleep(0.3)  # it rings
        await leg.answer()
        started = datetime.now(UTC)
        self.tell("call_started", leg)
        room = self.media.open_room(RATE)
        ear = Ear(asyncio.get_running_loop())
        room.join(leg).tap(ear.hear)
        await self.say(room, 0.5)
        await ear.until_spoken(0, 0.3)
        heard_at = (datetime.now(UTC) - started).total_seconds()
        self.tell("caller_said", leg, text="gdzie jest paczka", confidence=0.9, decode_ms=20.0)
        await self.say(room, 0.4)
        await self.hand_off(leg, room)
        turns = [
            {"who": "bot", "text": "Dzień dobry", "at_s": 0.1},
            {"who": "caller", "text": "gdzie jest paczka", "at_s": heard_at, "confidence": 0.9},
        ]
        folder = Path(self.config["data"]) / "calls" / leg.id
        folder.mkdir(parents=True)
        (folder / "recording.wav").write_bytes(b"RIFF")
        transcript = {"outcome": "handed_off", "started_at": started.isoformat(), "turns": turns}
        (folder / "transcript.json").write_text(json.dumps(transcript))
        (folder / "summary.json").write_text("{}")
        await leg.hang_up()
        room.close()
        self.tell("call_ended", leg, outcome="handed_off")

    async def hand_off(self, leg: Leg, room: Room) -> None:
        music = room.add_player(lambda event: None)
        music.play("music", tone(60))
        agent = await self.endpoint.dial(self.config["queues"]["service"]["agents"][0]["uri"], caller="1")
        briefing = self.media.open_room(RATE)
        member = briefing.join(agent)
        await self.say(briefing, 0.6)
        async for event in agent.events():
            if isinstance(event, Digit):
                briefing.leave(member)
                music.stop()
                if os.environ.get("FAKE_BOT_DEAF"):
                    await asyncio.sleep(8)  # the agent says its line
                    await agent.hang_up()
                else:
                    room.join(agent)
            if isinstance(event, Ended):
                break
        briefing.close()

    def incoming(self, leg: Leg) -> None:
        task = asyncio.create_task(self.serve(leg))
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)


async def health(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()


async def main(config: dict[str, Any]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bot = FakeBot(config)
    bot.endpoint.on_incoming(bot.incoming)
    bot.media.start()
    await bot.endpoint.start()
    async with await asyncio.start_server(health, config["http"]["address"], config["http"]["port"]):
        await stop.wait()
    await bot.endpoint.stop()
    bot.media.stop()


if __name__ == "__main__":
    if os.environ.get("FAKE_BOT_BROKEN"):
        sys.exit("the flow file is wrong")
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    asyncio.run(main(json.loads(parser.parse_args().config.read_text(encoding="utf-8"))))
