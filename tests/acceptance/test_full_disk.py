"""The disk is full: calls are served, what is missing is told, and what can be kept is kept once there is room."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.bot import Bot, Caller, config
from tests.acceptance.conftest import StartBot
from tests.acceptance.programs import tracebacks, until

pytestmark = pytest.mark.timeout(300)

DISK = "size=24m"


class Disk:
    """A small file system of its own; where none may be mounted, the bot's files are kept small instead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)]
        self.mounted = subprocess.run(mount, capture_output=True, timeout=10).returncode == 0

    def fill(self, bot: Bot) -> None:
        if not self.mounted:
            self._limit(bot, 24 * 1024)  # its log and its events are smaller, its recording and its database are not
            return
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for block in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        ballast.write(bytes(block))
                except OSError:
                    continue

    def make_room(self, bot: Bot) -> None:
        if self.mounted:
            (self.folder / "ballast").unlink()
        else:
            self._limit(bot, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(bot: Bot, size: int) -> None:
        _, hard = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (size, hard))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True, timeout=10)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = Disk(folder)
    yield disk
    disk.close()


def test_a_call_is_served_on_a_full_disk(start_bot: StartBot, disk: Disk, tmp_path: Path) -> None:
    with start_bot(config(disk.folder / "data")) as bot:
        before = bot.footprint()
        disk.fill(bot)
        steps = ["listen", {"keys": "1"}, "listen", {"keys": "123456"}, "listen", {"keys": "1"}, {"listen": 1500}]
        with Caller(bot, tmp_path, [*steps, {"keys": "2"}, "listen"]) as caller:
            record = caller.call()
            assert record.ended(80)["outcome"] == "contained", record.story()
            assert caller.result()["problems"] == []
        assert "w drodze" in record.said()
        assert any(fault.startswith("recording:") for fault in record.faults()), record.story()
        bot.until_idle(before)
        assert tracebacks(bot.log()) == ""
        assert "the records database refuses" in bot.log()

        disk.make_room(bot)
        until(lambda: "the records database takes events again" in bot.log(), 40, bot.log)
        with closing(sqlite3.connect(bot.data / "records.sqlite3", timeout=10)) as database:
            of_this_call = "select count(*) from events where call_id = ? and event = 'call_ended'"
            until(
                lambda: database.execute(of_this_call, (record.call_id,)).fetchone() == (1,),
                20,
                "the call was recorded",
            )
        bot.assert_stops_cleanly()
