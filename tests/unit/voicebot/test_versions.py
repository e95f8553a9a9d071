"""Versions of bots: what is kept, that it stays what it was, and what is said when the database refuses."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli import app
from voicebot.errors import RecordsUnavailable
from voicebot.records import database
from voicebot.records.database import DATABASE
from voicebot.versions import Package, VersionStore
from voicebot.versions.package import CannotPack
from voicebot.versions.store import VersionDamaged, VersionNotFound

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
FIRST = Package({"bot.yaml": b"bot: shop\n", "recordings/hello.wav": b"RIFF\x00\xff"})
SECOND = Package({**FIRST.files, "bot.yaml": b"bot: shop\nlanguages: [pl]\n"})


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[VersionStore]:
    opened = VersionStore(tmp_path)
    yield opened
    opened.close()


def test_versions_are_numbered_and_the_last_one_answers(versions: VersionStore) -> None:
    assert versions.publish("shop", FIRST, author="ola", note="first").version.number == 1
    assert versions.publish("shop", SECOND, author="jan").version.number == 2
    assert versions.publish("clinic", FIRST, author="jan").version.number == 1
    newest, oldest = versions.versions("shop")
    assert (newest.number, newest.author, newest.answers) == (2, "jan", True)
    assert (oldest.number, oldest.author, oldest.note, oldest.answers) == (1, "ola", "first", False)
    assert versions.package("shop", 1) == FIRST
    assert versions.package("shop", 2) == SECOND


def test_the_same_files_are_the_same_version(versions: VersionStore) -> None:
    versions.publish("shop", FIRST, author="ola")
    versions.publish("shop", SECOND, author="ola")
    again = versions.publish("shop", FIRST, author="jan")
    assert (again.new, again.version.number, again.version.author) == (False, 1, "ola")
    assert versions.current("shop") == 1
    assert len(versions.versions("shop")) == 2


def test_rolling_back_lets_another_version_answer(versions: VersionStore) -> None:
    for package in (FIRST, SECOND):
        versions.publish("shop", package, author="ola")
    assert versions.roll_back("shop", 1, author="ola").answers
    assert versions.current("shop") == 1
    with pytest.raises(VersionNotFound, match=r"The bot shop has no version 3\. There are 1 to 2\."):
        versions.roll_back("shop", 3, author="ola")
    with pytest.raises(VersionNotFound, match=r"No bot shap was published\. Did you mean `shop`\?"):
        versions.current("shap")


def test_what_was_changed_behind_its_back_is_noticed(versions: VersionStore, tmp_path: Path) -> None:
    versions.publish("shop", FIRST, author="ola")
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE contents SET data = x'00' WHERE data = ?", (FIRST.files["bot.yaml"],))
    connection.close()
    with pytest.raises(VersionDamaged, match="Version 1 of the bot shop is not what was published"):
        versions.package("shop", 1)


def test_a_locked_database_is_told(versions: VersionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.publish("shop", FIRST, author="ola")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    hasty = VersionStore(tmp_path)
    try:
        with pytest.raises(RecordsUnavailable, match="locked by another program; nothing was changed"):
            hasty.publish("shop", SECOND, author="ola")
    finally:
        other.close()
        hasty.close()
    assert versions.current("shop") == 1


def test_a_full_disk_is_told(versions: VersionStore, tmp_path: Path) -> None:
    versions.publish("shop", FIRST, author="ola")
    with versions._database._engine.connect() as connection:  # SQLite's own limit stands in for the disk's
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large = Package({"bot.yaml": bytes(1_000_000)})
    with pytest.raises(RecordsUnavailable, match=r"is full or failing; nothing was changed\. Make room on it"):
        versions.publish("shop", large, author="ola")
    assert len(versions.versions("shop")) == 1


def test_a_package_is_what_matters_of_a_folder(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    before = Package.of_folder(folder).sha256
    (folder / "notes.txt").write_text("not the bot's")
    assert Package.of_folder(folder).sha256 == before
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "extra.yaml").write_text("conversations: []")
    (folder / "hello.wav").write_bytes(b"RIFF")
    package = Package.of_folder(folder, ("hello.wav",))
    assert {"bot.yaml", "tests/extra.yaml", "hello.wav"} < set(package.files)
    with pytest.raises(CannotPack, match=r"gone\.wav cannot be read"):
        Package.of_folder(folder, ("gone.wav",))


def test_a_package_is_laid_out_whole(tmp_path: Path) -> None:
    folder = FIRST.unpack(tmp_path)
    assert (folder / "recordings" / "hello.wav").read_bytes() == b"RIFF\x00\xff"
    (folder / "bot.yaml").write_text("changed")
    (folder / "more.yaml").write_text("flow: more")
    assert FIRST.unpack(tmp_path) == folder
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["bot.yaml", "hello.wav"]
    assert (folder / "bot.yaml").read_bytes() == FIRST.files["bot.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == [FIRST.sha256]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that names the published shop, and the shop beside it."""
    shutil.copytree(SHOP, tmp_path / "shop")
    (tmp_path / "voicebot.yaml").write_text(
        "data: var\nnumbers: [{number: '*', published: shop, language: pl}]\nqueues: {service: {}}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    """What a command prints, errors too."""
    result = CliRunner().invoke(app, arguments)
    return result.output + (str(result.exception) if result.exception and result.exit_code else "")


def test_the_commands(place: Path) -> None:
    assert "No bot shop was published. Publish it" in run("check")
    assert "Version 1 of the bot shop was published" in run("flows", "publish", "shop", "--author", "ola")
    assert "These files are version 1 of the bot shop" in run("flows", "publish", "shop")
    bot = place / "shop" / "bot.yaml"
    bot.write_text(bot.read_text(encoding="utf-8").replace("Do widzenia.", "Do usłyszenia."), encoding="utf-8")
    assert "Version 2" in run("flows", "publish", "shop", "-m", "other words")
    listed = run("flows", "versions", "shop").splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["2", "answers"], ["1", listed[2].split()[1]]]
    assert "other words" in listed[1]
    changed = run("flows", "diff", "shop", "1", "2").splitlines()
    assert "-  pl: Dziękuję za telefon. Do widzenia." in changed
    assert "+  pl: Dziękuję za telefon. Do usłyszenia." in changed
    assert run("flows", "diff", "shop", "2", "2").strip() == "There is no difference."
    assert "by version 1 of the bot shop, no longer by version 2" in run("flows", "rollback", "shop", "1")
    assert "answers already" in run("flows", "rollback", "shop", "1")
    assert run("check").strip() == "voicebot.yaml is correct. Bots: shop."


def test_a_bot_with_a_mistake_is_not_published(place: Path) -> None:
    (place / "shop" / "extra.yaml").write_text("flow: extra\n")
    assert "extra.yaml" in run("flows", "publish", "shop")
    assert "No bot shop was published" in run("flows", "versions", "shop")
