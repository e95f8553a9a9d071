"""`voicebot serve` takes up a published version, and its folders on SIGHUP, while a caller talks to it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.bot import SHOP_BOT, Caller, config
from tests.acceptance.conftest import StartBot
from tests.acceptance.programs import until

pytestmark = pytest.mark.timeout(300)

GREETING = "W czym mogę pomóc?"
OTHER = "Słucham, w czym pomóc?"


def publish(settings: Path, folder: Path) -> None:
    argv = [sys.executable, "-m", "voicebot", "flows", "publish", str(folder), "--config", str(settings)]
    subprocess.run(argv, check=True, timeout=120, capture_output=True)


def test_versions_and_folders_change_under_a_call(start_bot: StartBot, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP_BOT, tmp_path / "shop"))
    settings = config(tmp_path / "data", bots={"100": folder})
    settings["numbers"].append({"number": "200", "published": "shop", "language": "pl"})
    before = tmp_path / "before.yaml"
    before.write_text(json.dumps(settings), encoding="utf-8")
    publish(before, folder)
    with start_bot(settings) as bot, Caller(bot, tmp_path, ["listen", {"wait": 60}]) as caller:
        call = caller.call()
        call.until("bot_said", text=GREETING)
        file = folder / "bot.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(GREETING, OTHER), encoding="utf-8")
        publish(bot.config, folder)
        until(lambda: [event for event in bot.told() if event["event"] == "bot_taken"], 60, bot.log)
        (taken,) = [event for event in bot.told() if event["event"] == "bot_taken"]
        assert (taken["bot"], taken["version"]) == ("shop", 2)
        bot.send(signal.SIGHUP)
        until(lambda: sum(event["event"] == "bot_taken" for event in bot.told()) == 3, 60, bot.log)
        assert not call.events("call_ended"), "the call goes on"
        for number, version in (("100", 0), ("200", 2)):
            with Caller(bot, tmp_path, ["listen"], dial=number) as second:
                record = second.call()
                record.until("bot_said", text=OTHER)
                assert record.events("call_started")[0]["version"] == version
                second.hang_up()
                record.ended()
        caller.hang_up()
        assert call.ended(60)["outcome"] == "abandoned"
