"""The built wheel alone, in an empty environment: everything it needs is inside or declared."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("voicebot", "telephony", "asr", "tts", "flows")

# What is read at run time and is no Python.
DATA = (
    "asr/demo/MODEL_CARD.md",
    "asr/demo/model/model.bin",
    "asr/demo/model/tokenizer.json",
    "asr/training/texts/pl/sentences.txt",
    "flows/examples/shop/bot.yaml",
    "flows/phrases/pl.yaml",
    "flows/schemas/flow.schema.json",
    "flows/starters/shop/bot.yaml",
    "flows/starters/shop/examples/complaint.pl.txt",
    "flows/starters/shop/knowledge/pl/dostawa.md",
    "flows/starters/shop/tests/conversations_pl.yaml",
    "voicebot/demo/callers/angry_pl.yaml",
    "voicebot/demo/scenarios/1_order_pl.yaml",
    "voicebot/records/migrations/env.py",
)

START_S = 120.0


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def run(*command: str | Path, cwd: Path, timeout_s: float = 600) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment(), capture_output=True, text=True, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what the Dockerfile copies and nothing else."""
    place = tmp_path_factory.mktemp("wheel")
    stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").partition(" AS build\n")[2].partition("\nFROM ")[0]
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", stage, re.M):
        for name in copied.split():
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, place)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", place / "dist", place, cwd=place)
    (built,) = (place / "dist").glob("voicebot-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of a new environment that holds the wheel."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", place, cwd=place)
    run(place / "bin" / "pip", "install", "--quiet", "--constraint", ROOT / "requirements.lock", wheel, cwd=place)
    return place / "bin"


def health(url: str, deadline: float) -> int:
    """Status of the first answer."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


def files_of(folder: Path) -> set[str]:
    """Tracked or not, all that belongs to a package."""
    return {
        str(path.relative_to(ROOT))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_the_wheel_holds_the_packages_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert [name for name in DATA if name not in inside] == []
    assert [f"{package}/py.typed" for package in PACKAGES if f"{package}/py.typed" not in inside] == []
    assert inside == set().union(*(files_of(ROOT / package) for package in PACKAGES))


@pytest.mark.timeout(1200)
def test_its_commands_work(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "voicebot.yaml").write_text(configuration(shop(installed, tmp_path)), encoding="utf-8")
    doctor = run(installed / "voicebot", "doctor", cwd=tmp_path)
    assert "problem" not in doctor
    for what in ("voicebot.yaml", shop(installed, tmp_path)):
        assert "is correct" in " ".join(run(installed / "voicebot", "check", what, cwd=tmp_path).split())
    run(installed / "voicebot", "new", "shop", "our-shop", cwd=tmp_path)
    assert "is correct" in " ".join(run(installed / "voicebot", "check", "our-shop", cwd=tmp_path).split())
    run(installed / "voicebot", "flows", "test", "our-shop", cwd=tmp_path)
    assert "--json" in run(installed / "voicebot", "demo", "--help", cwd=tmp_path)
    texts = run(installed / "python", "-m", "asr.training", "texts", "--language", "pl", "--count", "3", cwd=tmp_path)
    assert len(texts.splitlines()) >= 3


@pytest.mark.timeout(1200)
def test_it_serves_and_ends_in_order(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "voicebot.yaml").write_text(configuration(shop(installed, tmp_path)), encoding="utf-8")
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        bot = subprocess.Popen([installed / "voicebot", "serve"], cwd=tmp_path, env=environment(), stderr=stderr)
    try:
        deadline = time.monotonic() + START_S
        while (answering := re.search(r"health at (\S+)", log.read_text(encoding="utf-8"))) is None:
            assert bot.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        assert health(answering[1], deadline) == 200
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(60) == 0
    finally:
        bot.kill()
        bot.wait()
    assert (tmp_path / "kept" / "records.sqlite3").exists()


def shop(installed: Path, cwd: Path) -> Path:
    where = Path(run(installed / "python", "-c", "import flows; print(flows.__path__[0])", cwd=cwd).strip())
    assert installed.parent in where.parents
    return where / "examples" / "shop"


def configuration(bot: Path) -> str:
    return (
        "data: kept\nsip: {port: 0}\nhttp: {port: 0}\n"
        f'numbers: [{{number: "*", bot: {bot}, language: pl}}]\nqueues: {{service: {{}}}}\n'
    )
