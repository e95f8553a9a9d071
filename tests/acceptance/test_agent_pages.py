"""Agents at the pages: calls taken, held, asked about, given away, kept through reloads; who hears whom is measured.

Debian's Chromium by Playwright, the real `voicebot serve` and telephones, all on this machine.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Playwright, expect, sync_playwright

from tests.acceptance.bot import BROWSERS, Bot
from tests.acceptance.conftest import StartBot
from tests.acceptance.floor import (
    AGENT_HZ,
    CALLER_HZ,
    HUMAN_NUMBER,
    SECOND_HZ,
    Desk,
    TonePhone,
    add_user,
    caller,
    chromium,
    floor_config,
    hears,
    no_tasks_left,
    require_pages,
    stays_unheard,
)
from tests.acceptance.programs import until

__all__ = ["no_tasks_left"]
pytestmark = pytest.mark.timeout(240)

LINE_BACK_S = 15.0
SILENCE_HZ = 0.0
MUSIC_HZ = (261.6, 293.7, 329.6, 349.2, 392.0, 440.0)
"""Of the chords of the music on hold; its overtones come near an agent's tone, but are weaker."""
HELD_DB = -24.0
"""The tone of an agent who is heard is louder, the music's overtones are weaker."""

Call = Callable[..., TonePhone]


@dataclass
class Floor:
    bot: Bot
    playwright: Playwright
    folder: Path
    annas: Browser
    ewas: Browser


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, start_bot: StartBot) -> Iterator[Floor]:
    """Callers from numbers that begin with +48700 wait in a queue where agents have 3 s to answer."""
    require_pages()
    folder = tmp_path_factory.mktemp("floor")
    settings = floor_config(
        tmp_path_factory.mktemp("data"),
        folder,
        queues={
            "service": {"ring_s": 20, "wrap_up_s": 60, "wrap_up_codes": ["solved", "complaint"]},
            "quick": {"ring_s": 3, "wrap_up_s": 60},
        },
        people={"line_back_s": LINE_BACK_S, "crm_link": "https://crm.example/?phone={caller}&queue={queue}"},
        routing=[{"when": {"caller": "+48700"}, "queue": "quick"}],
    )
    bot = start_bot(settings)
    add_user(bot, "anna", "Anna Nowak", "agent")
    add_user(bot, "ewa", "Ewa Wilk", "agent")
    with (
        sync_playwright() as playwright,
        chromium(playwright, folder, AGENT_HZ) as annas,
        chromium(playwright, folder, SECOND_HZ) as ewas,
    ):
        yield Floor(bot, playwright, folder, annas, ewas)


@pytest.fixture
def at_work(floor: Floor) -> Iterator[Callable[[str], Desk]]:
    """`at_work(login)`: an agent who takes calls. Goes home after the test."""
    desks: list[Desk] = []

    def come(login: str) -> Desk:
        desk = Desk(floor.annas if login == "anna" else floor.ewas, floor.bot, login)
        desks.append(desk)
        desk.sign_in()
        desk.become_available()
        expect(desk.page.get_by_role("button", name="Przejdź w stan dostępny")).to_be_hidden()
        return desk

    yield come
    for desk in desks:
        desk.api("PUT", "/agent/state", {"state": "offline", "reason": ""})
        desk.close()


@pytest.fixture
def call(floor: Floor, tmp_path: Path) -> Iterator[Call]:
    """`call(number)`: somebody who is given to people. Hangs up after the test."""
    with ExitStack() as calls:

        def dial(number: str) -> TonePhone:
            ringing: AbstractContextManager[TonePhone] = caller(floor.bot, tmp_path / number, HUMAN_NUMBER, number)
            return calls.enter_context(ringing)

        yield dial


def hears_music(phone: TonePhone, without: float, within_s: float = 8.0) -> None:
    """Waits until it hears the music on hold, and not this tone."""
    deadline = time.monotonic() + within_s
    while True:
        *music, tone = phone.levels((*MUSIC_HZ, without), 1.5)
        if max(music) > -45.0 and tone < HELD_DB:
            return
        assert time.monotonic() < deadline, f"music {music}, tone {tone}"


def hang_up(desk: Desk) -> None:
    desk.button("Zakończ").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Zakończ").click()


def wrap_up(desk: Desk) -> None:
    desk.page.get_by_text("Załatwione").click()
    desk.page.get_by_test_id("wrap-up-done").click()
    expect(desk.page.get_by_text("Następny klient trafi do Ciebie")).to_be_visible()


def says(desk: Desk, text: str) -> Locator:
    return desk.page.get_by_text(text).first


