"""The server of the floor benchmark: `voicebot serve` but for the recogniser, which is scripted.

python -m benchmarks.floor_server voicebot.yaml
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from voicebot import app
from voicebot.config import load_config
from voicebot.logs import configure_logging
from voicebot.processes import ChildProcess
from voicebot.serving import Wishes, serve


class ScriptedApp(app.App):
    """Its recogniser is `benchmarks.floor_hearing`."""

    def _processes(self, sockets: Path) -> tuple[ChildProcess, ...]:
        _, *others = super()._processes(sockets)
        socket = sockets / "hearing"
        argv = [sys.executable, "-m", "benchmarks.floor_hearing", "--socket", str(socket)]
        return ChildProcess("recogniser", argv, socket), *others


async def run(config: Path) -> None:
    settings = load_config(config)
    configure_logging(settings.log.level, settings.log.format)
    wishes = Wishes()
    wishes.follow_signals()
    await serve(ScriptedApp(settings), wishes)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
