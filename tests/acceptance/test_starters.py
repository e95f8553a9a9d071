"""A conversation of each starter in each language by telephone: spoken, heard, answered, and heard again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli import app
from voicebot.starters import starters


@pytest.mark.timeout(400)
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("starter", starters())
def test_conversations_of_a_new_bot_go_by_telephone(starter: str, language: str, tmp_path: Path) -> None:
    bot = str(tmp_path / starter)
    assert CliRunner().invoke(app, ["new", starter, bot, "--language", language]).exit_code == 0
    played = CliRunner().invoke(app, ["flows", "test", bot, "--audio"])
    assert played.exit_code == 0, played.output
