"""The company's system is dead, or hangs: the caller is told, and people are asked to call back."""

from __future__ import annotations

import pytest

from tests.acceptance.bot import Bot
from tests.acceptance.conftest import Call

pytestmark = pytest.mark.timeout(300)


def asks_for(number: str) -> list[object]:
    """A caller who keys in the number of an order and affirms it."""
    return ["listen", {"keys": "1"}, "listen", {"keys": number}, "listen", {"keys": "1"}]


def test_a_dead_shop_ends_in_a_promised_callback(bot: Bot, call: Call) -> None:
    caller = call(*asks_for("123456"), {"listen": 2500}, {"keys": "1"}, {"listen": {"deadline_s": 20}}, dial="101")
    record = caller.call()
    assert record.until("system_called")["outcome"] == "failed"
    assert record.until("handoff_started")["reason"]
    ended = record.ended(60)
    assert caller.result()["problems"] == []
    assert "Nasz system teraz nie odpowiada" in record.said()
    assert "żaden konsultant nie może teraz odebrać" in record.said()
    assert record.until("callback_promised")["number"] == caller.number
    assert ended["outcome"] == "callback_promised"
    assert record.file("transcript.json")["outcome"] == "callback_promised"
    assert record.file("summary.json")


def test_a_shop_that_hangs_is_waited_for_aloud_and_not_for_ever(bot: Bot, call: Call) -> None:
    checking_and_then_bad_news = [{"listen": 1000}, {"listen": 2500}]
    caller = call(*asks_for("600600"), *checking_and_then_bad_news, {"keys": "1"}, {"listen": {"deadline_s": 20}})
    record = caller.call()
    checking = record.until("bot_said", text="sprawdzam to w systemie", timeout_s=60)
    affirmed = [event for event in record.events("keys_pressed") if event["offset_s"] < checking["offset_s"]][-1]
    asked = record.until("system_called")
    assert asked["outcome"] == "failed"
    assert checking["offset_s"] < asked["offset_s"]
    # It was said after 1.2 s; the event comes when it has been heard, about two seconds later.
    assert 1.2 <= checking["offset_s"] - affirmed["offset_s"] < 8
    assert record.ended(60)["outcome"] == "callback_promised"
    assert caller.result()["problems"] == []
    assert "Nasz system teraz nie odpowiada" in record.said()
