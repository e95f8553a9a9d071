"""The callers of the living floor, all in one process: new ones keep coming, as many at once as the machine bears.

    python -m voicebot.demo.crowd --pl sip:100@127.0.0.1:5060 --en sip:200@127.0.0.1:5060 --port 5070 --most 4

Prints one JSON object a line: `ready`, then what the callers do. Whoever is called back at `--port` answers. Nothing is
kept of the calls. Ends by SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.baresip import BaresipEndpoint
from telephony.errors import LegGone
from telephony.leg import EndpointSettings, Leg
from telephony.media import MediaThread
from tts.synthesizer import Synthesizer
from voicebot.caller.caller import Caller, prepare
from voicebot.caller.person import Person
from voicebot.caller.script import Script, load_script
from voicebot.caller.sounds import line, speech_process
from voicebot.demo.children import cancelled_by_signals
from voicebot.demo.load import Load

Tell = Callable[[dict[str, Any]], None]

SCRIPTS = Path(__file__).parent / "callers"
NUMBERS = "+48601"
"""How the callers' numbers begin."""

RTP_PORTS = (40000, 49998)
_ALWAYS = 2  # so many at once whatever the machine says
_BUSY = 0.8  # above this share of the cores nobody new calls
_APART_S = (3.0, 9.0)
_KNOWN = 200  # whoever called longest ago is forgotten first
_ANSWERS_S = (2.0, 6.0)
_CALLED_BACK_S = 120.0
_REPLY_S = 20.0
_REPLY_PAUSE_S = 1.2

_CALLED_BACK: Mapping[str, Sequence[str]] = {
    "pl": (
        "Słucham?",
        "Tak, to ja prosiłem o telefon. Czekam na paczkę.",
        "Dobrze, dziękuję. Do widzenia.",
    ),
    "en": (
        "Hello?",
        "Yes, I asked for this call. I am waiting for my parcel.",
        "All right, thank you. Goodbye.",
    ),
}


@dataclass(frozen=True)
class Act:
    """A script with its sounds, and the lines of its caller when they are called back."""

    script: Script
    sounds: Sequence[bytes]
    called_back: Sequence[bytes]


async def rehearsed(scripts: Sequence[Script], voice: Synthesizer) -> list[Act]:
    """All voices are made before the first call."""
    return [
        Act(
            script,
            await prepare(script, voice),
            [await line(voice, text, script.language, script.voice) for text in _CALLED_BACK[script.language]],
        )
        for script in scripts
    ]


class Crowd:
    """`targets`: whom to call, by language. `most`: so many are in a call at once at most."""

    def __init__(
        self,
        acts: Sequence[Act],
        targets: Mapping[str, str],
        endpoint: BaresipEndpoint,
        media: MediaThread,
        most: int,
        tell: Tell,
        chance: random.Random,
    ) -> None:
        self._acts = acts
        self._targets = targets
        self._endpoint = endpoint
        self._media = media
        self._most = most
        self._tell = tell
        self._chance = chance
        self._load = Load()
        self._coming: list[Act] = []
        self._calling = 0
        self._known: OrderedDict[str, Act] = OrderedDict()  # who may be called back, by number

    async def run(self) -> None:
        """Until cancelled; then everybody hangs up."""
        async with asyncio.TaskGroup() as calls:

            def ring(leg: Leg) -> None:
                calls.create_task(self._answer(leg), name=f"answer {leg.id}")

            self._endpoint.on_incoming(ring)
            while True:
                if self._calling < _ALWAYS or (self._calling < self._most and self._load.busy_share() < _BUSY):
                    calls.create_task(self._call(self._next_act()), name="call")
                await asyncio.sleep(self._chance.uniform(*_APART_S))

    def _next_act(self) -> Act:
        """Each as often as the others, in an order that nobody knows."""
        if not self._coming:
            self._coming = self._chance.sample(self._acts, len(self._acts))
        return self._coming.pop()

    async def _call(self, act: Act) -> None:
        self._calling += 1
        try:
            number = f"{NUMBERS}{self._chance.randrange(10**6):06}"
            self._known[number] = act
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
            script = act.script.model_copy(update={"number": number})
            self._tell({"event": "calls", "number": number, "script": script.script})
            caller = Caller(script, act.sounds, self._endpoint, self._media, lambda event: None)
            result = await caller.call(self._targets[script.language])
            self._tell({"event": "called", "number": number, "script": script.script, "problems": result.problems})
        finally:
            self._calling -= 1

    async def _answer(self, leg: Leg) -> None:
        """Somebody is called back."""
        act = self._known.get(leg.dialled)
        try:
            if act is None:
                await leg.reject()
                return
            await asyncio.sleep(self._chance.uniform(*_ANSWERS_S))
            await leg.answer()
            self._tell({"event": "answers", "number": leg.dialled, "script": act.script.script})
            async with Person(self._media, leg) as person, asyncio.timeout(_CALLED_BACK_S):
                await person.until_hung_up(_speak(person, act.called_back))
        except (LegGone, TimeoutError):
            return


async def _speak(person: Person, lines: Sequence[bytes]) -> None:
    for pcm in lines:
        onsets = person.ear.onsets
        await person.say(pcm)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPLY_S):
                await person.ear.until_spoken(onsets, _REPLY_PAUSE_S)


async def run_crowd(targets: Mapping[str, str], port: int, most: int, voices_dir: Path, tell: Tell) -> None:
    """Until cancelled. Raises TtsError, ProcessFailed, EndpointStartError when it cannot begin."""
    scripts = [load_script(path) for path in sorted(SCRIPTS.glob("*.yaml"))]
    async with speech_process(voices_dir) as voice:
        acts = await rehearsed(scripts, voice)
    media = MediaThread(asyncio.get_running_loop())
    endpoint = BaresipEndpoint(
        EndpointSettings("127.0.0.1", port, RTP_PORTS, "caller", ("pcma", "pcmu"), max_calls=2 * most + 2)
    )
    media.start()
    try:
        await endpoint.start()
        tell({"event": "ready"})
        await Crowd(acts, targets, endpoint, media, most, tell, random.Random()).run()
    finally:
        await endpoint.stop()
        await asyncio.to_thread(media.stop)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m voicebot.demo.crowd")
    parser.add_argument("--pl", required=True, metavar="SIP_URI", help="whom Polish callers call")
    parser.add_argument("--en", required=True, metavar="SIP_URI", help="whom English callers call")
    parser.add_argument("--port", type=int, required=True, help="where those who are called back answer")
    parser.add_argument("--most", type=int, required=True, help="calls at once")
    parser.add_argument("--voices-dir", type=Path, default=Path("voices"))
    args = parser.parse_args(argv)

    def tell(event: dict[str, Any]) -> None:
        print(json.dumps({"at": time.time(), **event}, ensure_ascii=False), flush=True)

    async def run() -> None:
        cancelled_by_signals()
        await run_crowd({"pl": args.pl, "en": args.en}, args.port, args.most, args.voices_dir, tell)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run())


if __name__ == "__main__":
    main()
