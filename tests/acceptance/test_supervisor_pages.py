"""Supervisors at the pages: they see a call, listen, whisper, join in, take it over; who hears whom is measured.

Debian's Chromium by Playwright, the real `voicebot serve`, telephones and an agent's browser, all on this machine.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.acceptance.bot import Bot, Caller, CallRecord
from tests.acceptance.conftest import StartBot
from tests.acceptance.floor import (
    AGENT_HZ,
    BOT_NUMBER,
    CALLER_HZ,
    HUMAN_NUMBER,
    PASSWORD,
    SUPERVISOR_HZ,
    Desk,
    TonePhone,
    add_user,
    ask,
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
pytestmark = pytest.mark.timeout(240)

BOARD_S = 1.0
CUT_S = 2.0  # after a session has ended: what is still on its way may be heard
SPEECH_HZ = tuple(range(120, 480, 20))
_numbers = itertools.count(1)

FOLLOW = """topics => {
  const source = new EventSource(`/api/stream?topics=${topics}`);
  window.told = [];
  for (const name of ["agent", "call", "board", "alert", "bye"])
    source.addEventListener(name, ({ data }) => window.told.push(name + data));
  source.onerror = () => { window.told.push("end"); source.close(); };
}"""
COUNT_PARTIALS = """() => {
  window.partials = 0;
  const look = () => { window.partials += document.querySelectorAll("li[data-partial]").length; };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


WATCH_ROWS = """() => {
  window.rowsSeen = {};
  const look = () => document.querySelectorAll("[role=row][aria-label]").forEach((row) => {
    window.rowsSeen[row.getAttribute("aria-label")] ??= Date.now() / 1000;
  });
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
}"""


@dataclass
class Floor:
    bot: Bot
    anna: Desk  # an agent
    ewa: Desk  # a supervisor, as is Marek
    marek: Desk
    root: Desk  # an administrator

    @property
    def desks(self) -> tuple[Desk, ...]:
        return self.anna, self.ewa, self.marek, self.root


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, start_bot: StartBot) -> Iterator[Floor]:
    require_pages()
    folder = tmp_path_factory.mktemp("floor")
    bot = start_bot(floor_config(tmp_path_factory.mktemp("data"), folder, alerts={"keywords": ["paczka"]}))
    add_user(bot, "anna", "Anna Nowak", "agent")
    add_user(bot, "ewa", "Ewa Zielińska", "supervisor")
    add_user(bot, "marek", "Marek Wilk", "supervisor")
    add_user(bot, "root", "Adam Lis", "administrator")
    with (
        sync_playwright() as playwright,
        chromium(playwright, folder, AGENT_HZ) as agents,
        chromium(playwright, folder, SUPERVISOR_HZ) as supervisors,
    ):
        who: list[tuple[Browser, str]] = [(agents, "anna")]
        who += [(supervisors, login) for login in ("ewa", "marek", "root")]
        floor = Floor(bot, *(Desk(browser, bot, login) for browser, login in who))
        for desk in floor.desks:
            desk.sign_in()
        floor.anna.become_available()
        yield floor
        for desk in floor.desks:
            desk.close()


@pytest.fixture
def in_talk(floor: Floor, tmp_path: Path) -> Iterator[tuple[TonePhone, CallRecord]]:
    """A caller whom Anna talks with; Ewa looks at the board."""
    floor.ewa.open("/board")
    expect(floor.ewa.page.get_by_text("Teraz nie ma rozmów")).to_be_visible()
    floor.ewa.page.evaluate(WATCH_ROWS)
    with called(floor, tmp_path, HUMAN_NUMBER) as (phone, call):
        floor.anna.accept()
        call.until("agent_joined")
        yield phone, call
    wrapped_up(floor.anna)


@contextmanager
def called(floor: Floor, folder: Path, dial: str) -> Iterator[tuple[TonePhone, CallRecord]]:
    number = f"+48502000{next(_numbers):03d}"
    with caller(floor.bot, folder / "caller", dial, number) as phone:
        call = floor.bot.call_from(number)
        yield phone, call
        phone.obey("hang_up")
        call.ended()


