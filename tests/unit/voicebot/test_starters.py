"""Every starter is a whole bot in each language, and becomes the firm's own by one command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from flows import load_bot
from flows.scripted import load_conversations
from voicebot.check import check_path
from voicebot.cli import app
from voicebot.flow_tests import test_command as play_tests
from voicebot.starters import FOLDER, SAMPLE_NAMES, StarterError, new_bot, starters, without_languages

STARTERS = starters()
CHOICES = [(), ("pl",), ("en",)]


def test_the_starters_are_those_that_the_command_names() -> None:
    assert set(STARTERS) <= set(SAMPLE_NAMES)
    assert "shop" in STARTERS


@pytest.mark.parametrize("languages", CHOICES, ids=["both", "pl", "en"])
@pytest.mark.parametrize("starter", STARTERS)
def test_a_new_bot_is_right_and_its_conversations_pass(
    starter: str, languages: tuple[str, ...], tmp_path: Path
) -> None:
    new_bot(starter, tmp_path / "bot", languages=languages)
    check_path(tmp_path / "bot")
    assert load_bot(tmp_path / "bot").languages == (languages or ("pl", "en"))
    assert play_tests(tmp_path / "bot", only="", language="", audio=False, as_json=False, settings=None) == 0


@pytest.mark.parametrize("starter", STARTERS)
def test_each_language_has_twelve_conversations_and_one_that_can_be_spoken(starter: str) -> None:
    conversations = load_conversations(FOLDER / starter, load_bot(FOLDER / starter))
    for language in ("pl", "en"):
        own = [scripted for scripted in conversations if scripted.language == language]
        assert len(own) >= 12
        assert any(scripted.audio for scripted in own)


@pytest.mark.parametrize("starter", STARTERS)
def test_examples_of_one_flow_are_not_understood_as_another(starter: str) -> None:
    bot = load_bot(FOLDER / starter)
    for language in bot.languages:
        where: dict[str, str] = {}
        for name, flow in bot.flows.items():
            for example in flow.examples.get(language, ()):
                assert where.setdefault(example.casefold(), name) == name, f"{example!r} leads to two flows"


@pytest.mark.parametrize("starter", STARTERS)
def test_the_company_is_named_wherever_the_sample_was(starter: str, tmp_path: Path) -> None:
    new_bot(starter, tmp_path / "bot", company='Ania: "kwiaty" #1')
    greeting = YAML(typ="safe").load(tmp_path / "bot" / "bot.yaml")["greeting"]["machine"]
    assert all('Ania: "kwiaty" #1' in text for text in greeting.values())
    for path in (tmp_path / "bot").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not [sample for sample in SAMPLE_NAMES[starter] if sample in text], path
    check_path(tmp_path / "bot")


@pytest.mark.parametrize("starter", STARTERS)
def test_every_file_names_a_schema_that_is_there(starter: str, tmp_path: Path) -> None:
    new_bot(starter, tmp_path / "bot")
    for path in (tmp_path / "bot").rglob("*.yaml"):
        named = re.findall(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))
        assert len(named) == (path.name != "answers.yaml"), path
        assert all((path.parent / schema).resolve().exists() for schema in named), path


def test_the_command_says_what_to_type_next(tmp_path: Path) -> None:
    folder = tmp_path / "our shop"
    result = CliRunner().invoke(app, ["new", "shop", str(folder), "--language", "pl"])
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.output.splitlines()[-3:]] == ["check", "flows", "chat"]
    assert (folder / "tests" / "conversations_pl.yaml").exists()
    assert not (folder / "tests" / "conversations_en.yaml").exists()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text("bot: mine\n", encoding="utf-8")
    with pytest.raises(StarterError, match="not empty"):
        new_bot("shop", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bot.yaml"]
    assert (tmp_path / "bot.yaml").read_text(encoding="utf-8") == "bot: mine\n"


@pytest.mark.parametrize(
    ("starter", "company", "language", "message"),
    [
        ("shopp", "", "pl", "no starter shopp"),
        ("shop", "{{ name }}", "pl", "braces"),
        ("shop", "", "de", "language de"),
    ],
)
def test_what_can_not_be_is_refused(starter: str, company: str, language: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StarterError, match=message):
        new_bot(starter, tmp_path / "bot", company=company, languages=(language,))
    assert not (tmp_path / "bot").exists()


def test_a_language_is_taken_out_and_the_rest_stays_as_it_was() -> None:
    written = (
        "# First.\nsay:\n  pl: Dzień dobry.\n  en: >-\n    Good\n    day.\nwords: {pl: [tak, no], en: [yes]}\n"
        "examples:\n  pl:\n    - raz\n  en:\n    - one\n    - two\n\n# Last.\nsteps: [ask_more]  # no more\n"
    )
    assert without_languages(written, {"en"}) == (
        "# First.\nsay:\n  pl: Dzień dobry.\nwords: {pl: [tak, no]}\n"
        "examples:\n  pl:\n    - raz\n\n# Last.\nsteps: [ask_more]  # no more\n"
    )
    assert without_languages(written, {"pl"}) == (
        "# First.\nsay:\n  en: >-\n    Good\n    day.\nwords: {en: [yes]}\n"
        "examples:\n  en:\n    - one\n    - two\n\n# Last.\nsteps: [ask_more]  # no more\n"
    )
