"""What is not documented does not exist: every command, option, setting and flow step stands in the reference."""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

from flows import load_bot
from voicebot.bots import load_bots
from voicebot.caller.script import load_script
from voicebot.cli import app
from voicebot.config import Config, load_config
from voicebot.events import EVENT_TYPES, PASSING, CallEvent, event_name
from voicebot.watch.alerts import Kind
from voicebot.watch.webhooks import sign

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("voicebot", "telephony", "asr", "tts", "flows")
TUTORIAL = DOCS / "tutorial" / "first-bot.md"
RUNBOOK = DOCS / "how-to" / "run-in-production.md"


def _settings(model: type[BaseModel]) -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        names.append(field.alias or name)
        inner = _model_in(field.annotation)
        if inner is not None:
            names += _settings(inner)
    return names


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if (found := _model_in(part)) is not None:
            return found
    return None


@pytest.mark.parametrize("name", _settings(Config))
def test_every_setting_is_documented(name: str) -> None:
    text = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    assert re.search(rf"`{name}`", text), f"docs/reference/configuration.md does not name `{name}`"


@pytest.mark.parametrize("kind", [kind for kind in EVENT_TYPES if kind not in PASSING])
def test_every_event_is_documented_with_its_fields(kind: type[CallEvent]) -> None:
    text = (DOCS / "reference" / "records.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    told = " ".join(row[2] for row in rows if f"`{event_name(kind)}`" in row[1])
    stamped = {field.name for field in fields(CallEvent)}
    assert [field.name for field in fields(kind) if field.name not in stamped and f"`{field.name}`" not in told] == []


def test_the_documented_check_of_a_signature_accepts_ours() -> None:
    space: dict[str, Any] = {}
    exec(blocks(DOCS / "reference" / "webhooks.md", "python")[0], space)
    now, body = int(time.time()), '{"why": "zażółć"}'.encode()
    headers = {"X-Voicebot-Timestamp": str(now), "X-Voicebot-Signature": sign("secret", now, body)}
    assert space["is_from_the_voicebot"]("secret", headers, body)
    assert not space["is_from_the_voicebot"]("other", headers, body)
    assert not space["is_from_the_voicebot"]("secret", headers | {"X-Voicebot-Timestamp": str(now - 301)}, body)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_alert_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in (DOCS / "reference" / "webhooks.md").read_text(encoding="utf-8")


def commands() -> dict[str, Any]:
    """Every command by its name, those of groups as "flows test"."""
    return _commands_in(typer.main.get_command(app), "")


def _commands_in(group: Any, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        is_group = hasattr(command, "commands")
        found |= _commands_in(command, f"{prefix}{name} ") if is_group else {f"{prefix}{name}": command}
    return found


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    missing = []
    for name, command in commands().items():
        section = re.search(rf"^## `voicebot {name}`$(.*?)(?=^## |\Z)", text, re.M | re.S)
        if section is None:
            missing.append(name)
            continue
        options = [option for param in command.params for option in param.opts if option.startswith("--")]
        missing += [f"{name} {option}" for option in options if option != "--help" and option not in section[1]]
    assert missing == []


def pages() -> list[Path]:
    return [*DOCS.rglob("*.md"), ROOT / "README.md"]


def blocks(page: Path, kind: str = "") -> list[str]:
    """Contents of the fenced blocks of that kind."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [text for found, text in fenced if found == kind]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in pages():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_every_page_stands_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    named = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)]+)\)", index)}
    assert set(DOCS.rglob("*.md")) - named == {DOCS / "README.md"}


def test_commands_that_pages_show_exist() -> None:
    known = commands()
    wrong = []
    for line in [line for page in pages() for block in blocks(page) for line in block.splitlines()]:
        words = shlex.split(line.partition("#")[0]) if re.match(r"(\S+/)?voicebot ", line) else []
        names = [" ".join(words[1:end]) for end in (2, 3, 4)]
        command = next((known[name] for name in names if name in known), None)
        options = {"--help"} | {option for param in command.params for option in param.opts} if command else set()
        if words and not {word for word in words[2:] if word.startswith("-")} <= options:
            wrong.append(line)
        elif words and command is None:
            wrong.append(line)
    assert wrong == []


# The tutorial, done


@pytest.fixture
def tutorial(tmp_path: Path) -> Path:
    """The files that the tutorial has its reader write. What is `added` to a file goes to its end."""
    for block in blocks(TUTORIAL, "yaml"):
        name = re.search(r"^# (\S+\.yaml)(, added)?$", block, re.M)
        assert name is not None, f"a file without a name:\n{block}"
        file = tmp_path / name[1]
        file.parent.mkdir(exist_ok=True)
        file.write_text((file.read_text(encoding="utf-8") if name[2] else "") + block, encoding="utf-8")
    return tmp_path


def test_the_files_of_the_tutorial_are_right(tutorial: Path) -> None:
    load_bots(load_config(tutorial / "voicebot.yaml"))
    load_script(tutorial / "caller.yaml")


def test_the_schemas_that_the_tutorial_names_are_there() -> None:
    named = re.findall(r"\$schema=(\S+)", TUTORIAL.read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / "pizzeria" / path).resolve().exists()] == []


def test_the_conversation_of_the_tutorial_goes_as_it_says(tutorial: Path) -> None:
    (written,) = [block for block in blocks(TUTORIAL) if block.startswith("bot  ")]
    said = [line.removeprefix("you  ") for line in written.splitlines() if line.startswith("you  ")]
    result = CliRunner().invoke(app, ["chat", str(tutorial / "pizzeria")], input="\n".join(said) + "\n")
    assert result.exit_code == 0, result.output
    heard = result.output.replace("you  ", "").split()
    assert heard == " ".join(line for line in written.splitlines() if not line.startswith("you  ")).split()


def test_the_tests_that_pages_name_exist() -> None:
    named = re.findall(r"`(test_\w+)(\.py)?…?`", (DOCS / "reference" / "sip.md").read_text(encoding="utf-8"))
    files = list((ROOT / "tests").rglob("test_*.py"))
    functions = set(re.findall(r"def (test_\w+)", "".join(path.read_text(encoding="utf-8") for path in files)))
    known = {name for path in files for name in [path.stem]} | functions
    assert len(named) > 40
    assert [name for name, _ in named if not any(other.startswith(name) for other in known)] == []


# Examples of the reference


def test_the_example_of_the_settings_is_right(tmp_path: Path) -> None:
    (written,) = blocks(DOCS / "reference" / "configuration.md", "yaml")
    (tmp_path / "voicebot.yaml").write_text(written, encoding="utf-8")
    load_config(tmp_path / "voicebot.yaml")


def test_the_example_of_other_engines_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (written,) = blocks(DOCS / "how-to" / "use-other-engines.md", "yaml")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    (tmp_path / "cartesia.key").write_text("sk-2", encoding="utf-8")
    (tmp_path / "voicebot.yaml").write_text(
        written.replace("/etc/voicebot/cartesia.key", str(tmp_path / "cartesia.key")), encoding="utf-8"
    )
    config = load_config(tmp_path / "voicebot.yaml")
    assert config.recognition.service
    assert config.speech.service
    for service in (config.recognition.service, config.speech.service):
        service.blueprint.make("pl", {})


def test_the_example_of_the_edge_is_right(tmp_path: Path) -> None:
    (written,) = blocks(DOCS / "how-to" / "run-at-the-edge.md", "yaml")
    (tmp_path / "voicebot.yaml").write_text(written, encoding="utf-8")
    assert load_config(tmp_path / "voicebot.yaml").edge


def test_the_lines_of_the_log_of_the_edge_are_written_by_it() -> None:
    code = (ROOT / "voicebot" / "edge" / "templates" / "kamailio.cfg.j2").read_text(encoding="utf-8")
    table = (DOCS / "how-to" / "run-at-the-edge.md").read_text(encoding="utf-8").partition("## What the log says")[2]
    parts = [
        part for row in re.findall(r"^\| `(.*?)` \|", table, re.M) for part in row.split("...") if part.strip(" :")
    ]
    assert len(parts) > 6
    assert [part for part in parts if part not in code] == []


def test_the_example_of_a_language_model_is_right(tmp_path: Path) -> None:
    (written,) = blocks(DOCS / "how-to" / "use-a-language-model.md", "yaml")
    (tmp_path / "voicebot.yaml").write_text(written, encoding="utf-8")
    config = load_config(tmp_path / "voicebot.yaml")
    assert config.language_model
    assert config.language_model.sure == 0.8


def test_the_example_of_a_callers_script_is_right(tmp_path: Path) -> None:
    (written,) = blocks(DOCS / "reference" / "caller-scripts.md", "yaml")
    (tmp_path / "order.yaml").write_text(written, encoding="utf-8")
    load_script(tmp_path / "order.yaml")


# The runbook


def test_the_configuration_of_the_runbook_is_right(tmp_path: Path) -> None:
    (written,) = blocks(RUNBOOK, "yaml")
    (tmp_path / "voicebot.yaml").write_text(written, encoding="utf-8")
    config = load_config(tmp_path / "voicebot.yaml")
    shop = load_bot(ROOT / "flows" / "examples" / "shop")
    assert {shop.queue} == set(config.queues)


def test_the_lines_of_the_log_that_the_runbook_explains_are_written_by_the_program() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    )
    table = RUNBOOK.read_text(encoding="utf-8").partition("## What the log says")[2].partition("\n## ")[0]
    lines = [line for row in re.findall(r"^\| (`.*?) \|", table, re.M) for line in re.findall(r"`([^`]+)`", row)]
    assert len(lines) > 15
    parts = {part.strip() for line in lines for part in line.split("…")} - {"", ")"}
    assert [part for part in parts if part.strip(" ():;") not in code] == []