def wrapped_up(agent: Desk) -> None:
    """The agent is ready for the next call."""
    if agent.api("GET", "/agent")[1]["state"] == "wrap_up":
        assert agent.api("POST", "/agent/wrap-up", {"code": "solved", "notes": ""})[0] < 300
    until(lambda: agent.api("GET", "/agent")[1]["state"] == "available", 10, lambda: f"{agent.api('GET', '/agent')}")


def listens(desk: Desk, call: CallRecord) -> None:
    """A supervisor opens the call's page and listens."""
    desk.open(f"/live/{call.call_id}")
    joins(desk)


def hears_speech(desk: Desk, within_s: float = 12) -> None:
    until(lambda: max(desk.levels(SPEECH_HZ, 0.5)) > -45, within_s, f"the bot was heard by {desk.login}")


def listeners(desk: Desk, call: CallRecord) -> list[tuple[str, str]]:
    status, live = desk.api("GET", f"/live/{call.call_id}")
    assert status == 200, live
    return [(one["login"], one["mode"]) for one in live["listeners"]]


def audited(floor: Floor, call: CallRecord, what: str) -> list[dict[str, Any]]:
    _, lines = floor.root.api("GET", f"/audit?what={what}&limit=100")
    return [line for line in lines if line["about"] == call.call_id]


def all_over(lines: list[dict[str, Any]]) -> bool:
    return all(line["duration_s"] is not None for line in lines)


def test_a_supervisor_listens_whispers_and_joins_in_on_one_connection(
    floor: Floor, in_talk: tuple[TonePhone, CallRecord]
) -> None:
    (phone, call), anna, ewa, marek = in_talk, floor.anna, floor.ewa, floor.marek
    started = call.until("call_started")
    ((label, seen),) = ewa.page.evaluate("Object.entries(rowsSeen)")
    assert started["caller"] == label.rpartition(": ")[2].replace(" ", "")
    assert seen - datetime.fromisoformat(started["at"]).timestamp() < BOARD_S
    anna.page.evaluate(FOLLOW, f"agent,board,call:{call.call_id}")
    ewa.page.get_by_role("row", name=label).click()
    joins(ewa)
    hears(ewa, CALLER_HZ, AGENT_HZ, not_=[SUPERVISOR_HZ])
    stays_unheard(phone, SUPERVISOR_HZ)
    stays_unheard(anna, SUPERVISOR_HZ)

    listens(marek, call)
    hears(marek, CALLER_HZ, AGENT_HZ)
    assert listeners(ewa, call) == [("ewa", "listen"), ("marek", "listen")]
    expect(ewa.page.get_by_text("Marek Wilk")).to_be_visible()
    marek.button("Przestań słuchać").click()
    until(lambda: listeners(ewa, call) == [("ewa", "listen")], 5, "Marek was out of the call")
    stays_unheard(marek, CALLER_HZ, AGENT_HZ, seconds=1.0)
    hears(ewa, CALLER_HZ, AGENT_HZ)

    connections = ewa.page.evaluate("connectionsMade()")
    ewa.button("Podpowiadaj").click()
    becomes(ewa, "whisper")
    hears(anna, CALLER_HZ, SUPERVISOR_HZ)
    stays_unheard(phone, SUPERVISOR_HZ)
    hears(ewa, CALLER_HZ, AGENT_HZ, not_=[SUPERVISOR_HZ])
    ewa.button("Włącz się").click()
    becomes(ewa, "barge")
    hears(phone, AGENT_HZ, SUPERVISOR_HZ)
    hears(anna, CALLER_HZ, SUPERVISOR_HZ)
    ewa.button("Słuchaj").click()
    becomes(ewa, "listen")
    hears(phone, AGENT_HZ, not_=[SUPERVISOR_HZ])
    hears(anna, CALLER_HZ, not_=[SUPERVISOR_HZ])
    hears(ewa, CALLER_HZ, AGENT_HZ)
    assert ewa.page.evaluate("connectionsMade()") == connections, "nothing of the call is missed by changing the mode"

    assert anna.api("POST", f"/live/{call.call_id}/listen", {"sdp": "v=0", "mode": "listen"})[0] == 403
    assert listeners(anna, call) == []
    anna.page.keyboard.press("m")  # something that she does learn of
    muted = "told.some((line) => line.startsWith('agent') && line.includes('\"muted\":true'))"
    until(lambda: anna.page.evaluate(muted), 5, "Anna's page was told that she is muted")
    told = "".join(anna.page.evaluate("told")).lower()
    assert "supervisor" not in told
    assert "ewa" not in told
    ewa.button("Przestań słuchać").click()
    until(lambda: all_over(audited(floor, call, "listened")), 5, "the listen ended")
    for what, times in (("listened", 3), ("whispered", 1), ("barged", 1)):
        lines = audited(floor, call, what)
        assert len(lines) == times, lines
        assert {line["who"] for line in lines} <= {"ewa", "marek"}
        assert all(line["at"] and line["duration_s"] > 0 for line in lines)


