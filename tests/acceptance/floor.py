"""A floor to try the pages on: `voicebot serve` with its pages, users, telephones that play tones, and browsers.

Who hears whom is measured: everybody plays a tone of their own, and for a telephone or a page the levels are looked at
of all tones in what it has just heard.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

import voicebot
from tests.acceptance.bot import SHOP_BOT, Bot, config
from tests.acceptance.programs import Program, until
from tests.acceptance.tone_phone import RATE, Tone
from tests.support import require_program

PASSWORD = "tractor-violin-92-marmalade-zebra"
BOT_NUMBER, HUMAN_NUMBER = "100", "110"
"""What callers dial: the shop's bot, and the same bot when it gives every caller to people at once."""

CALLER_HZ, AGENT_HZ, SUPERVISOR_HZ, SECOND_HZ = 600.0, 920.0, 1310.0, 1730.0
TONES = (CALLER_HZ, AGENT_HZ, SUPERVISOR_HZ, SECOND_HZ)
HEARD_DB = -35.0
"""Of full scale: the tones are above -20 dB where they are heard, below -49 dB where they are not."""

_WINDOW_S = 0.17
_HEARD_WITHIN_S = 8.0
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip

_LISTEN_TO_THE_PAGE = """
(() => {
  const ears = [];
  let context;
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      this.addEventListener("track", ({ track }) => {
        context ??= new AudioContext({ sampleRate: 48000 });
        const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(ear);
        ears.push({ ear, peer: this });
      });
    }
  };
  window.connectionsMade = () => ears.length;
  window.levelsHeard = async (tones, ms) => {
    const found = tones.map(() => -200);
    for (const end = performance.now() + ms; performance.now() < end; ) {
      for (const { ear, peer } of ears) {
        if (peer.connectionState !== "connected") continue;
        const levels = new Float32Array(ear.frequencyBinCount);
        ear.getFloatFrequencyData(levels);
        tones.forEach((hz, at) => {
          const bin = Math.round((hz * ear.fftSize) / 48000);
          for (let near = bin - 2; near <= bin + 2; near++) found[at] = Math.max(found[at], levels[near] + 7.5);
        });
      }
      await new Promise((next) => setTimeout(next, 60));
    }
    return found;
  };
})();
"""


def require_pages() -> None:
    """Fails when the console has not been built, for a test of it would pass by looking at nothing."""
    pages = Path(voicebot.__file__).parent / "pages" / "index.html"
    if not pages.is_file():
        pytest.fail("The pages are not built, so there is nothing to try. Build them: make console")


@pytest.fixture(autouse=True)
def no_tasks_left() -> None:
    """Takes the place of the fixture of that name: Playwright's loop runs in this thread, so no other can."""


# The bot


def floor_config(data: Path, folder: Path, **sections: Any) -> dict[str, Any]:
    """Settings of a bot whose callers reach people: at HUMAN_NUMBER at once, at BOT_NUMBER when they ask for it."""
    bot = folder / "shop"
    shutil.copytree(SHOP_BOT, bot)
    with (bot / "bot.yaml").open("a", encoding="utf-8") as file:
        file.write(f"entry_points: {{people: {{numbers: ['{HUMAN_NUMBER}'], start: people}}}}\n")
    (bot / "people.yaml").write_text(
        "flow: people\ndescription: The caller is given to people at once.\n"
        "offer: {pl: porozmawiać z kierownikiem zmiany, en: talk with the manager on duty}\n"
        "examples: {pl: [dajcie mi kierownika zmiany], en: [the manager on duty please]}\n"
        "steps: [{handoff: caller_asked}]\n",
        encoding="utf-8",
    )
    people = {"sip": {"max_calls": 6}, "turns": {"drain_s": 1}, "queues": {"service": {"ring_s": 15, "wrap_up_s": 20}}}
    settings = config(data, bots={BOT_NUMBER: bot, HUMAN_NUMBER: bot}, **people)
    settings["http"]["media_addresses"] = ["127.0.0.1"]
    for section, values in sections.items():
        settings[section] = {**settings.get(section, {}), **values} if isinstance(values, dict) else values
    return settings


def add_user(bot: Bot, login: str, name: str, *roles: str, phone: str = "") -> None:
    """By the command, as on the server."""
    argv = [sys.executable, "-m", "voicebot", "users", "add", login, "--name", name, "--config", str(bot.config)]
    argv += [word for role in roles for word in ("--role", role)]
    argv += ["--phone", phone] if phone else []
    subprocess.run(argv, input=f"{PASSWORD}\n", text=True, check=True, timeout=90, capture_output=True)


def address(bot: Bot, path: str = "/") -> str:
    http = bot.settings["http"]
    return f"http://{http['address']}:{http['port']}{path}"


# Telephones


