"""Whatever lies in a bot's folder, loading it gives a bot or our mistakes: soon, and without filling the memory."""

from __future__ import annotations

import json
import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import FlowProblems, Known, load_bot
from flows.decoding import LARGEST_BYTES

BASE = Path(__file__).parents[1] / "data" / "flows" / "base"
KNOWN = Known(queues=frozenset({"service"}))
SECONDS, MEGABYTES = 20.0, 300
BRIEF = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def problems(folder: Path) -> list[str]:
    try:
        load_bot(folder, known=KNOWN)
    except FlowProblems as found:
        return [str(problem) for problem in found.problems]
    return []


@contextmanager
def bounded() -> Iterator[None]:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - began < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEGABYTES * 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "bot"))


LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)
TOO_LARGE = "order.yaml: This file is too deeply nested or too large. Split it into several flows."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (LAUGHS, TOO_LARGE),
        ("flow: " + "[" * 100_000, TOO_LARGE),
        ("flow: " + "{a: " * 5_000, TOO_LARGE),
        ("- " * 20_000, TOO_LARGE),
        ("flow: [" + "x," * 100_000 + "]", TOO_LARGE),
        ("".join(f"k{i}: 1\n" for i in range(20_000)), TOO_LARGE),
        ("a: &a {x: 1}\nb: {<<: *a}\n",
         "order.yaml:2:5: Keys can not be taken over with `<<`. Write them out here."),
        ("x" * 10_000_000, "order.yaml: This file is too large: 10,000 kB, and at most 256 are read. "
                           "Split it into several files."),
        ("a: !!python/object:os.system x", 'order.yaml:1:4: A text that begins with `!` needs quotes. Write "!...".'),
        ("", "order.yaml:1:1: This file is empty. Begin for example with `flow: order_status`."),
        ("# a comment\n" * 20_000, "order.yaml:1:1: This file is empty. Begin for example with `flow: order_status`."),
    ],
    ids=["laughs", "lists", "mappings", "dashes", "long_list", "many_keys", "merge", "ten_megabytes", "tag", "empty",
         "comments"],
)  # fmt: skip
def test_a_file_that_costs_more_than_it_says(content: str, told: str, folder: Path) -> None:
    (folder / "order.yaml").write_text(content)
    with bounded():
        assert problems(folder) == [told]


def test_a_list_that_holds_itself(folder: Path) -> None:
    (folder / "order.yaml").write_text("flow: order\nsteps: &a [*a]\n")
    with bounded():
        assert problems(folder)


def test_very_many_mistakes_are_told_in_part(folder: Path) -> None:
    (folder / "order.yaml").write_text((BASE / "order.yaml").read_text() + "".join(f"k{i}: 1\n" for i in range(5_000)))
    with bounded():
        told = problems(folder)
    assert len(told) == 101
    assert told[0] == "order.yaml: There are 4900 more mistakes in this file. Mend these first."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("flow: zażółć".encode("utf-16"), ": This file is UTF-16 text, not UTF-8. Save it with the encoding UTF-8."),
        ("flow: ab".encode("utf-16-le"), ": This file is not UTF-8 text; it seems to be UTF-16. "
                                         "Save it with the encoding UTF-8."),
        ("a: 1\nflow: zażółć gęślą jaźń".encode("cp1250"), ":2:9: This file is not UTF-8 text; it seems to be "
                                                          "Windows-1250. Save it with the encoding UTF-8."),
        ("flow: zażółć gęślą jaźń".encode("iso8859_2"), ":1:9: This file is not UTF-8 text; it seems to be "
                                                        "ISO 8859-2. Save it with the encoding UTF-8."),
        (b"flow: \xff\xff\xff", ":1:7: This file is not UTF-8 text. Save it with the encoding UTF-8."),
        (b"flow: a\nb: x\x00y", ":2:5: A character that no text has stands here (U+0000). "
                                "Delete it, or write the line anew."),
        ("flow: a\nslots:\n \xa0a: 1".encode(), ":3:2: A non-breaking space is used for indentation, as it comes with "
                                               "text copied from elsewhere. Write ordinary spaces."),
    ],
    ids=["utf16", "utf16_without_mark", "cp1250", "latin2", "bytes", "nul", "hard_space"],
)  # fmt: skip
def test_a_file_in_another_encoding(content: bytes, told: str, folder: Path) -> None:
    (folder / "order.yaml").write_bytes(content)
    assert problems(folder) == [f"order.yaml{told}"]