def test_a_supervisor_takes_over_gives_back_to_the_bot_takes_over_again_and_ends(
    floor: Floor, in_talk: tuple[TonePhone, CallRecord]
) -> None:
    (phone, call), anna, ewa = in_talk, floor.anna, floor.ewa
    ewa.open(f"/live/{call.call_id}")
    confirmed(ewa, "Przejmij")
    becomes(ewa, "taken_over")
    hears(phone, SUPERVISOR_HZ, not_=[AGENT_HZ])
    hears(ewa, CALLER_HZ, not_=[AGENT_HZ])
    stays_unheard(anna, CALLER_HZ, SUPERVISOR_HZ)
    expect(anna.page.get_by_test_id("wrap-up-done")).to_be_visible()

    phone.obey("tone 0")
    ewa.button("Oddaj botowi").click()
    ewa.page.get_by_role("menuitem", name="sprawdzić, gdzie jest zamówienie").click()
    call.until("bot_said", text="numer zamówienia")
    becomes(ewa, "listen")
    stays_unheard(phone, SUPERVISOR_HZ)
    hears_speech(ewa)  # the bot asks again, for nobody answers

    phone.obey(f"tone {CALLER_HZ}")
    confirmed(ewa, "Przejmij")
    becomes(ewa, "taken_over")
    hears(phone, SUPERVISOR_HZ)
    hears(ewa, CALLER_HZ)
    confirmed(ewa, "Zakończ")
    phone.until("ended", 5)
    assert call.ended()["cause"] == "ended_by_supervisor"
    expect(ewa.page.get_by_text("Ta rozmowa się skończyła")).to_be_visible()
    assert [line["who"] for line in audited(floor, call, "took_over")] == ["ewa", "ewa"]
    assert [line["who"] for line in audited(floor, call, "sent_to_bot")] == ["ewa"]
    assert [line["who"] for line in audited(floor, call, "ended_call")] == ["ewa"]


def test_a_session_that_ends_cuts_sound_and_stream_at_once(floor: Floor, in_talk: tuple[TonePhone, CallRecord]) -> None:
    (_, call), ewa, root = in_talk, floor.ewa, floor.root
    other = ewa.context.new_page()  # the same session
    ends: dict[str, Callable[[], tuple[int, Any]]] = {
        "signed out": lambda: ask(other, "DELETE", "/session"),
        "session revoked": lambda: root.api("DELETE", "/users/ewa/sessions"),
        "password changed": lambda: root.api("PATCH", "/users/ewa", {"password": PASSWORD}),
    }
    for how, end in ends.items():
        if how != "signed out":
            ewa.sign_in()
        other.goto(ewa.page.url)
        listens(ewa, call)
        hears(ewa, CALLER_HZ, AGENT_HZ)
        ewa.page.evaluate(FOLLOW, "board,alerts")
        status, told = end()
        assert status < 300, (how, told)
        time.sleep(CUT_S)
        stays_unheard(ewa, CALLER_HZ, AGENT_HZ, seconds=1.0)
        assert [name for name in ewa.page.evaluate("told") if name[:3] in ("bye", "end")][:1] == ["bye{}"], how
        expect(ewa.page.get_by_text("Sesja została zakończona")).to_be_visible()
        assert listeners(floor.marek, call) == [], how
    ewa.sign_in()
    assert all_over(audited(floor, call, "listened"))