class TonePhone(Program):
    """A telephone as a process: see `tone_phone`."""

    def __init__(self, folder: Path, *argv: str) -> None:
        super().__init__([sys.executable, "-m", "tests.acceptance.tone_phone", str(folder), *argv], folder)

    def until(self, event: str, timeout_s: float = 60) -> dict[str, Any]:
        found = until(
            lambda: [told for told in self.told() if told["event"] == event] or not self.running(),
            timeout_s,
            lambda: f"the phone's {event}:\n{self.output()}{self.log()}",
        )
        assert isinstance(found, list), f"the phone has ended:\n{self.output()}{self.log()}"
        return dict(found[-1])

    def obey(self, command: str) -> None:
        with (self.folder / "commands").open("a", encoding="ascii") as file:
            file.write(f"{command}\n")

    def levels(self, tones: Sequence[float], seconds: float = 1.0) -> list[float]:
        """How loud each tone is in what it hears from now on, in dB of full scale."""
        path = self.folder / "heard.raw"
        from_byte = path.stat().st_size if path.exists() else 0
        time.sleep(seconds)
        samples = np.frombuffer(path.read_bytes()[from_byte // 2 * 2 :] if path.exists() else b"", "<i2")
        return loudest(samples, tones, RATE)


def loudest(samples: np.ndarray[Any, np.dtype[np.int16]], tones: Sequence[float], rate: int) -> list[float]:
    """The level of each tone in that window of 0.17 s in which it is loudest, in dB of full scale."""
    window = int(_WINDOW_S * rate)
    shape = np.blackman(window)
    found = [-200.0 for _ in tones]
    for start in range(0, len(samples) - window + 1, window // 2):
        spectrum = np.abs(np.fft.rfft(samples[start : start + window] * shape)) / (shape.sum() / 2) / 32768
        for at, hz in enumerate(tones):
            near = round(hz * window / rate)
            found[at] = max(found[at], float(20 * np.log10(spectrum[near - 2 : near + 3].max() + 1e-10)))
    return found


@contextmanager
def caller(
    bot: Bot, folder: Path, dial: str, number: str, hz: float = CALLER_HZ, worker: int = 1
) -> Iterator[TonePhone]:
    """Somebody who calls and is answered."""
    with TonePhone(folder, "--dial", bot.address(dial, worker), "--number", number, "--hz", str(hz)) as phone:
        phone.until("answered")
        yield phone


# Browsers


def save_tone(path: Path, hz: float, seconds: float = 20.0) -> Path:
    """For a browser's microphone, which plays the file again and again."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(Tone(hz).read(int(seconds * RATE)))
    return path


@contextmanager
def chromium(playwright: Playwright, folder: Path, hz: float) -> Iterator[Browser]:
    """Debian's browser; what its microphones hear is this tone."""
    program = require_program("chromium", package="chromium")
    sound = save_tone(folder / f"tone-{hz:g}.wav", hz)
    flags = [*_FLAGS, f"--use-file-for-fake-audio-capture={sound}"]
    browser = playwright.chromium.launch(executable_path=program, args=flags)
    try:
        yield browser
    finally:
        browser.close()


class Desk:
    """A user at a browser of their own. `complaints`: what the browser has said against the page."""

    def __init__(self, browser: Browser, bot: Bot, login: str, **settings: Any) -> None:
        self.bot = bot
        self.login = login
        self.complaints: list[str] = []
        permissions = ["microphone", "notifications"]
        self.context: BrowserContext = browser.new_context(
            permissions=permissions, **{"viewport": {"width": 1280, "height": 800}, **settings}
        )
        self.context.set_default_timeout(15_000)
        self.context.add_init_script(_LISTEN_TO_THE_PAGE)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self) -> None:
        self.page.goto(address(self.bot))
        self.page.get_by_label("Login").fill(self.login)
        self.page.locator("input[type=password]").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("navigation").first).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(address(self.bot, path))

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def become_available(self) -> None:
        """An agent's audio is connected, and calls may come."""
        self.open("/desk")
        self.button("Połącz dźwięk").click()
        expect(self.page.get_by_text("Połączony", exact=True)).to_be_visible()
        self.page.get_by_role("button", name="Przejdź w stan dostępny").click()

    def accept(self, timeout_s: float = 40) -> None:
        self.page.get_by_test_id("accept").click(timeout=timeout_s * 1000)

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What the API answers this session."""
        return ask(self.page, method, path, body)

    def levels(self, tones: Sequence[float], seconds: float = 1.0) -> list[float]:
        """How loud each tone is in what the page hears from now on, in dB of full scale."""
        return list(self.page.evaluate("([tones, ms]) => levelsHeard(tones, ms)", [list(tones), seconds * 1000]))

    def close(self) -> None:
        self.context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


def ask(page: Page, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """What the API answers the session of this page: the status and the value."""
    script = """async ([method, path, body]) => {
      const session = await fetch("/api/session").then((answer) => answer.json());
      const headers = { "X-CSRF-Token": session.csrf ?? "", "Content-Type": "application/json" };
      const sent = body === null ? {} : { body: JSON.stringify(body) };
      const answer = await fetch("/api" + path, { method, headers, ...sent });
      return [answer.status, await answer.text()];
    }"""
    status, text = page.evaluate(script, [method, path, body])
    return status, json.loads(text) if text else None


def joins(desk: Desk) -> None:
    """And hears the call whose page it is."""
    desk.button("Słuchaj").click()
    becomes(desk, "listen")


def becomes(desk: Desk, mode: str) -> None:
    status = desk.page.get_by_test_id("listening")
    expect(status).to_have_attribute("data-mode", mode)
    expect(status).to_have_attribute("data-state", "on")


def confirmed(desk: Desk, button: str) -> None:
    """What has to be confirmed."""
    desk.button(button).click()
    desk.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


Ear = TonePhone | Desk


def hears(ear: Ear, *tones: float, not_: Sequence[float] = (), within_s: float = _HEARD_WITHIN_S) -> None:
    """Waits until all these tones are heard and none of the others is, for a second."""
    deadline = time.monotonic() + within_s
    while True:
        levels = dict(zip(TONES, ear.levels(TONES), strict=True))
        loud = {hz for hz, level in levels.items() if level > HEARD_DB}
        if set(tones) <= loud and not loud & set(not_):
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"heard {levels}; meant to hear {tones} and not {tuple(not_)}")


def stays_unheard(ear: Ear, *tones: float, seconds: float = 1.5) -> None:
    """None of these tones is heard for so long."""
    levels = dict(zip(tones, ear.levels(tones, seconds), strict=True))
    assert max(levels.values()) < HEARD_DB, f"heard {levels}"