def give(desk: Desk, kind: str, name: str, how: str) -> None:
    """By the dialog for transfers."""
    desk.page.keyboard.press("t")
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_role("tab", name=kind).click()
    if kind == "Bot":
        dialog.get_by_label("Kontynuuj od").click()
        desk.page.get_by_role("option", name=name).click()
    else:
        dialog.get_by_role("radio", name=name).click()
    dialog.get_by_role("button", name=how).click()
    expect(dialog).to_be_hidden()


def test_both_hear_each_other_hold_mute_and_the_wrap_up_stands_in_the_past_call(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    anna = at_work("anna")
    phone = call("+48601200001")
    expect(says(anna, "601 200 001")).to_be_visible(timeout=40_000)
    crm = "https://crm.example/?phone=%2B48601200001&queue=service"
    expect(anna.page.get_by_role("link", name="Otwórz w CRM")).to_have_attribute("href", crm)
    anna.accept()
    expect(says(anna, "Rozmowa")).to_be_visible()
    expect(anna.page.get_by_role("link", name="Otwórz w CRM")).to_have_attribute("href", crm)
    hears(phone, AGENT_HZ)
    hears(anna, CALLER_HZ)

    anna.button("Zawieś").click()
    expect(says(anna, "Zawieszona: klient słyszy muzykę")).to_be_visible()
    hears_music(phone, AGENT_HZ)
    stays_unheard(anna, CALLER_HZ)
    anna.button("Wznów").click()
    hears(phone, AGENT_HZ)
    hears(anna, CALLER_HZ)

    anna.button("Wycisz").click()
    expect(says(anna, "Twój mikrofon jest wyciszony")).to_be_visible()
    time.sleep(0.5)
    stays_unheard(phone, AGENT_HZ)
    hears(anna, CALLER_HZ)
    anna.button("Włącz mikrofon").click()
    hears(phone, AGENT_HZ)

    anna.page.get_by_label("Notatki").fill("Chce paczkę w automacie")
    hang_up(anna)  # sooner than the notes are saved
    phone.until("ended", 10)
    expect(anna.page.get_by_label("Notatki")).to_have_value("Chce paczkę w automacie")
    anna.page.get_by_label("Notatki").fill("Chce paczkę w automacie, dziś")
    wrap_up(anna)
    record = floor.bot.call_from("+48601200001")
    record.until("wrapped_up", code="solved")
    until(lambda: anna.api("GET", f"/calls/{record.call_id}")[0] == 200, 15, "the past call is kept")
    _, past = anna.api("GET", f"/calls/{record.call_id}")
    assert (past["wrap_up_code"], past["notes"]) == ("solved", "Chce paczkę w automacie, dziś")
    assert past["line"]["agent"] == "Anna Nowak"


def test_a_colleague_is_asked_gets_the_caller_and_gives_them_on(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    anna = at_work("anna")
    phone = call("+48601200002")
    anna.accept()
    hears(phone, AGENT_HZ)
    ewa = at_work("ewa")

    give(anna, "Konsultant", "Ewa Wilk", "Najpierw zapytaj")
    expect(says(ewa, "Anna Nowak prosi o konsultację")).to_be_visible()
    ewa.accept()
    expect(says(anna, "Rozmawiasz: Ewa Wilk")).to_be_visible()
    expect(says(ewa, "Konsultacja (Anna Nowak)")).to_be_visible()
    hears(anna, SECOND_HZ, not_=(CALLER_HZ,))
    hears(ewa, AGENT_HZ, not_=(CALLER_HZ,))
    hears_music(phone, AGENT_HZ)
    stays_unheard(phone, SECOND_HZ)

    anna.button("Wróć do klienta").click()
    expect(says(ewa, "Następny klient trafi do Ciebie")).to_be_visible()
    hears(phone, AGENT_HZ, not_=(SECOND_HZ,))

    give(anna, "Konsultant", "Ewa Wilk", "Najpierw zapytaj")
    ewa.accept()
    anna.button("Połącz ich").click()
    expect(says(anna, "Podsumuj rozmowę")).to_be_visible()
    hears(phone, SECOND_HZ, not_=(AGENT_HZ,))
    hears(ewa, CALLER_HZ, not_=(AGENT_HZ,))

    wrap_up(anna)
    give(ewa, "Kolejka", "quick", "Przekaż od razu")
    anna.accept()
    hears(phone, AGENT_HZ, not_=(SECOND_HZ,))
    hears(anna, CALLER_HZ)
    give(anna, "Bot", "sprawdzić", "Przekaż od razu")
    record = floor.bot.call_from("+48601200002")
    record.until("transferred", kind="flow")
    record.until("bot_said", heard_text="numer zamówienia")
    expect(says(anna, "Podsumuj rozmowę")).to_be_visible()


def test_a_reload_keeps_the_call_and_another_tab_does_not_take_it(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    anna = at_work("anna")
    phone = call("+48601200003")
    anna.accept()
    hears(phone, AGENT_HZ)

    anna.page.goto("about:blank")
    hears_music(phone, AGENT_HZ)
    anna.page.go_back()
    began = time.monotonic()
    hears(phone, AGENT_HZ, within_s=30)
    hears(anna, CALLER_HZ)
    assert time.monotonic() - began < 30
    expect(says(anna, "Rozmowa")).to_be_visible()
    anna.page.reload()
    hears(phone, AGENT_HZ, within_s=30)
    hears(anna, CALLER_HZ)

    other = anna.context.new_page()
    other.goto(anna.page.url)
    expect(other.get_by_text("Rozmowa", exact=True).first).to_be_visible()
    time.sleep(2)
    hears(phone, AGENT_HZ)
    hears(anna, CALLER_HZ)
    anna.page.close()
    anna.page = other
    hears(phone, AGENT_HZ, within_s=30)
    hears(anna, CALLER_HZ)

    phone.obey("hang_up")
    expect(says(anna, "Podsumuj rozmowę")).to_be_visible()


def test_the_process_of_browsers_audio_is_killed_and_the_agent_is_back_in_the_call(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    anna = at_work("anna")
    phone = call("+48601200013")
    anna.accept()
    hears(phone, AGENT_HZ)
    os.kill(floor.bot.child(BROWSERS), signal.SIGKILL)
    record = floor.bot.call_from("+48601200013")
    record.until("call_held", why="line_lost")
    record.until("call_resumed", LINE_BACK_S)
    hears(anna, CALLER_HZ)
    hears(phone, AGENT_HZ)
    until(lambda: (health := floor.bot.health()) and health["status"] == "ok", 30, "the bot is well again")
    phone.obey("hang_up")
    expect(says(anna, "Podsumuj rozmowę")).to_be_visible()


def test_a_second_browser_takes_the_line_and_the_first_says_so_and_can_take_it_back(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    home = at_work("anna")
    phone = call("+48601200011")
    home.accept()
    hears(phone, AGENT_HZ)

    office = Desk(floor.ewas, floor.bot, "anna")
    try:
        office.sign_in()
        office.button("Połącz dźwięk").click()
        hears(phone, SECOND_HZ, not_=(AGENT_HZ,))
        expect(home.page.get_by_role("alert").get_by_text("Twój dźwięk przejęła inna przeglądarka")).to_be_visible()
        time.sleep(4)
        hears(phone, SECOND_HZ, not_=(AGENT_HZ,))
        home.page.reload()
        expect(home.page.get_by_text("Rozmowa", exact=True).first).to_be_visible()
        hears(phone, SECOND_HZ, not_=(AGENT_HZ,))

        home.button("Połącz dźwięk").click()
        hears(phone, AGENT_HZ, not_=(SECOND_HZ,))
        office.button("Przejmij dźwięk z powrotem").click()
        hears(phone, SECOND_HZ, not_=(AGENT_HZ,))
        hears(office, CALLER_HZ)
    finally:
        office.close()
    phone.obey("hang_up")
    expect(says(home, "Podsumuj rozmowę")).to_be_visible()


def test_a_killed_browser_gives_the_caller_to_the_next_agent(
    floor: Floor, at_work: Callable[[str], Desk], call: Call, tmp_path: Path
) -> None:
    with chromium(floor.playwright, tmp_path, AGENT_HZ) as browser:
        anna = Desk(browser, floor.bot, "anna")
        anna.sign_in()
        anna.become_available()
        first = call("+48601200004")
        anna.accept()
        hears(first, AGENT_HZ)
        second = call("+48601200005")
        expect(anna.page.get_by_text("Rozmowa", exact=True).first).to_be_visible()
        os.kill(main_process(str(tmp_path)), signal.SIGKILL)
        killed = time.monotonic()
        hears_music(first, AGENT_HZ, within_s=12)
    ewa = at_work("ewa")
    expect(says(ewa, "601 200 005")).to_be_visible()  # the only one who waits
    ewa.page.get_by_test_id("decline").click()
    record = floor.bot.call_from("+48601200004")
    offered = record.until("agent_offered", 30, agent="ewa")
    assert offered["agent"] == "ewa"
    assert time.monotonic() - killed > LINE_BACK_S
    expect(says(ewa, "601 200 004")).to_be_visible()
    ewa.accept()
    hears(first, SECOND_HZ)
    hears(ewa, CALLER_HZ)
    second.obey("hang_up")
    second.until("ended", 10)


def test_who_declines_or_does_not_answer_is_passed_over(
    floor: Floor, at_work: Callable[[str], Desk], call: Call
) -> None:
    anna = at_work("anna")
    phone = call("+48601200006")
    anna.page.get_by_test_id("accept").wait_for(timeout=40_000)
    ewa = at_work("ewa")
    anna.page.get_by_test_id("decline").click()
    ewa.accept()
    hears(phone, SECOND_HZ)
    hang_up(ewa)
    wrap_up(ewa)
    ewa.page.keyboard.press("o")
    expect(says(ewa, "Nie dostajesz połączeń")).to_be_visible()

    call("+48700200007")
    anna.page.get_by_test_id("accept").wait_for(timeout=40_000)
    expect(says(anna, "Dwa połączenia z rzędu pozostały bez odpowiedzi")).to_be_visible(timeout=25_000)
    assert len(floor.bot.call_from("+48700200007").events("agent_refused")) == 2


def test_a_microphone_that_gives_nothing_is_told_of_before_the_first_call_and_in_it(
    floor: Floor, call: Call, tmp_path: Path
) -> None:
    with chromium(floor.playwright, tmp_path, SILENCE_HZ) as browser:
        anna = Desk(browser, floor.bot, "anna")
        try:
            anna.sign_in()
            anna.become_available()
            expect(anna.page.get_by_text("Z Twojego mikrofonu nic nie dochodzi")).to_be_visible()
            call("+48601200012")
            anna.accept()
            record = floor.bot.call_from("+48601200012")
            record.until("agent_unheard", agent="anna")
            expect(anna.page.get_by_role("alert").get_by_text("Klient Cię nie słyszy")).to_be_visible()
            assert record.until("alert_raised", kind="agent_unheard")["text"].count("Anna Nowak") == 1
            anna.button("Wycisz").click()
            expect(anna.page.get_by_text("Klient Cię nie słyszy")).to_be_hidden()
            hang_up(anna)
            wrap_up(anna)
            anna.api("PUT", "/agent/state", {"state": "offline", "reason": ""})
        finally:
            anna.close()


def test_two_agents_never_get_the_same_caller(floor: Floor, at_work: Callable[[str], Desk], call: Call) -> None:
    anna, ewa = at_work("anna"), at_work("ewa")
    first = call("+48601200008")
    anna.accept()  # the longest idle
    hears(first, AGENT_HZ)
    assert not ewa.page.get_by_test_id("accept").is_visible()
    status, problem = ewa.api("POST", f"/offers/{anna.api('GET', '/agent')[1]['call']['entry']}/accept")
    assert (status, problem["code"]) == (409, "not_possible")
    second = call("+48601200009")
    ewa.accept()
    hears(second, SECOND_HZ, not_=(AGENT_HZ,))
    hears(first, AGENT_HZ, not_=(SECOND_HZ,))


def test_a_call_by_keyboard_alone(floor: Floor, call: Call) -> None:
    anna = Desk(floor.annas, floor.bot, "anna")
    try:
        page, keys = anna.page, anna.page.keyboard
        anna.open("/")
        expect(page.get_by_label("Login")).to_be_focused()
        keys.type("anna")
        keys.press("Tab")
        keys.type("tractor-violin-92-marmalade-zebra")
        keys.press("Enter")
        connect = page.get_by_role("button", name="Połącz dźwięk")
        expect(connect).to_be_visible()
        for _ in range(40):
            if connect.evaluate("button => button === document.activeElement"):
                break
            keys.press("Tab")
        keys.press("Enter")
        expect(page.get_by_text("Połączony", exact=True)).to_be_visible()
        keys.press("a")
        expect(says(anna, "Następny klient trafi do Ciebie")).to_be_visible()
        phone = call("+48601200010")
        page.get_by_test_id("accept").wait_for(timeout=40_000)
        keys.press("Enter")
        hears(phone, AGENT_HZ)
        keys.press("e")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.press("Enter")
        expect(says(anna, "Podsumuj rozmowę")).to_be_visible()
        keys.press("2")
        page.get_by_label("Notatki").press("Control+Enter")
        expect(says(anna, "Następny klient trafi do Ciebie")).to_be_visible()
        floor.bot.call_from("+48601200010").until("wrapped_up", code="complaint")
        keys.press("o")
        expect(says(anna, "Nie dostajesz połączeń")).to_be_visible()
        assert [told for told in anna.complaints if not told.startswith("Failed to load resource")] == []
    finally:
        anna.close()


def main_process(mark: str) -> int:
    """Of the browser that has this in its command line."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
        except OSError:
            continue  # it has just ended
        if mark in words and "chromium\0" in words and "--type=" not in words:
            return int(entry.name)
    raise AssertionError(f"no browser with {mark}")