def test_an_angry_caller_stands_on_the_board_and_is_found_among_the_past_calls(floor: Floor, tmp_path: Path) -> None:
    ewa = floor.ewa
    ewa.open("/board")
    script = ["listen", {"say": "To skandal, mam tego dość!"}, "listen", "listen"]
    with Caller(floor.bot, tmp_path, script, dial=BOT_NUMBER) as person:
        call = person.call()
        row = ewa.page.get_by_role("row").filter(has_text="Wzburzony")
        expect(row).to_be_visible(timeout=40_000)
        expect(row.get_by_text("Złość")).to_be_visible()
        assert call.until("alert_raised", kind="angry")["text"] == "Rozmówca jest zdenerwowany."
        ewa.page.get_by_role("button", name="1 otwarty alarm").click()
        ewa.button("Potwierdź").last.click()
        call.until("alert_acknowledged", who="ewa")
        person.hang_up()
        call.ended()
    until(lambda: ewa.api("GET", f"/calls/{call.call_id}")[1]["summary"], 15, "the call is written up")
    ewa.open("/calls")
    ewa.page.locator('input[aria-label="Alarmy"]').click()
    ewa.page.get_by_role("option", name="Złość").click()
    expect(ewa.page.get_by_role("row")).to_have_count(2)  # its head, and the call
    ewa.page.get_by_role("row").last.click()
    expect(ewa.page.get_by_text("Rozmówca jest zdenerwowany.")).to_be_visible()
    expect(ewa.page.get_by_text("Potwierdził(a): ewa")).to_be_visible()
    assert call.call_id in ewa.page.url


def past_call(desk: Desk, call: CallRecord) -> None:
    desk.page.get_by_role("link", name="Otwórz ją tam").click()
    expect(desk.page.get_by_role("button", name="gdzie jest moja paczka")).to_be_visible()
    desk.button("Odtwórz").click()
    until(
        lambda: desk.page.evaluate("document.querySelector('audio')?.currentTime ?? 0") > 0.5,
        10,
        "the recording played",
    )
    assert call.call_id in desk.page.url


def test_words_alerts_and_the_past_call(floor: Floor, tmp_path: Path) -> None:
    ewa, marek = floor.ewa, floor.marek
    for desk in (ewa, marek):
        desk.open("/board")
    script = ["listen", {"say": "Gdzie jest moja paczka?"}, "listen", "listen", "listen"]
    with Caller(floor.bot, tmp_path, script, dial=BOT_NUMBER) as person:
        call = person.call()
        ewa.open(f"/live/{call.call_id}")
        words = ewa.page.get_by_role("log")
        expect(words).to_contain_text("automatyczny asystent", timeout=20_000)
        ewa.page.evaluate(COUNT_PARTIALS)
        joins(ewa)
        hears_speech(ewa)
        expect(words).to_contain_text("paczka", timeout=30_000)
        expect(words).to_contain_text("numer zamówienia", timeout=30_000)
        assert ewa.page.evaluate("partials") > 0, "what the caller is saying stood there before it was said to the end"
        bells = [desk.page.get_by_role("button", name="1 otwarty alarm") for desk in (ewa, marek)]
        for bell in bells:
            expect(bell).to_be_visible()
        bells[0].click()
        ewa.button("Potwierdź").click()
        for bell in bells:
            expect(bell).to_have_count(0)
        person.hang_up()
        call.ended()
    past_call(ewa, call)


def test_no_page_offends_the_policy_that_the_server_sends(floor: Floor) -> None:
    for path in ("/desk", "/callbacks", "/board", "/calls", "/voicemails", "/users", "/tokens", "/audit"):
        floor.root.open(path)
        expect(floor.root.page.get_by_role("main").get_by_role("heading", level=1)).to_be_attached()
        floor.root.page.keyboard.press("?")  # a dialog has styles of its own
        expect(floor.root.page.get_by_role("dialog")).to_be_visible()
    for desk in floor.desks:
        offences = [told for told in desk.complaints if "Failed to load resource" not in told]
        assert offences == [], desk.login
