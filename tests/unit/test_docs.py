"""What is not documented does not exist: every command, option, setting and flow step stands in the reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from voicebot.cli import app
from voicebot.config import Config

DOCS = Path(__file__).parents[2] / "docs"


def _settings(model: type[BaseModel]) -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        names.append(name)
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


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    group = typer.main.get_command(app)
    missing = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        section = re.search(rf"^## `voicebot {name}`$(.*?)(?=^## |\Z)", text, re.M | re.S)
        if section is None:
            missing.append(name)
            continue
        options = [option for param in command.params for option in param.opts if option.startswith("--")]
        missing += [f"{name} {option}" for option in options if option != "--help" and option not in section[1]]
    assert missing == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(DOCS.parent)} -> {target}")
    assert broken == []
