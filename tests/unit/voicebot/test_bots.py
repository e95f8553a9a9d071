"""A bot as the application loads it: its flows, and how its words are said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import EmbeddedUnderstanding, Engine, FlowProblems
from flows.testing import FakeSystemClient
from voicebot.bots import load_bot, load_pronunciations
from voicebot.cli import app
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


def check_as_json(path: Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["check", str(path), "--json"])
    return result.exit_code, json.loads(result.output)


def test_a_check_tells_mistakes_as_json(folder: Path) -> None:
    assert check_as_json(folder) == (0, {"path": str(folder), "correct": True, "bots": ["shop"], "problems": []})
    (folder / "extra.yaml").write_text("flow: extra\ndescription: More.\nstepps: []\n", encoding="utf-8")
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "wrong.yaml").write_text("conversations:\n  - {name: one, steps: [silent]}\n")
    status, report = check_as_json(folder)
    assert (status, report["correct"], report["bots"]) == (1, False, [])
    assert {
        "file": str(folder / "extra.yaml"),
        "line": 3,
        "column": 1,
        "message": "The key `stepps` is not known here.",
        "remedy": "Did you mean `steps`?",
    } in report["problems"]
    assert (str(folder / "tests" / "wrong.yaml"), 2, 25) in [
        (problem["file"], problem["line"], problem["column"]) for problem in report["problems"]
    ]


def test_a_check_of_a_configuration_tells_mistakes_as_json(tmp_path: Path) -> None:
    path = tmp_path / "voicebot.yaml"
    path.write_text("numbers:\n  - {number: '1', published: shop, language: pl}\nsipp: {}\n")
    status, report = check_as_json(path)
    (problem,) = report["problems"]
    assert (status, problem["file"], problem["line"], problem["column"]) == (1, str(path), 3, 1)
    assert problem["message"].startswith("sipp: unknown key.")
    path.write_text("data: data\nnumbers:\n  - {number: '1', published: shop, language: pl}\n")
    status, report = check_as_json(path)
    assert (status, report["problems"][0]["message"]) == (1, "No bot shop was published.")
