"""verify: who the caller is, how often that may be tried, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import CallSystem, EmbeddedUnderstanding, Engine, FlowProblems, State, SystemResult, load_bot
from flows.actions import Handoff
from flows.attempts import MemoryAttempts
from flows.testing import Conversation, FakeSystemClient
from flows.verification import BEGIN, fingerprint, locked, same

BOT = """
bot: demo
languages: [en]
greeting: {machine: This is a machine., recording: The call is recorded., ask: How can I help?}
closing: Goodbye.
queue: service
"""
SYSTEMS = """
systems:
  shop:
    url: http://127.0.0.1:1
    personal: [name, address]
    operations:
      customer: {path: "/customers/{number}"}
      change: {method: POST, path: /changes}
"""
BALANCE = """
flow: balance
description: What do I owe?
examples: [what is my balance]
slots:
  number: {type: digits, length: 3, ask: Which number?}
  zip: {type: digits, length: 2, ask: Which zip?}
steps:
  - verify:
      facts: [number, zip]
      call: shop.customer
      with: {number: "{{ number }}"}
      match: {zip: "{{ answer.zip }}"}
  - log: "Told {{ customer.name }} the balance."
  - say: "{{ customer.name }}, you owe {{ customer.balance }}."
  - ask_more
"""
MOVE = BALANCE.replace("flow: balance", "flow: move").replace("what is my balance", "i have moved house")
ANSWERS = {
    "shop.customer": {
        "by": "number",
        "answers": {
            "123": {"zip": "45", "name": "Łucja Żak", "balance": 7},
            "124": {"zip": "46", "name": "Jan", "balance": 8},
            "999": "failed",
        },
    }
}
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def files(folder: Path, **changed: str) -> Path:
    for name, text in {"bot": BOT, "systems": SYSTEMS, "balance": BALANCE, "move": MOVE, **changed}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


class Caller:
    """A conversation of which the state goes through JSON before every turn, at an hour that can be set."""

    def __init__(self, folder: Path, systems: FakeSystemClient | None = None) -> None:
        bot = load_bot(folder)
        self.now = NOW
        self.systems = systems or FakeSystemClient(ANSWERS)
        self.systems.clock = lambda: self.now
        self.talk = Conversation(Engine(bot), EmbeddedUnderstanding(bot), self.systems, clock=lambda: self.now)

    async def say(self, *texts: str) -> list[str]:
        heard = [] if self.talk._state is not None else await self.talk.start(call_id="c")
        for text in texts:
            self.talk._state = State.from_json(self.talk.state.to_json())
            heard = await self.talk.say(text)
        return heard

    @property
    def reason(self) -> str:
        return next((action.reason for action in self.talk.actions if isinstance(action, Handoff)), "")


async def test_facts_that_agree_let_the_caller_in_and_are_asked_once_a_call(tmp_path: Path) -> None:
    caller = Caller(files(tmp_path))
    await caller.say("what is my balance", "one two three")
    assert (await caller.say("four five"))[0] == "Łucja Żak, you owe 7."
    assert (await caller.say("yes", "i have moved house"))[0] == "Łucja Żak, you owe 7."
    assert len(caller.systems.asked) == 1


async def test_the_record_holds_no_personal_value(tmp_path: Path) -> None:
    caller = Caller(files(tmp_path))
    await caller.say("what is my balance", "one two three", "four five")
    notes = {note.kind: note.data for note in caller.talk.notes()}
    assert notes["log"]["text"] == "Told [personal] the balance."
    assert "Łucja" not in str(caller.talk.notes())


async def test_the_caller_is_not_told_which_fact_was_wrong(tmp_path: Path) -> None:
    wrong_zip, wrong_number = Caller(files(tmp_path)), Caller(files(tmp_path))
    first = await wrong_zip.say("what is my balance", "one two three", "four four")
    second = await wrong_number.say("what is my balance", "one two two", "four five")
    assert first == second == ["These details do not match. Let us try once more.", "Which number?"]


async def test_after_the_last_try_the_branch_is_taken_and_nothing_was_said(tmp_path: Path) -> None:
    caller = Caller(files(tmp_path))
    await caller.say("what is my balance", "one two three", "four four")
    heard = await caller.say("one two three", "four six")
    assert (caller.reason, len(heard)) == ("not_verified", 1)


async def test_a_second_try_may_be_right(tmp_path: Path) -> None:
    caller = Caller(files(tmp_path))
    await caller.say("what is my balance", "one two three", "four four")
    assert (await caller.say("one two three", "four five"))[0] == "Łucja Żak, you owe 7."


async def test_a_system_that_fails_gives_the_call_to_people_and_costs_no_try(tmp_path: Path) -> None:
    caller = Caller(files(tmp_path))
    await caller.say("what is my balance", "nine nine nine", "four four")
    assert caller.reason == "system_down"
    assert isinstance(caller.systems.attempts, MemoryAttempts)
    assert not caller.systems.attempts.tries


async def test_five_failed_tries_in_any_calls_lock_the_first_fact_for_a_day(tmp_path: Path) -> None:
    systems = FakeSystemClient(ANSWERS)
    tries = 0
    for call in range(3):
        caller = Caller(files(tmp_path), systems)
        await caller.talk.start(call_id=f"c{call}", caller=f"60010020{call}")
        await caller.say("what is my balance")
        while tries < 5 and not caller.reason:
            await caller.say("one two three", "four four")
            tries += 1
        if tries == 5:
            await caller.say("one two three", "four five")
    assert caller.reason == "verification_locked"
    other = Caller(tmp_path, systems)
    await other.talk.start(call_id="other")
    assert (await other.say("what is my balance", "one two four", "four six"))[0] == "Jan, you owe 8."
    for hours, reason in ((23, "verification_locked"), (25, "")):
        later = Caller(tmp_path, systems)
        later.now = NOW + timedelta(hours=hours)
        await later.talk.start(call_id=f"later{hours}")
        await later.say("what is my balance", "one two three", "four five")
        assert later.reason == reason


async def test_tries_that_can_not_be_counted_are_not_given(tmp_path: Path) -> None:
    class Broken(FakeSystemClient):
        async def call(self, action: CallSystem) -> SystemResult:
            failed = action.operation == BEGIN
            return SystemResult(action.id, "failed") if failed else await super().call(action)

    caller = Caller(files(tmp_path), Broken(ANSWERS))
    await caller.say("what is my balance", "one two three", "four five")
    assert (caller.reason, caller.systems.asked) == ("system_down", [])


async def test_who_names_another_customer_is_verified_anew(tmp_path: Path) -> None:
    move = MOVE.replace("[i have moved house]", '["i have moved house", "customer {number} has moved house"]')
    caller = Caller(files(tmp_path, move=move))
    await caller.say("what is my balance", "one two three", "four five")
    assert await caller.say("yes", "customer one two four has moved house") == ["Which zip?"]
    assert (await caller.say("four five"))[0] == "These details do not match. Let us try once more."
    assert caller.talk.state.data["verified"] is None


@pytest.mark.parametrize(
    ("given", "true", "agrees"),
    [
        ("Łódź", "lodz", True),
        (" ul.  Długa 5 ", "UL. DLUGA 5", True),
        ("1990-05-01", "19900501", True),
        ("12", 12, True),
        ("12", 12.0, True),
        ("", "", False),
        ("None", None, False),
        ("a", "b", False),
    ],
)
def test_facts_are_compared_without_case_spaces_and_accents(given: Any, true: Any, agrees: bool) -> None:
    assert same(given, true) is agrees


@given(st.lists(st.integers(0, 100), max_size=12))
def test_no_more_than_five_tries_fail_within_a_day(hours: list[int]) -> None:
    failed: list[datetime] = []
    for hour in sorted(hours):
        now = NOW + timedelta(hours=hour)
        if not locked(failed, now):
            failed.append(now)
    assert all(later - first >= timedelta(hours=24) for first, later in zip(failed, failed[5:], strict=False))


def test_what_is_kept_of_a_fact_needs_the_key() -> None:
    print_ = fingerprint(b"key", "shop", "number", "12 3")
    assert print_ == fingerprint(b"key", "shop", "number", "123")
    assert print_ != fingerprint(b"other", "shop", "number", "123") != fingerprint(b"key", "shop", "zip", "123")
    assert "123" not in print_


# The rule about personal fields

VERIFY = """  - verify:
      facts: [number, zip]
      call: shop.customer
      with: {number: "{{ number }}"}
      match: {zip: "{{ answer.zip }}"}
