"""Scripted conversations by telephone: a real caller, real ears, a real voice, recorded answers of the systems."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import load_bot
from flows.scripted import Played, load_conversations
from flows.testing import FakeSystemClient
from tests.integration.call_harness import SHOP
from voicebot.audio_tests.run import telephone_bot

CONVERSATIONS = """\
conversations:
  - name: order_found
    language: en
    now: 2026-12-05T10:00
    systems:
      shop.order: {status: sent, status_en: is on its way, delivery: "2026-12-07"}
    steps:
      - bot: [automated, recorded, How can I help]
      - caller: Hello, I want to check the status of my order.
      - bot: six-digit order number
      - keys: "123456"
      - bot: Is that right
      - caller: "yes"
      - bot: [2026-12-07, anything else]
      - bot: seventh of December
      - slots: {order_number: "123456"}
      - caller: no thank you
    asked_all: [shop.order: {number: "123456"}]
    outcome: contained
  - name: nobody
    language: pl
    steps:
      - keys: "0"
      - bot: łączę z konsultantem
      - nobody_answers
      - bot: weather
"""


@pytest.mark.timeout(280)
async def test_conversations_are_played_by_telephone(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("tests")))
    (folder / "tests").mkdir()
    (folder / "tests" / "all.yaml").write_text(CONVERSATIONS, encoding="utf-8")
    bot = load_bot(folder)
    played: list[Played] = []
    async with telephone_bot(bot, None) as telephone:
        for scripted in load_conversations(folder, bot):
            played.append(await telephone.play(scripted, FakeSystemClient(dict(scripted.systems)), lambda call: True))
    found, nobody = played
    assert found.mismatch is None
    assert "tests/all.yaml:26:9: The bot was to say" in str(nobody.mismatch)
    assert [line.who for line in nobody.lines[3:6]] == ["keys", "bot", "nobody_answers"]
