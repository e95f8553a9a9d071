"""The callers of the latency benchmark, in a process of their own.

    python -m benchmarks.latency_callers PLAN.json CALLS.json

PLAN.json: {"target": ["127.0.0.1", port], "callers": 5, "talks": [...]}. So many callers phone at the same time, each
one call after the other until no talk is left. All voices are made before the first call, all packets are looked at
after the last, so that neither disturbs what is measured. CALLS.json gets what became of every turn.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency_dialog import VOICES, KnownOrders, Shop, ShopDialog
from benchmarks.latency_measure import Call, judge
from benchmarks.latency_talk import Talk
from telephony.baresip import BaresipEndpoint
from telephony.leg import EndpointSettings
from telephony.media import MediaThread
from tts.synthesizer import SpeechRequest, Synthesizer
from voicebot.caller.caller import RTP_PORTS, Caller, prepare
from voicebot.caller.capture import SAMPLE_RATE, CallCapture, Samples
from voicebot.caller.result import CallerResult, with_wire
from voicebot.caller.sounds import speech_process
from voicebot.caller.wiretap import Address, Wiretap

_APART_S = 0.7  # between the first calls of two callers
_AFTERWORD_S = 0.3  # for the last packets to reach the tap
_REST_S = 0.7  # between two calls of one caller


@dataclass(frozen=True)
class Prepared:
    """A talk with all its sounds: `said` for every step of the script, `answers` for every line."""

    talk: Talk
    said: list[bytes]
    answers: list[Samples]


@dataclass(frozen=True)
class Called:
    """A call that is over. `capture`: None when nothing was heard of it."""

    prepared: Prepared
    result: CallerResult
    capture: CallCapture | None


async def right_answers(talk: Talk, shop: Shop) -> list[str]:
    """The first sentence of what the bot has to answer to every line."""
    dialog = ShopDialog(shop, KnownOrders(), talk.language)
    await dialog.begin()
    return [(await dialog.heard(line.meant or line.text)).texts[0] for line in talk.lines]


async def _rendered(talks: Sequence[Talk], voice: Synthesizer) -> list[Prepared]:
    shop = Shop.load()
    known: dict[str, Samples] = {}

    async def answer(text: str, language: str) -> Samples:
        if text not in known:
            request = SpeechRequest(text, language, VOICES[language], SAMPLE_RATE)
            pcm = b"".join([chunk async for chunk in voice.synthesize(request)])
            known[text] = np.frombuffer(pcm, "<i2")
        return known[text]

    prepared = []
    for talk in talks:
        answers = [await answer(text, talk.language) for text in await right_answers(talk, shop)]
        prepared.append(Prepared(talk, await prepare(talk.script(), voice), answers))
    return prepared


class Callers:
    """`count` callers behind one telephone and a tap each."""

    def __init__(self, target: Address, count: int) -> None:
        self._target = target
        self._count = count
        self._endpoint = BaresipEndpoint(
            EndpointSettings("127.0.0.1", 0, RTP_PORTS, "caller", ("pcma",), max_calls=2 * count)
        )
        self._media = MediaThread(asyncio.get_running_loop())
        self._called: list[Called] = []

    async def run(self, prepared: Sequence[Prepared]) -> list[Called]:
        waiting = list(reversed(prepared))
        self._media.start()
        try:
            await self._endpoint.start()
            async with asyncio.TaskGroup() as callers:
                for number in range(self._count):
                    callers.create_task(self._call_on(waiting, number * _APART_S), name=f"caller {number}")
        finally:
            await self._endpoint.stop()
            await asyncio.to_thread(self._media.stop)
        return self._called

    async def _call_on(self, waiting: list[Prepared], after_s: float) -> None:
        await asyncio.sleep(after_s)
        with Wiretap(self._target) as tap:
            host, port = tap.address
            while waiting:
                prepared = waiting.pop()
                script = prepared.talk.script()
                seen = tap.captures[-1:]
                caller = Caller(script, prepared.said, self._endpoint, self._media, lambda event: None)
                result = await caller.call(f"sip:{script.dial}@{host}:{port}")
                await asyncio.sleep(_AFTERWORD_S)
                capture = tap.captures[-1] if tap.captures[-1:] != seen else None
                self._called.append(Called(prepared, result, capture))
                print(json.dumps({"event": "called", "problems": result.problems}, ensure_ascii=False), flush=True)
                await asyncio.sleep(_REST_S)


def examined(called: Called) -> Call:
    capture = called.capture or CallCapture("")
    result = with_wire(called.result, capture, None)
    return judge(called.prepared.talk, result, capture.audio("received"), called.prepared.answers)


async def run(plan: dict[str, Any]) -> list[Call]:
    host, port = plan["target"]
    async with speech_process(Path("voices")) as voice:
        prepared = await _rendered([Talk.of(talk) for talk in plan["talks"]], voice)
    called = await Callers((host, port), plan["callers"]).run(prepared)
    return [examined(one) for one in called]


def main() -> None:
    plan, output = Path(sys.argv[1]), Path(sys.argv[2])
    calls = asyncio.run(run(json.loads(plan.read_text(encoding="utf-8"))))
    output.write_text(json.dumps([asdict(call) for call in calls], ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
