"""A callback from the promise to the talk, and the service number: real telephones, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.acceptance.bot import Bot
from tests.acceptance.floor import (
    AGENT_HZ,
    CALLER_HZ,
    HUMAN_NUMBER,
    SUPERVISOR_HZ,
    Desk,
    TonePhone,
    add_user,
    becomes,
    caller,
    chromium,
    confirmed,
    floor_config,
    hears,
    joins,
    no_tasks_left,
    require_pages,
    stays_unheard,
)
from tests.acceptance.programs import until

__all__ = ["no_tasks_left"]
pytestmark = pytest.mark.timeout(400)

NUMBER = "+48601000001"


@pytest.fixture
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def test_who_was_promised_a_callback_is_called_by_an_agent_in_the_browser(
    tmp_path: Path, playwright: Playwright
) -> None:
    require_pages()
    with TonePhone(tmp_path / "home", "--take", "--hz", str(CALLER_HZ)) as home:
        port = home.until("ready")["uri"].rpartition(":")[2].partition(";")[0]
        outbound = {"uri": f"sip:{{number}}@127.0.0.1:{port}", "allow": ["+48"]}
        settings = floor_config(tmp_path / "data", tmp_path, people={"outbound": outbound, "service_number": "80"})
        with Bot(settings, tmp_path / "bot") as bot, chromium(playwright, tmp_path, AGENT_HZ) as browser:
            bot.until_ready()
            add_user(bot, "anna", "Anna Nowak", "agent", phone="sip:201@127.0.0.1")
            add_user(bot, "boss", "Ewa Lis", "administrator")
            promised(bot, tmp_path)
            anna = Desk(browser, bot, "anna")
            anna.sign_in()
            calls_back(bot, anna, home)
            with chromium(playwright, tmp_path, SUPERVISOR_HZ) as supervisors:
                steps_in(bot, Desk(supervisors, bot, "boss"), anna, home)
            home.obey("hang_up")
            written_up(bot, anna)
            logs_in_by_phone(bot, browser, anna, tmp_path)


def promised(bot: Bot, folder: Path) -> None:
    """Nobody is there; the caller confirms the number by a key."""
    with caller(bot, folder / "first", HUMAN_NUMBER, NUMBER) as phone:
        call = bot.call_from(NUMBER)
        call.until("bot_said", step="phrases/callback_confirm")
        phone.obey("keys 1")
        assert call.ended()["outcome"] == "callback_promised"


def calls_back(bot: Bot, anna: Desk, home: TonePhone) -> None:
    anna.open("/callbacks")
    expect(anna.page.get_by_text("601 000 001")).to_be_visible()
    anna.become_available()
    anna.accept()
    home.until("answered")
    hears(anna, CALLER_HZ)
    hears(home, AGENT_HZ)
    _, mine = anna.api("GET", "/agent")
    assert mine["call"]["caller"] == NUMBER
    assert mine["call"]["caller_on_line"]


def steps_in(bot: Bot, boss: Desk, anna: Desk, home: TonePhone) -> None:
    """A supervisor hears both, is heard by none, and then has the caller in the agent's place."""
    call = next(event for event in bot.told() if event["event"] == "agent_joined")["call_id"]
    boss.sign_in()
    boss.open(f"/live/{call}")
    joins(boss)
    hears(boss, CALLER_HZ, AGENT_HZ, not_=(SUPERVISOR_HZ,))
    stays_unheard(home, SUPERVISOR_HZ)
    stays_unheard(anna, SUPERVISOR_HZ)
    confirmed(boss, "Przejmij")
    becomes(boss, "taken_over")
    hears(home, SUPERVISOR_HZ, not_=(AGENT_HZ,))
    hears(boss, CALLER_HZ, not_=(AGENT_HZ,))
    for what in ("listened", "took_over"):
        assert [line["about"] for line in boss.api("GET", f"/audit?what={what}")[1]] == [call]


def written_up(bot: Bot, anna: Desk) -> None:
    until(lambda: anna.api("GET", "/agent")[1]["state"] == "wrap_up", 20, "the agent writes it up")
    _, listed = anna.api("GET", "/callbacks")
    assert [one["state"] for one in listed] == ["reached"]
    _, view = anna.api("POST", "/agent/wrap-up", {"code": "solved", "notes": "oddzwoniono"})
    assert view["state"] == "available"
    anna.api("PUT", "/agent/state", {"state": "offline"})
    call = next(event for event in bot.told() if event["event"] == "agent_joined")["call_id"]
    assert not (bot.data / "calls" / call / "recording.wav").exists()


def logs_in_by_phone(bot: Bot, browser: Any, anna: Desk, folder: Path) -> None:
    boss = Desk(browser, bot, "boss")
    boss.sign_in()
    status, _ = boss.api("PATCH", "/users/anna", {"pin": "4071"})
    assert status == 200
    calls = len([event for event in bot.told() if event["event"] == "call_started"])
    with caller(bot, folder / "desk", "80", "201") as phone:
        phone.obey("keys 4071#")
        phone.obey("keys 1")  # early keys are not lost
        phone.until("ended")
    view = anna.api("GET", "/agent")[1]
    assert (view["state"], view["reach"]) == ("available", "phone")
    assert len([event for event in bot.told() if event["event"] == "call_started"]) == calls
