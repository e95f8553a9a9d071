"""The telephone of scripted conversations: does what it is told, line by line.

    python -m voicebot.audio_tests.phone --voices-dir voices

Reads JSON objects from standard input, one a line, and answers each with one: `{"dial": uri, "number": ...}`,
`{"say": text, "language": ..., "voice": ...}`, `{"interrupt": ...}` (as `say`, once the other side speaks),
`{"keys": ...}`, `{"hang_up": true}`. Ends with its input. A process holds one SIP endpoint, so this is not the bot's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from telephony.baresip import BaresipEndpoint
from telephony.errors import TelephonyError
from telephony.leg import EndpointSettings
from telephony.media import MediaThread
from tts.errors import TtsError
from tts.synthesizer import Synthesizer
from voicebot.caller.caller import RTP_PORTS
from voicebot.caller.person import Person
from voicebot.caller.sounds import line, speech_process

_RING_S = 15.0
_INTO_S = 0.7  # into the speech of the other side
_KEY_PAUSE_S = 0.15


class Telephone:
    """One call after the other."""

    def __init__(self, endpoint: BaresipEndpoint, media: MediaThread, voice: Synthesizer) -> None:
        self._endpoint = endpoint
        self._media = media
        self._voice = voice
        self._person: Person | None = None

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order; what to answer."""
        try:
            if "dial" in order:
                await self.hang_up()
                leg = await self._endpoint.dial(order["dial"], caller=order["number"], timeout_s=_RING_S)
                self._person = Person(self._media, leg)
            elif "hang_up" in order:
                await self.hang_up()
            elif self._person is None:
                return {"error": "There is no call."}
            elif "keys" in order:
                for key in order["keys"]:
                    await self._person.leg.send_digits(key)
                    await asyncio.sleep(_KEY_PAUSE_S)
            else:
                await self._speak(self._person, order)
        except (TelephonyError, TtsError) as error:
            return {"error": str(error)}
        return {"done": True}

    async def _speak(self, person: Person, order: dict[str, Any]) -> None:
        text = order.get("say") or order["interrupt"]
        sound = await line(self._voice, text, order["language"], order["voice"])
        if "interrupt" in order:
            await person.ear.until_speaking()
            await asyncio.sleep(_INTO_S)
        await person.say(sound)

    async def hang_up(self) -> None:
        person, self._person = self._person, None
        if person is not None:
            await person.__aexit__(None, None, None)


async def main(voices_dir: Path) -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with AsyncExitStack() as stack:
        voice = await stack.enter_async_context(speech_process(voices_dir))
        media = MediaThread(loop)
        media.start()
        stack.push_async_callback(asyncio.to_thread, media.stop)
        endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, RTP_PORTS, "caller", ("pcma", "pcmu"), max_calls=2))
        await endpoint.start()
        stack.push_async_callback(endpoint.stop)
        telephone = Telephone(endpoint, media, voice)
        stack.push_async_callback(telephone.hang_up)
        print(json.dumps({"done": True}), flush=True)
        while order := await orders.readline():
            print(json.dumps(await telephone.do(json.loads(order))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices-dir", type=Path, required=True)
    asyncio.run(main(parser.parse_args().voices_dir))
