"""The bot of the wire benchmark: answers, echoes every caller through a room, and can be made busy.

Run as `python -m benchmarks.wire_bot SIP_PORT RTP_LOW RTP_HIGH MAX_CALLS NICE`; reads a line each of `usage`, `quiet`,
`busy`.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from telephony.baresip import BaresipEndpoint
from telephony.errors import LegGone
from telephony.leg import EndpointSettings, Leg
from telephony.media import MediaThread
from telephony.member import Member

_RATE = 8000
_BLOCK_S, _EVERY_S = 0.2, 1.0


class Bot:
    """Everything of one run."""

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.members: dict[str, Member] = {}
        self.media = MediaThread(asyncio.get_running_loop())
        self.tasks: set[asyncio.Task[None]] = set()
        self.concealed_before = 0

    def take(self, leg: Leg) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(leg))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, leg: Leg) -> None:
        try:
            await leg.answer()
        except LegGone:
            return
        room = self.media.open_room(_RATE)
        member = self.members[leg.id] = room.join(leg)
        # The echo takes the way of the bot's voice: tap, player, mix.
        player = room.add_player(lambda event: None)
        member.tap(lambda first, pcm: player.play("echo", pcm))
        async for _ in leg.events():
            pass
        room.close()
        self.concealed_before += _concealed(self.members.pop(leg.id))

    async def block_the_loop(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S - _BLOCK_S)
            if self.busy.is_set():
                time.sleep(_BLOCK_S)  # noqa: ASYNC251 - this is what is measured

    def burn_the_gil(self) -> None:
        number = 1
        while self.busy.wait():
            for _ in range(10000):
                number = (number * 1103515245 + 12345) & 0x7FFFFFFF

    def usage(self) -> dict[str, object]:
        lateness = self.media.lateness
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "calls": len(self.members),
            "cpu_s": used.ru_utime + used.ru_stime,
            "media_s": _thread_cpu_s("media"),
            "rss_mb": _rss_mb(),
            "lateness_ms": {"p50": lateness.p50_ms, "p99": lateness.p99_ms, "max": lateness.max_ms},
            "ticks_skipped": lateness.ticks_skipped,
            "concealed": self.concealed_before + sum(_concealed(member) for member in self.members.values()),
        }


def _concealed(member: Member) -> int:
    reception = member.reception
    return 0 if reception is None else reception.concealed


def _rss_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _thread_cpu_s(name: str) -> float:
    thread = next((thread for thread in threading.enumerate() if thread.name == name), None)
    if thread is None:
        return 0.0
    fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    sip_port, low, high, max_calls, nice = (int(argument) for argument in sys.argv[1:6])
    if nice:
        os.setpriority(os.PRIO_PROCESS, 0, nice)  # before the stack's threads, which take it over
    bot = Bot()
    settings = EndpointSettings("127.0.0.1", sip_port, (low, high), codecs=("pcma",), max_calls=max_calls)
    endpoint = BaresipEndpoint(settings)
    endpoint.on_incoming(bot.take)
    await endpoint.start()
    bot.media.start()
    threading.Thread(target=bot.burn_the_gil, name="burner", daemon=True).start()
    blocker = asyncio.create_task(bot.block_the_loop())
    loop = asyncio.get_running_loop()
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if line.strip() == "busy":
                bot.busy.set()
            elif line.strip() == "quiet":
                bot.busy.clear()
            print(json.dumps(bot.usage()), flush=True)
    finally:
        bot.busy.clear()
        blocker.cancel()
        await endpoint.stop()
        bot.media.stop()


if __name__ == "__main__":
    asyncio.run(main())
