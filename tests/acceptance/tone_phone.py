"""A telephone that plays a tone and keeps what it hears, so that who hears whom can be measured.

    python -m tests.acceptance.tone_phone FOLDER --dial sip:100@127.0.0.1:5060 --number +48601000001 --hz 600
    python -m tests.acceptance.tone_phone FOLDER --take --hz 700

The first calls; the second is a desk phone: it prints its address, answers what comes in and presses 1. Lines appended
to FOLDER/commands are carried out: `tone HZ` (0: silence), `keys 123`, `hang_up`. What it hears is appended to
FOLDER/heard.raw (16 bit, 8000 Hz). Prints one JSON object a line. Ends by SIGTERM, or when its call has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

import numpy as np

from telephony.baresip import BaresipEndpoint
from telephony.leg import Ended, EndpointSettings, Leg
from telephony.media import MediaThread

RATE = 8000
_RTP_PORTS = (50000, 59998)
_PEAK = 8000
_LOOK_S = 0.05


class Tone:
    """Endless, in pulses, as speech is: a steady tone is noise to a browser, which takes it away."""

    def __init__(self, hz: float) -> None:
        self._hz = hz
        self._at = 0

    def read(self, n_samples: int) -> bytes:
        at_s = (self._at + np.arange(n_samples)) / RATE
        self._at += n_samples
        envelope = np.clip(4 * np.sin(2 * np.pi * 1.5 * at_s), 0.0, 1.0)
        return bytes(np.rint(_PEAK * envelope * np.sin(2 * np.pi * self._hz * at_s)).astype("<i2").tobytes())


class Phone:
    """One call of it."""

    def __init__(self, folder: Path, leg: Leg, media: MediaThread, hz: float) -> None:
        self._commands = folder / "commands"
        self._leg = leg
        self._room = media.open_room(RATE)
        self._heard = (folder / "heard.raw").open("ab", buffering=0)
        self._room.join(leg).tap(self._hear)
        self._play(hz)

    def _hear(self, first_sample: int, pcm: bytes) -> None:
        self._heard.write(pcm)

    async def talk(self, keys: str) -> None:
        """Until either side hangs up."""
        if keys:
            await self._leg.send_digits(keys)
        obeying = asyncio.create_task(self._obey(), name="commands")
        try:
            async for event in self._leg.events():
                if isinstance(event, Ended):
                    tell("ended", cause=str(event.cause))
        finally:
            obeying.cancel()
            await asyncio.wait({obeying})
            self._room.close()

    async def _obey(self) -> None:
        done = len(self._given())
        while True:
            await asyncio.sleep(_LOOK_S)
            given = self._given()
            for line in given[done:]:
                command, _, value = line.partition(" ")
                if command == "tone":
                    self._play(float(value))
                elif command == "keys":
                    await self._leg.send_digits(value)
                else:
                    await self._leg.hang_up()
            done = len(given)

    def _given(self) -> list[str]:
        return self._commands.read_text().split("\n")[:-1] if self._commands.exists() else []

    def _play(self, hz: float) -> None:
        self._room.set_music(Tone(hz) if hz else None, gain_db=0.0)


def tell(event: str, **values: str) -> None:
    print(json.dumps({"event": event, **values}), flush=True)


async def run(args: argparse.Namespace) -> None:
    media = MediaThread(asyncio.get_running_loop())
    codecs = ("pcma", "pcmu")
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, _RTP_PORTS, "phone", codecs, max_calls=2))
    media.start()
    try:
        await endpoint.start()
        if args.dial:
            leg = await endpoint.dial(args.dial, caller=args.number)
            tell("answered")
            await Phone(args.folder, leg, media, args.hz).talk("")
        else:
            await _take(args, endpoint, media)
    finally:
        await endpoint.stop()
        await asyncio.to_thread(media.stop)


async def _take(args: argparse.Namespace, endpoint: BaresipEndpoint, media: MediaThread) -> None:
    legs: asyncio.Queue[Leg] = asyncio.Queue()  # one call at a time is all that comes
    endpoint.on_incoming(legs.put_nowait)
    tell("ready", uri=endpoint.sip_uri)
    while True:
        leg = await legs.get()
        await leg.answer()
        tell("answered")
        await asyncio.sleep(1.0)
        await Phone(args.folder, leg, media, args.hz).talk("1")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dial", default="")
    parser.add_argument("--number", default="")
    parser.add_argument("--take", action="store_true")
    parser.add_argument("--hz", type=float, default=0.0)
    args = parser.parse_args()

    async def until_told() -> None:
        running = asyncio.create_task(run(args), name="phone")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()

    asyncio.run(until_told())


if __name__ == "__main__":
    main()
