"""A bot as the application loads it: its flows, and how its words are said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import EmbeddedUnderstanding, Engine, FlowProblems
from flows.testing import FakeSystemClient
from voicebot.bots import load_bot, load_pronunciations
from voicebot.config import SpeechSettings
from voicebot.parts import RunningBot

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


def test_a_bots_words_are_said_as_its_list_says(folder: Path) -> None:
    (folder / "pronunciation.yaml").write_text("- {word: InPost, say: impost}\n", encoding="utf-8")
    bot = load_bot(folder)
    running = RunningBot(
        *(bot, Engine(bot), EmbeddedUnderstanding(bot), FakeSystemClient({})),
        *(SpeechSettings(), load_pronunciations(folder)),
    )
    assert running.speech("Paczka jest w InPost.", "pl", 8000).text == "Paczka jest w Impost."


def test_mistakes_of_flows_and_of_the_list_are_told_together(folder: Path) -> None:
    (folder / "pronunciation.yaml").write_text("- {word: InPost}\n- {word: UPS, sag: ups}\n", encoding="utf-8")
    (folder / "extra.yaml").write_text("flow: extra\n", encoding="utf-8")
    with pytest.raises(FlowProblems) as raised:
        load_bot(folder)
    told = [(Path(problem.file).name, problem.line) for problem in raised.value.problems]
    assert ("pronunciation.yaml", 1) in told
    assert ("pronunciation.yaml", 2) in told
    assert "extra.yaml" in [name for name, _ in told]


def test_without_a_list_words_are_said_as_they_are(folder: Path) -> None:
    assert load_pronunciations(folder).entries == ()
