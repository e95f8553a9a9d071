"""`voicebot flows publish`, `versions`, `diff`, `rollback`."""

from __future__ import annotations

import difflib
import getpass
import json
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows import Known
from voicebot.bots import load_folder, load_source
from voicebot.check import check_tests
from voicebot.config import Config
from voicebot.versions.package import Package
from voicebot.versions.store import Version, VersionStore


def publish(config: Config, folder: Path, *, author: str, note: str, console: Console) -> None:
    """Check a folder and keep it as the version that answers. Raises FlowProblems, CannotPack, RecordsUnavailable."""
    loaded = load_folder(folder, Known(queues=frozenset(config.queues)))
    check_tests(folder, loaded.bot)
    name = loaded.bot.name
    store = VersionStore(config.data)
    try:
        package = Package.of_folder(folder, loaded.recordings.names)
        done = store.publish(name, package, author=author or getpass.getuser(), note=note)
    finally:
        store.close()
    number = done.version.number
    if done.new:
        console.print(f"Version {number} of the bot {name} was published; new calls are answered by it.")
    else:
        console.print(f"These files are version {number} of the bot {name}; new calls are answered by it.")
    if not any(entry.published == name for entry in config.numbers):
        console.print(f"No number of the configuration names it yet: write `published: {name}`.")


def show_versions(config: Config, bot: str, *, as_json: bool, console: Console) -> None:
    """The versions of a bot, the newest first. Raises VersionNotFound."""
    store = VersionStore(config.data)
    try:
        versions = store.versions(bot)
    finally:
        store.close()
    if as_json:
        print(json.dumps([_as_json(version) for version in versions], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("version", "", "published", "by", "sha256", "note"):
        table.add_column(column)
    for version in versions:
        at = version.published_at.astimezone(config.timezone)
        table.add_row(
            *(str(version.number), "answers" if version.answers else "", f"{at:%Y-%m-%d %H:%M}"),
            *(escape(version.author), version.sha256[:12], escape(version.note)),
        )
    console.print(table)


def _as_json(version: Version) -> dict[str, object]:
    return {
        "bot": version.bot,
        "version": version.number,
        "answers": version.answers,
        "published_at": version.published_at.isoformat(),
        "author": version.author,
        "note": version.note,
        "sha256": version.sha256,
    }


def show_difference(config: Config, bot: str, first: int, second: int, *, console: Console) -> None:
    """What changed from the first version to the second. Raises VersionNotFound."""
    store = VersionStore(config.data)
    try:
        before, after = store.package(bot, first), store.package(bot, second)
    finally:
        store.close()
    lines = list(difference(before, after, str(first), str(second)))
    for line in lines:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(line, style=colour, markup=False, highlight=False, soft_wrap=True)
    if not lines:
        console.print("There is no difference.")


def difference(before: Package, after: Package, first: str, second: str) -> Iterator[str]:
    """Lines as `diff -u` has them; of files that are no text only that they differ."""
    for path in sorted({*before.files, *after.files}):
        old, new = before.files.get(path), after.files.get(path)
        if old == new:
            continue
        try:
            texts = [(content or b"").decode("utf-8").splitlines() for content in (old, new)]
        except UnicodeDecodeError:
            what = "is new" if old is None else "is gone" if new is None else "is another"
            yield f"{path} {what}"
            continue
        old_name = "/dev/null" if old is None else f"{path} ({first})"
        new_name = "/dev/null" if new is None else f"{path} ({second})"
        yield from difflib.unified_diff(texts[0], texts[1], old_name, new_name, lineterm="")


def roll_back(config: Config, bot: str, number: int, *, author: str, console: Console) -> None:
    """Let an earlier (or later) version answer. It is checked anew: the program may have become stricter since.

    Raises VersionNotFound, FlowProblems.
    """
    load_source(bot, config, version=number)
    store = VersionStore(config.data)
    try:
        before = store.current(bot)
        store.roll_back(bot, number, author=author or getpass.getuser())
    finally:
        store.close()
    if before == number:
        console.print(f"Version {number} of the bot {bot} answers already.")
    else:
        console.print(f"New calls are answered by version {number} of the bot {bot}, no longer by version {before}.")
