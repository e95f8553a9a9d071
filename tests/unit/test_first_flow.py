"""The tutorial "your first flow", done: its files are written, its commands are run, and print what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_docs import DOCS, blocks
from voicebot.cli import app

PAGE = DOCS / "tutorial" / "first-flow.md"
VARYING = (r"\bin \d+\.\d\d s\.", r"\d{4}-\d\d-\d\d \d\d:\d\d", r"\b[0-9a-f]{12}\b")
CONTENTS = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def write(text: str, folder: Path) -> None:
    """A file of the page; what is `added` to one goes to its end."""
    name = re.match(r"# (\S+\.yaml)(, added)?$", text, re.M)
    assert name is not None, f"a file without a name:\n{text}"
    file = folder / name[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((file.read_text(encoding="utf-8") if name[2] else "") + text, encoding="utf-8")


def plain(text: str) -> list[str]:
    """Its words, without those that differ from day to day."""
    for pattern in VARYING:
        text = re.sub(pattern, "~", text)
    return text.split()


def run(command: str, *lines: str) -> str:
    result = CliRunner().invoke(app, shlex.split(command)[1:], input="\n".join([*lines, ""]))
    told = "" if isinstance(result.exception, SystemExit) else str(result.exception or "")
    return result.output + told


def do(text: str) -> None:
    """Run the commands of a block, each followed by what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, printed = part.partition("\n")
        assert plain(run(command)) == plain(printed), command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_the_tutorial_goes_as_it_says(here: Path) -> None:
    for kind, text in CONTENTS.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "yaml":
            write(text, here)
        elif text.startswith("$ "):
            do(text)
        else:
            said = [line.removeprefix("you  ") for line in text.splitlines() if line.startswith("you  ")]
            heard = run("voicebot chat library", *said).replace("you  ", "")
            assert heard.split() == " ".join(line for line in text.splitlines() if not line.startswith("you")).split()
    assert (here / "renewal.png").stat().st_size > 10_000
    tests = here / "library" / "tests" / "renewal.yaml"
    tests.write_text(tests.read_text(encoding="utf-8").replace("nothing at home", "no books at home"))
    assert "3 passed, 0 failed" in run("voicebot flows test library")


def test_every_block_is_a_file_a_command_or_the_conversation() -> None:
    rest = [text for text in blocks(PAGE) if not text.startswith(("$ voicebot ", "Company systems"))]
    assert rest == []
