"""The agents of the living floor, all in one process: signed in through the API, at browsers and desk phones.

    python -m voicebot.demo.colleagues PLAN.json

PLAN.json: {"pages": "http://127.0.0.1:8080", "agents": [{"login", "password", "name", "language", "voice", "lines"}]};
one without lines has a desk phone. Those of one language take turns, and there are moments when none of them is there:
then callers are left to whoever has signed in besides. Prints `ready`, then who is at work, as JSON lines. Ends by
SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from telephony.browser.testing import BrowserPeer
from voicebot.caller.capture import SAMPLE_RATE
from voicebot.caller.sounds import line, speech_process
from voicebot.demo.children import cancelled_by_signals
from voicebot.demo.client import ApiClient
from voicebot.demo.colleague import BrowserVoice, Colleague
from voicebot.demo.guests import Login

_ADDRESSES = ("127.0.0.1",)
_CALLS = (1, 2)  # in one turn at work
_PATIENCE_S = 60.0
_NOBODY_S = (15.0, 40.0)  # between two turns


async def keep_shift(colleagues: Sequence[Colleague], chance: random.Random) -> None:
    """One of them works at a time. Until cancelled."""
    for colleague in itertools.cycle(colleagues):
        tell({"event": "works", "name": colleague.name})
        await colleague.serve(chance.randint(*_CALLS), _PATIENCE_S)
        tell({"event": "rests", "name": colleague.name})
        await asyncio.sleep(chance.uniform(*_NOBODY_S))


async def run_colleagues(plan: Mapping[str, Any]) -> None:
    """Until cancelled. Raises TtsError, ProcessFailed, Refused, TimeoutError when they cannot begin."""
    chance = random.Random()
    agents = plan["agents"]
    async with speech_process(Path("voices")) as voice:
        lines = {
            agent["login"]: [await line(voice, text, agent["language"], agent["voice"]) for text in agent["lines"]]
            for agent in agents
        }
    async with AsyncExitStack() as stack:
        shifts: dict[str, list[Colleague]] = {}
        for agent in agents:
            client = await stack.enter_async_context(ApiClient(plan["pages"], Login(agent["login"], agent["password"])))
            sounds = lines[agent["login"]]
            mouth = None
            if sounds:
                peer = await stack.enter_async_context(BrowserPeer(_ADDRESSES, SAMPLE_RATE))
                mouth = BrowserVoice(peer, sounds)
            colleague = Colleague(agent["name"], client, mouth, chance)
            await stack.enter_async_context(colleague.at_the_desk())
            shifts.setdefault(agent["language"], []).append(colleague)
        tell({"event": "ready"})
        async with asyncio.TaskGroup() as tasks:
            for language, colleagues in shifts.items():
                tasks.create_task(keep_shift(colleagues, chance), name=f"shift {language}")


def tell(event: Mapping[str, Any]) -> None:
    print(json.dumps({"at": time.time(), **event}, ensure_ascii=False), flush=True)


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))

    async def run() -> None:
        cancelled_by_signals()
        await run_colleagues(plan)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run())


if __name__ == "__main__":
    main()
