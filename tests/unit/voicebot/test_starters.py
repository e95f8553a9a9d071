"""The bots that a firm can start from: without a mistake, and their conversations go as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.check import load_tested
from voicebot.flow_tests import test_command as play_tests

STARTERS = sorted(path.parent for path in (Path(__file__).parents[3] / "flows" / "starters").glob("*/bot.yaml"))


@pytest.mark.parametrize("folder", STARTERS, ids=lambda folder: folder.name)
def test_the_conversations_of_a_starter_go_as_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = play_tests(folder, only="", language="", audio=False, as_json=False, settings=None)
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize("folder", STARTERS, ids=lambda folder: folder.name)
def test_a_starter_has_twelve_conversations_in_each_language(folder: Path) -> None:
    bot, conversations = load_tested(folder)
    for language in bot.languages:
        own = [scripted for scripted in conversations if scripted.language == language]
        assert len(own) >= 12
        assert any(scripted.audio for scripted in own)
