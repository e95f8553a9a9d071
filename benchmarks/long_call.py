"""Whether the bot answers as soon at the end of a long call as at its beginning.

One caller asks for an order's status again and again in one call, for half an hour unless told otherwise; measured is
what goes over the wire, from the caller's last audible word to the first audible answer. Printed are the medians of the
first and of the last fifth of the turns, and by how many milliseconds the answers slow down in ten minutes (the
Theil-Sen slope: the median of the slopes between any two turns, which single slow answers do not move).

    python -m benchmarks.long_call [--minutes 30] [--json]

The last line of `--json` is {"figures": {...}, "machine": {...}}. A call that ended early says so by `minutes`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from ruamel.yaml import YAML

from benchmarks.latency_dialog import BOT
from benchmarks.latency_stage import Running, ours, shop
from benchmarks.latency_talk import NUMBERS
from benchmarks.machine import machine
from benchmarks.report import tell
from telephony.baresip import BaresipEndpoint
from telephony.leg import EndpointSettings
from telephony.media import MediaThread
from voicebot.caller.caller import RTP_PORTS, Caller, prepare
from voicebot.caller.result import CallerResult, MeasuredTurn, with_wire
from voicebot.caller.script import Listen, Say, Script
from voicebot.caller.sounds import speech_process
from voicebot.caller.wiretap import Wiretap
from voicebot.demo.stage import LOCALHOST

ROUND = ("Gdzie jest moja paczka?", "jeden dwa trzy cztery pięć sześć", "tak", "tak")
SHORTEST_ROUND_S = 15.0
AFTERWORD_S = 0.3  # for the last packets to reach the tap
NO_LIMIT = 100_000
PARTS = 5


def patient_bot(folder: Path) -> Path:
    """The example shop, which gives no caller to people for having talked too long."""
    shutil.copytree(BOT, folder)
    yaml = YAML()
    bot = yaml.load(folder / "bot.yaml")
    bot["limits"] = {"turns_per_flow": NO_LIMIT, "turns_per_call": NO_LIMIT}
    yaml.dump(bot, folder / "bot.yaml")
    return folder


def script(minutes: float) -> Script:
    """More rounds than fit into the time."""
    rounds = int(minutes * 60 / SHORTEST_ROUND_S) + 1
    steps = [step for _ in range(rounds) for text in ROUND for step in (Listen(deadline_s=25), Say(text=text))]
    brief = Script(
        script="long_call", language="pl", voice="espeak:pl+m6", dial=NUMBERS["pl"], steps=(), deadline_s=minutes * 60
    )
    return brief.model_copy(update={"steps": tuple(steps)})  # more of them than a caller's file may hold


async def call(bot: Running, long: Script) -> CallerResult:
    async with speech_process(Path("voices")) as voice:
        said = await prepare(long, voice)
    endpoint = BaresipEndpoint(EndpointSettings(LOCALHOST, 0, RTP_PORTS, "caller", ("pcma",), max_calls=2))
    media = MediaThread(asyncio.get_running_loop())
    media.start()
    try:
        await endpoint.start()
        with Wiretap((LOCALHOST, bot.sip_port)) as tap:
            host, port = tap.address
            caller = Caller(long, said, endpoint, media, lambda event: None)
            result = await caller.call(f"sip:{long.dial}@{host}:{port}")
            await asyncio.sleep(AFTERWORD_S)
            return with_wire(result, tap.captures[-1], None)
    finally:
        await endpoint.stop()
        await asyncio.to_thread(media.stop)


def figures(result: CallerResult) -> dict[str, Any]:
    turns = result.turns
    part = max(1, len(turns) // PARTS)
    return {
        "minutes": round(result.seconds / 60, 1),
        "turns": len(turns),
        "v2v_p50_ms_first_fifth": middle(turns[:part]),
        "v2v_p50_ms_last_fifth": middle(turns[-part:]),
        "slower_ms_per_10_minutes": slope(turns),
    }


def middle(turns: Sequence[MeasuredTurn]) -> float | None:
    return round(median(turn.voice_to_voice_ms for turn in turns), 1) if turns else None


def slope(turns: Sequence[MeasuredTurn]) -> float | None:
    """Theil (1950), Sen (1968)."""
    slopes = [
        (later.voice_to_voice_ms - earlier.voice_to_voice_ms) / (later.said_end_at - earlier.said_end_at)
        for earlier, later in combinations(turns, 2)
    ]
    return round(600 * median(slopes), 1) if slopes else None


async def measure(minutes: float, folder: Path) -> dict[str, Any]:
    async with shop(folder) as env:
        bot = ours(folder, 1, env, bot=patient_bot(folder / "bot"), longest_call_s=60 * minutes + 60)
        async with bot as running:
            return figures(await call(running, script(minutes)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="long-call-") as folder:
        told, described = asyncio.run(measure(options.minutes, Path(folder))), machine()
    tell(told, described, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
