"""answers.yaml: its mistakes, and what it answers."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows import CallSystem, FlowProblems, load_bot
from flows.testing import Conversation, FakeSystemClient

BASE = Path(__file__).parents[2] / "data" / "flows" / "base"
SYSTEMS = (
    "systems:\n  shop:\n    url: http://127.0.0.1:1\n    operations:\n"
    '      order: {path: "/orders/{number}", answer: {place: text, day: date?}}\n'
    '      cancel: {method: POST, path: "/orders/{number}/cancel"}\n'
)
RIGHT = """
shop.order:
  by: number
  answers:
    "123456": {place: "here, {{ number }}", day: "{{ today | plus_days(2) }}", dropped: 1}
    "500500": failed
    "600600": {slow_s: 3, then: failed}
shop.cancel: [unknown, {id: R-1}]
"""


def bot(folder: Path, answers: str) -> Any:
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    (folder / "systems.yaml").write_text(SYSTEMS, encoding="utf-8")
    (folder / "answers.yaml").write_text(answers, encoding="utf-8")
    return load_bot(folder)


def recorded(folder: Path) -> FakeSystemClient:
    loaded = bot(folder, RIGHT)
    return FakeSystemClient(loaded.answers, clock=lambda: datetime(2026, 11, 23, 10), operations=loaded.operation)


async def ask(systems: FakeSystemClient, operation: str, number: str = "") -> tuple[str, Any]:
    result = await systems.call(CallSystem("c", operation, {"number": number}))
    return result.outcome, result.data


async def test_what_is_recorded_is_answered(tmp_path: Path) -> None:
    systems = recorded(tmp_path)
    assert await ask(systems, "shop.order", "123456") == ("ok", {"place": "here, 123456", "day": "2026-11-25"})
    assert await ask(systems, "shop.order", "500500") == ("failed", None)
    assert await ask(systems, "shop.order", "1") == ("not_found", None)
    assert systems.took_s == 0
    assert await ask(systems, "shop.order", "600600") == ("failed", None)
    assert systems.took_s == 3
    assert [call.arguments["number"] for call in systems.asked] == ["123456", "500500", "1", "600600"]


async def test_a_list_is_used_up_and_stays_whole_for_the_next_call(tmp_path: Path) -> None:
    systems = recorded(tmp_path)
    for wanted in (("unknown", None), ("ok", {"id": "R-1"}), ("ok", {"id": "R-1"})):
        assert await ask(systems, "shop.cancel") == wanted
    assert len(systems.answers["shop.cancel"]) == 2


@pytest.mark.parametrize(
    ("check", "outcome", "asked"),
    [
        ({"place": "here"}, "ok", ["shop.cancel", "shop.cancelled"]),
        ("not_found", "ok", ["shop.cancel", "shop.cancelled", "shop.cancel"]),
        ("failed", "unknown", ["shop.cancel", "shop.cancelled"]),
    ],
)
async def test_an_unknown_outcome_is_looked_into(check: Any, outcome: str, asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    loaded = bot(tmp_path / "bot", RIGHT)
    cancel = loaded.operation("shop.cancel").model_copy(update={"check": "cancelled"})
    answers = {"shop.cancel": ["unknown", {"id": "R-1"}], "shop.cancelled": check}
    systems = FakeSystemClient(
        answers, operations=lambda name: cancel if name == "shop.cancel" else loaded.operation("shop.order")
    )
    assert (await ask(systems, "shop.cancel"))[0] == outcome
    assert [call.operation for call in systems.asked] == asked


async def test_an_operation_without_an_answer_has_failed() -> None:
    assert await ask(FakeSystemClient(), "shop.order") == ("failed", None)


async def test_the_caller_hears_that_a_slow_system_is_being_asked(
    conversation: Conversation, systems: FakeSystemClient
) -> None:
    systems.answers = {"shop.order": {"slow_s": 3, "then": "failed"}}
    await conversation.start(language="en")
    await conversation.say("where is order 123456")
    assert (await conversation.say("yes"))[0] == "One moment, I am checking that."


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("shop.ordr: failed", "1:1: There is no operation `shop.ordr`. Did you mean `shop.order`?"),
        ("shop.order: faild", "1:13: `faild` is no answer. Did you mean `failed`?"),
        ("shop.order: unknown", "1:13: Reading never ends in `unknown`: asked again it tells. Write `failed`."),
        ("shop.cancel: []", "1:1: This list has no answer. Write one answer, or several."),
        ("shop.order: {by: number, answers: [1]}", "`answers` must be a mapping: the argument's value, the answer."),
        ("shop.order: {by: 1, answers: {a: failed}}", "1:14: `by` must be the name of an argument."),
        ("shop.order: {slow_s: x, then: failed}", "1:22: `slow_s` must be a number of seconds, 0 to 60."),
        ("shop.order: {slow_s: 1}", "A slow answer has `slow_s` and `then`, nothing else."),
        ("shop.order: {day: 2026-11-25}", "This is not as systems.yaml wants it: the answer has no `place`."),
        ("shop.order: {place: x, day: soon}", "`day` of the answer is not of the type date."),
        ("shop.order: {place: '{{ today | plus_dys(2) }}'}", "plus_dys"),
        ("shop.order: {by: number, answers: {'1': {place: 2}}}", "1:41: This is not as systems.yaml wants it"),
        ("- x", "answers.yaml:1:1: The file has to be a list of keys with values."),
    ],
)
def test_a_mistake_is_told_with_its_place(written: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(FlowProblems) as found:
        bot(tmp_path, written + "\n")
    (problem,) = found.value.problems
    assert str(problem).startswith("answers.yaml:1:")
    assert told in str(problem)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FlowProblems) as found:
        bot(tmp_path, "shop.order: x\nshop.cancel: [y, {slow_s: 100, then: z}]\nshop.none: 1\n")
    assert [(one.line, one.column) for one in found.value.problems] == [(1, 13), (2, 15), (2, 27), (2, 38), (3, 1)]
