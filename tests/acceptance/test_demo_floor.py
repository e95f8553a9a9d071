"""`voicebot demo --floor`: a living floor, until Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.programs import Program, tracebacks, until
from voicebot.demo.client import ApiClient
from voicebot.demo.guests import Login

STARTS_S = 180.0  # on a machine that runs other tests at the same time
TALKS_S = 180.0

pytestmark = [pytest.mark.last, pytest.mark.timeout(STARTS_S + TALKS_S + 60)]


async def test_callers_come_and_agents_take_them_until_ctrl_c(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "voicebot", "demo", "--floor", "--output", str(tmp_path / "calls")]
    with Program(argv, tmp_path / "floor") as floor:
        told = await asyncio.to_thread(until, lambda: _told(floor), STARTS_S, "the address and the login")
        board = await asyncio.wait_for(_until_somebody_talks(*told), TALKS_S)
        assert {agent["name"] for agent in board["agents"]} >= {"Anna", "Emma", "Jan", "Olivia"}
        talk = next(call for call in board["calls"] if call["phase"] == "agent")
        assert talk["caller"].replace(" ", "").startswith("+48601")

        floor.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(floor.wait, 60) == 0
        floor.assert_nothing_left()
    for log in (tmp_path / "calls" / "logs").glob("*.log"):
        assert tracebacks(log.read_text(encoding="utf-8")) == "", log.name


def _told(floor: Program) -> tuple[str, Login] | None:
    assert floor.running(), floor.output() + floor.log()
    found = re.search(r"Open +(\S+)\s+Login +(\S+)\s+Password +(\S+)", floor.output())
    return (found[1], Login(found[2], found[3])) if found else None


async def _until_somebody_talks(pages: str, login: Login) -> dict[str, Any]:
    async with ApiClient(pages, login) as client:
        while True:
            board: dict[str, Any] = await client.get("/board")
            if any(call["phase"] == "agent" for call in board["calls"]):
                return board
            await asyncio.sleep(1)