@pytest.mark.parametrize("change", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n")])
def test_marks_and_line_ends_of_windows_are_no_mistake(change: object, folder: Path) -> None:
    assert callable(change)
    for file in ("bot.yaml", "order.yaml"):
        (folder / file).write_bytes(change((folder / file).read_bytes()))
    assert problems(folder) == []


def test_what_is_no_file(folder: Path) -> None:
    (folder / "folder.yaml").mkdir()
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "gone.yaml").symlink_to("nowhere")
    (folder / ".#order.yaml").symlink_to("somebody@elsewhere")
    (folder / "other.yml").write_text("flow: other\n")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "systems.yaml").unlink()
    (folder / "systems.yaml").symlink_to("systems.yaml")
    told = problems(folder)
    assert told == [
        "folder.yaml: This is a folder, not a file. Give it a name that does not end in .yaml.",
        "gone.yaml: This file can not be read: No such file or directory. Check that it is there and readable.",
        "loop.yaml: This file can not be read: Too many levels of symbolic links. Check that it is there and readable.",
        "other.yml: Files that end in .yml are not read. Rename it to other.yaml.",
        "pipe.yaml: This is not a file with text. Put a .yaml file in its place, or remove it.",
        "systems.yaml: This file can not be read: Too many levels of symbolic links. "
        "Check that it is there and readable.",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_must_not_be_read(folder: Path) -> None:
    (folder / "order.yaml").chmod(0)
    assert problems(folder) == [
        "order.yaml: This file can not be read: Permission denied. Check that it is there and readable."
    ]


def test_five_thousand_flows(folder: Path) -> None:
    text = (BASE / "order.yaml").read_text()
    for number in range(5_000):
        (folder / f"order_{number}.yaml").write_text(text)
    with bounded():
        assert problems(folder) == [
            "bot.yaml: There are 5,001 files of flows in bot, and at most 300 are read. Make several bots of it."
        ]


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
keys = st.sampled_from(
    "flow description examples slots steps offer entry say collect call with save not_found failed unknown_outcome "
    "when then else choose options words label type ask length pattern confirm shared optional retry times handoff "
    "queue go_to sub_flow callback set ask_more hang_up pl en bot languages greeting phrases limits systems url".split()
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)
files = st.sampled_from(["bot.yaml", "order.yaml", "systems.yaml"])


@BRIEF
@given(tree=trees, file=files)
def test_any_tree_is_told_about(tree: object, file: str, tmp_path: Path) -> None:
    folder = shutil.copytree(BASE, tmp_path / "bot", dirs_exist_ok=True)
    (folder / file).write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8", errors="replace")
    for problem in problems(folder):
        assert problem.startswith(("bot.yaml", "order.yaml", "systems.yaml"))


@BRIEF
@given(content=st.binary(max_size=300), file=files, keep=st.integers(0, 600))
def test_any_bytes_are_told_about(content: bytes, file: str, keep: int, tmp_path: Path) -> None:
    folder = shutil.copytree(BASE, tmp_path / "bot", dirs_exist_ok=True)
    (folder / file).write_bytes((BASE / file).read_bytes()[:keep] + content)
    problems(folder)


ORDER = (BASE / "order.yaml").read_text(encoding="utf-8")


@BRIEF
@given(
    start=st.integers(0, len(ORDER)),
    length=st.integers(0, 12),
    new=st.text(alphabet="{}[]:,-|&*!%\"' \n\tabc", max_size=6),
)
def test_a_damaged_file_is_told_about(start: int, length: int, new: str, tmp_path: Path) -> None:
    folder = shutil.copytree(BASE, tmp_path / "bot", dirs_exist_ok=True)
    (folder / "order.yaml").write_text(ORDER[:start] + new + ORDER[start + length :], encoding="utf-8")
    problems(folder)


def test_the_largest_file_that_is_read_is_read_soon(folder: Path) -> None:
    text = (BASE / "order.yaml").read_text()
    filler = "# a comment that explains the next step\n"
    (folder / "order.yaml").write_text(text + filler * ((LARGEST_BYTES - len(text)) // len(filler)))
    with bounded():
        assert problems(folder) == []