"""
HEAD = BALANCE.partition("steps:\n")[0] + "steps:\n"
READ = (
    '  - collect: [number, zip]\n  - call: shop.customer\n    with: {number: "{{ number }}"}\n'
    "    save: who\n    failed: {handoff: x}\n"
)
SAY = '  - say: "{{ who.name }}"\n'


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [
        (READ + SAY, False),
        (READ + VERIFY + SAY, True),
        (VERIFY + READ + SAY, True),
        (READ + SAY + VERIFY, False),
        (READ + '  - say: "{{ who.balance }}"\n' + VERIFY, True),
        (READ + '  - say: "{{ who }}"\n' + VERIFY, False),
        (READ + "  - say: \"{{ who['address'].street }}\"\n" + VERIFY, False),
        (READ + '  - set: {hi: "{{ who.name }}"}\n  - say: "{{ hi }}"\n' + VERIFY, False),
        (READ + '  - say: "{{ who.name }}"\n    when: verified\n' + VERIFY, True),
        (READ + VERIFY.replace("  - verify:", "  - when: not verified\n    verify:") + SAY, True),
        (READ + VERIFY.replace("  - verify:", "  - when: number\n    verify:") + SAY, False),
        (READ + VERIFY + "      failed: {say: No.}\n" + SAY, False),
        (READ + VERIFY + "      failed: {say: No., hang_up: true}\n" + SAY, True),
        (READ + '  - when: verified\n    then: [{say: "{{ who.name }}"}]\n' + VERIFY, True),
        (READ + '  - when: verified or number\n    then: [{say: "{{ who.name }}"}]\n' + VERIFY, False),
        (READ + "  - sub_flow: move\n" + SAY + VERIFY, True),
        (READ + "  - sub_flow: open\n" + SAY + VERIFY, False),
        (READ + '  - log: "{{ who.name }}"\n' + VERIFY, True),
        (READ + "  - say: Hi.\n    label: hi\n" + VERIFY + SAY + "  - go_to: hi\n    when: caller\n", True),
    ],
)
def test_a_text_says_a_personal_field_only_after_a_verify(steps: str, allowed: bool, tmp_path: Path) -> None:
    opening = "flow: open\ndescription: Open.\nentry: false\nsteps:\n  - say: Nine.\n"
    files(tmp_path, balance=HEAD + steps, open=opening)
    problems = []
    try:
        load_bot(tmp_path)
    except FlowProblems as found:
        problems = [problem.message for problem in found.problems]
    assert all("is personal, and the caller may not have been verified here" in problem for problem in problems)
    assert (problems == []) is allowed
