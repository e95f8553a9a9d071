"""The text chat: keys, silence, people, what is known, the log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli import app

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"


def chat(*lines: str, options: tuple[str, ...] = ()) -> str:
    result = CliRunner().invoke(app, ["chat", str(SHOP), "--language", "en", *options], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("lines", "heard"),
    [
        (("where is my parcel",), "six-digit order number"),
        (("where is my parcel", ""), "I can not hear anything"),
        (("where is my parcel", "#123456"), "123456. Is that right?"),
        (("where is my parcel", "/over 123456"), "123456. Is that right?"),
        (("order 123456", "/slots"), 'order_number: "123456"'),
        (("order 123456", "/slots"), "flow: order_status"),
        (("/slots",), "flow: none"),
        (("#0",), "The call goes to people: queue service"),
        (("#0", "hello"), "The bot has given the call away."),
        (("#0", "/nobody"), "call you back"),
        (("/nobody",), "/nobody can not be done now"),
        (("/over",), "/over can not be done now"),
        (("/help",), "An empty line is silence"),
        (("goodbye", "never read"), "Thank you for calling. Goodbye."),
    ],
)
def test_what_is_written_and_what_is_heard(lines: tuple[str, ...], heard: str) -> None:
    assert heard in chat(*lines)


def test_the_callers_number_is_known() -> None:
    assert "+48600100200" in chat("#0", "/nobody", options=("--caller", "+48600100200"))


def test_every_turn_is_written_down(tmp_path: Path) -> None:
    chat("order 123456", "yes", options=("--log", str(tmp_path / "chat.jsonl")))
    turns = [json.loads(line) for line in (tmp_path / "chat.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [turn["caller"] for turn in turns] == ["", "order 123456", "yes"]
    assert turns[1]["slots"] == {"order_number": "123456"}
    assert turns[1]["bot"] == ["123456. Is that right?"]
    assert any(note["kind"] == "understood" for note in turns[1]["decisions"])
