"""Values are used only where they are set: ways that do set them are not complained of, others are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import FlowProblems, load_bot

BASE = Path(__file__).parents[2] / "data" / "flows" / "base"
HEAD = """
flow: more
description: More.
entry: false
slots:
  urgent: {type: yes_no, ask: {pl: Pilne?, en: Urgent?}}
  number: {type: digits, length: 6, ask: {pl: Jaki numer?, en: What number?}}
steps:
  - collect: urgent
"""
SAY = '{say: {pl: "Numer {{ number }}.", en: "Number {{ number }}."}'
ORDER = 'call: shop.order, with: {number: "1"}, save: order, failed: {say: {pl: Nie., en: No.}}'

FINE = {
    "collected before": f"""
  - collect: number
  - {SAY}}}
""",
    "collected in both branches": f"""
  - when: urgent
    then: [collect: number]
    else: [collect: number]
  - {SAY}}}
""",
    "used only where it was collected": f"""
  - {{collect: number, when: urgent}}
  - {SAY}, when: urgent}}
""",
    "the same condition, nested": f"""
  - when: urgent
    then: [collect: number]
  - when: open
    then:
      - when: urgent
        then: [{SAY}}}]
""",
    "the same condition with another one": f"""
  - {{collect: number, when: urgent}}
  - {SAY}, when: open and urgent}}
""",
    "the other branch of the same condition": f"""
  - when: urgent
    then: [say: {{pl: Tak., en: Yes.}}]
    else: [collect: number]
  - {SAY}, when: not urgent}}
""",
    "asked for whether it is there": f"""
  - {{collect: number, when: urgent}}
  - {SAY}, when: number is defined}}
""",
    "the branch where it is there": f"""
  - {{collect: number, when: urgent}}
  - when: number is not defined
    then: [say: {{pl: Nie ma., en: None.}}]
    else: [{SAY}}}]
""",
    "a value in its place": """
  - {collect: number, when: urgent}
  - say: {pl: "{{ number | default('Brak') }}.", en: "{{ number | default('None') }}."}
""",
    "chosen": f"""
  - choose:
      ask: {{pl: A czy B?, en: A or B?}}
      options:
        a: {{words: {{pl: [a], en: [a]}}}}
        b: {{words: {{pl: [b], en: [b]}}, then: [collect: number]}}
      save: kind
  - {SAY}, when: kind == "b"}}
  - when: kind == "a"
    then: [say: {{pl: A., en: A.}}]
    else: [{SAY}}}]
""",
    "the system's answer or the end": """
  - {call: shop.order, with: {number: "1"}, save: order, failed: {handoff: down}}
  - say: {pl: "{{ order.place }}.", en: "{{ order.place }}."}
""",
    "one value from another": """
  - set: {first: "{{ urgent }}", second: "{{ first }}"}
  - say: {pl: "{{ second }}.", en: "{{ second }}."}
""",
    "set before a loop": f"""
  - collect: number
  - {SAY}, label: again}}
  - {{{ORDER}}}
  - {{go_to: again, when: order is not defined}}
""",
}
WRONG = {
    "collected after": (
        f"""
  - {SAY}}}
  - collect: number
""",
        "`number` is used here before anything has set it.",
    ),
    "collected on one way": (
        f"""
  - {{collect: number, when: urgent}}
  - {SAY}}}
""",
        "There is a way to this step on which `number` is not set.",
    ),
    "another condition": (
        f"""
  - {{collect: number, when: urgent}}
  - {SAY}, when: open}}
""",
        "There is a way to this step on which `number` is not set.",
    ),
    "the opposite condition": (
        f"""
  - {{collect: number, when: urgent}}
  - {SAY}, when: not urgent}}
""",
        "There is a way to this step on which `number` is not set.",
    ),
    "another option": (
        f"""
  - choose:
      ask: {{pl: A czy B?, en: A or B?}}
      options:
        a: {{words: {{pl: [a], en: [a]}}, then: [collect: number]}}
        b: {{words: {{pl: [b], en: [b]}}}}
  - {SAY}}}
""",
        "There is a way to this step on which `number` is not set.",
    ),
    "the system gave no answer": (
        f"""
  - {{{ORDER}}}
  - say: {{pl: "{{{{ order.place }}}}.", en: "{{{{ order.place }}}}."}}
""",
        "There is a way to this step on which `order` is not set.",
    ),
    "an argument": (
        """
  - {call: shop.order, with: {number: "{{ number }}"}, failed: {handoff: down}}
  - collect: number
""",
        "`number` is used here before anything has set it.",
    ),
    "a condition": (
        """
  - {say: {pl: Tak., en: Yes.}, when: number == "1"}
  - collect: number
""",
        "`number` is used here before anything has set it.",
    ),
    "one of two conditions": (
        f"""
  - {{collect: number, when: urgent and open}}
  - {SAY}, when: urgent}}
""",
        "There is a way to this step on which `number` is not set.",
    ),
}


def told(steps: str, tmp_path: Path) -> list[str]:
    folder = tmp_path / "bot"
    shutil.copytree(BASE, folder)
    steps += "" if "collect: number" in steps else "  - collect: number\n"
    (folder / "more.yaml").write_text(HEAD + steps.lstrip("\n") + "  - ask_more\n", encoding="utf-8")
    try:
        load_bot(folder)
    except FlowProblems as found:
        return [problem.message for problem in found.problems]
    return []


@pytest.mark.parametrize("steps", FINE.values(), ids=FINE.keys())
def test_what_is_set_on_every_way_is_fine(steps: str, tmp_path: Path) -> None:
    assert told(steps, tmp_path) == []


@pytest.mark.parametrize(("steps", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_may_not_be_set_is_told(steps: str, message: str, tmp_path: Path) -> None:
    assert told(steps, tmp_path) == [message]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{number: "123456"}', []),
        ("{}", ["`number` is used here before anything has set it."]),
    ],
)
def test_a_sub_flow_has_what_every_flow_gives_it(given: str, expected: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    shutil.copytree(BASE, folder)
    more = HEAD + f"  - {SAY}}}\n  - collect: number\n"
    (folder / "more.yaml").write_text(more, encoding="utf-8")
    order = (folder / "order.yaml").read_text(encoding="utf-8")
    begun = order.replace("  - ask_more", f"  - sub_flow: more\n    with: {given}\n  - ask_more")
    (folder / "order.yaml").write_text(begun, encoding="utf-8")
    try:
        load_bot(folder)
        found = []
    except FlowProblems as problems:
        found = [problem.message for problem in problems.problems]
    assert found == expected
