"""The Dockerfile and the CI script fit the repository. No image is built here; `make lint` runs hadolint on it."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from voicebot.people_settings import HttpSettings

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKED = {
    line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if line
}


@dataclass(frozen=True)
class Stage:
    """One `FROM` of the Dockerfile with what follows it, as (instruction, rest) pairs."""

    name: str
    base: str
    instructions: tuple[tuple[str, str], ...]


def stages() -> dict[str, Stage]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    found: dict[str, Stage] = {}
    for instruction, rest in (line.split(maxsplit=1) for line in lines if line.strip()):
        if instruction == "FROM":
            base, _, name = rest.split()
            found[name] = Stage(name, base, ())
        else:
            name, stage = list(found.items())[-1]
            found[name] = Stage(name, stage.base, (*stage.instructions, (instruction, " ".join(rest.split()))))
    return found


def history(name: str) -> list[tuple[str, str]]:
    """All instructions that make the image of a stage, those of its bases first."""
    stage = stages()[name]
    above = history(stage.base) if stage.base in stages() else []
    return [*above, *stage.instructions]


def copied(stage: str = "build") -> set[str]:
    """What a stage copies from the repository."""
    return {
        source
        for instruction, rest in stages()[stage].instructions
        if instruction == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    }


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_the_image_runs_as_an_ordinary_user_and_tells_its_health(target: str) -> None:
    last = dict(history(target))
    assert int(last["USER"]) >= 1000
    assert "tini" in last["ENTRYPOINT"]
    assert "voicebot" in last["ENTRYPOINT"]
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert f"http://127.0.0.1:{HttpSettings().port}/health" in last["HEALTHCHECK"]


def test_bases_come_from_one_release_of_python_and_debian() -> None:
    outside = {stage.base for stage in stages().values() if stage.base not in stages()}
    (base,) = outside
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", base)
    # Where pip put the CUDA libraries is written out with the version of Python.
    folder = "python" + base.removeprefix("python:").partition("-")[0]
    assert f"/opt/voicebot/lib/{folder}/site-packages/nvidia" in dict(history("cuda"))["ENV"]


def test_the_image_is_built_from_everything_the_package_needs() -> None:
    needed = {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "pyproject.toml", "requirements.lock"}
    needed |= {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert copied() == needed
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_the_image_has_the_pages_built_from_the_console() -> None:
    assert "console" in copied("pages")
    assert ("COPY", "--from=pages /src/voicebot/pages voicebot/pages") in stages()["build"].instructions


def test_git_keeps_no_build_but_packages_have_it() -> None:
    assert "/voicebot/pages" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "voicebot/pages" in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["artifacts"]


def test_nothing_that_is_copied_is_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied().isdisjoint(ignored)


def test_every_dependency_is_locked() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["dev"], *extras["gpu"]]
    names = [re.split(r"[<>=\[; ]", line)[0].lower().replace(".", "-") for line in wanted]
    assert [name for name in names if name not in LOCKED] == []


def test_the_lock_names_no_place_to_install_from() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--" not in text


def test_ci_installs_every_debian_program_that_tests_ask_for() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    packages = re.search(r"^packages=\((.*)\)$", script.read_text(encoding="utf-8"), re.M)
    assert packages is not None
    asked = {
        package
        for test in (ROOT / "tests").rglob("*.py")
        for package in re.findall(r'require_(?:program|file)\([^)]*package="([^"]+)"', test.read_text(encoding="utf-8"))
    }
    assert asked <= set(packages[1].split())
