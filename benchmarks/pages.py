"""How soon the console's pages can be used, and how soon a full board shows what happens.

Debian's Chromium against the real `voicebot serve`, all on loopback. Of sign-in, desk and board it is the time from the
start of the navigation to the first control that works, with an empty cache each time: on the sign-in the field of the
login, on the desk the button to become available, on the board the filter of its calls, which is there when the board's
data are. Nobody calls meanwhile. Of a full board it is:

full_board_delay_*_ms   with 200 calls on the board, from an event of one to the picture of the page that shows it:
                        sentences, told into the server's own stream of events (`benchmarks.pages_crowd`), which gets
                        about 100 events a second; every one that comes into the drawn rows counts
full_board_longest_frame_ms   the longest time between two pictures of that page

The pages have to be built (`make console`).

    python -m benchmarks.pages [--loads 10] [--calls 200] [--seconds 40] [--json]

The last line of `--json` is {"figures": {"sign_in_p50_ms": ..., "sign_in_max_ms": ..., ...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.machine import machine
from tests.acceptance.bot import Bot, start_shop
from tests.acceptance.floor import AGENT_HZ, Desk, add_user, address, chromium, floor_config

# When the first element of the selector is there, has a size and is not disabled, in ms since the navigation began.
_USABLE = """selector => new Promise((done) => {
  const look = () => {
    const control = document.querySelector(selector);
    if (control && !control.disabled && control.getClientRects().length) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""
PAGES = {
    "sign_in": ("/", "input[name=username]"),
    "desk": ("/desk", "main button"),
    "board": ("/board", "main input"),
}

# When each sentence was first in a picture (Unix ms), but those that stand there already; the longest time between two.
_WATCH_WORDS = """() => {
  window.shown = {};
  window.longestFrame = 0;
  const known = new Set();
  const look = (note) => {
    for (const cell of document.querySelectorAll("[role=row] [role=cell]:last-child [title]")) {
      const words = cell.title;
      if (known.has(words)) continue;
      known.add(words);
      if (note) requestAnimationFrame(() => setTimeout(() => { window.shown[words] = Date.now(); }));
    }
  };
  look(false);
  new MutationObserver(() => look(true)).observe(document.body, { subtree: true, childList: true, attributes: true });
  let before = performance.now();
  const frame = (now) => {
    window.longestFrame = Math.max(window.longestFrame, now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
_SETTLED_S = 10.0
_FULL_S = 60.0


def measure(loads: int, calls: int, seconds: float) -> dict[str, float]:
    """Milliseconds."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        shop, url = start_shop(folder / "program")
        env = {"SHOP_URL": url}
        with shop, chromium(playwright, folder, AGENT_HZ) as browser:
            quiet, full = folder / "quiet", folder / "full"
            with Bot(_settings(quiet), quiet / "bot", env) as bot:
                found = _loads(browser, _with_supervisor(bot), loads)
            crowd = ("benchmarks.pages_crowd", "--calls", str(calls))
            with Bot(_settings(full), full / "bot", env, program=crowd) as bot:
                return found | _full_board(browser, _with_supervisor(bot), calls, seconds)


def _settings(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    return floor_config(folder / "data", folder)


def _with_supervisor(bot: Bot) -> Bot:
    bot.until_ready()
    add_user(bot, "ewa", "Ewa Zielińska", "supervisor")
    return bot


def _loads(browser: Browser, bot: Bot, loads: int) -> dict[str, float]:
    desk = Desk(browser, bot, "ewa")
    desk.sign_in()
    state = desk.context.storage_state()
    desk.close()
    found: dict[str, float] = {}
    for page, (path, selector) in PAGES.items():
        signed_in = None if page == "sign_in" else state
        times = []
        for _ in range(loads):
            context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 800})
            times.append(_load(context.new_page(), address(bot, path), selector))
            context.close()
        found[f"{page}_p50_ms"] = round(median(times))
        found[f"{page}_max_ms"] = round(max(times))
    return found


def _load(page: Page, url: str, selector: str) -> float:
    page.goto(url, wait_until="commit")
    return float(page.evaluate(_USABLE, selector))


def _full_board(browser: Browser, bot: Bot, calls: int, seconds: float) -> dict[str, float]:
    desk = Desk(browser, bot, "ewa")
    desk.sign_in()
    desk.open("/board")
    page = desk.page
    expect(page.locator("[role=table]")).to_have_attribute("aria-rowcount", str(calls), timeout=_FULL_S * 1000)
    page.wait_for_timeout(_SETTLED_S * 1000)
    page.evaluate(_WATCH_WORDS)
    page.wait_for_timeout(seconds * 1000)
    shown, longest_ms = page.evaluate("[window.shown, window.longestFrame]")
    expect(page.locator("[role=table]")).to_have_attribute("aria-rowcount", str(calls))
    desk.close()
    return board_figures(bot.told(), shown) | {"full_board_longest_frame_ms": round(longest_ms)}


def board_figures(told: Iterable[Mapping[str, Any]], shown: Mapping[str, float]) -> dict[str, float]:
    """`told`: sentences with when they were told, Unix seconds; `shown`: when they were in a picture, Unix ms."""
    at_s = {line["words"]: line["at"] for line in told if "words" in line}
    delays = np.array([at_ms - 1000 * at_s[words] for words, at_ms in shown.items() if words in at_s])
    if not len(delays):
        raise RuntimeError("Nothing that was told came into the rows of the board.")
    p50, p95 = np.percentile(delays, (50, 95))
    return {
        "full_board_delay_p50_ms": round(float(p50)),
        "full_board_delay_p95_ms": round(float(p95)),
        "full_board_delay_max_ms": round(float(delays.max())),
        "full_board_sentences_seen": len(delays),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__.splitlines()[0])
    parser.add_argument("--loads", type=int, default=10, help="of each page")
    parser.add_argument("--calls", type=int, default=200, help="on the full board")
    parser.add_argument("--seconds", type=float, default=40.0, help="that the full board is looked at")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures, ran_on = measure(args.loads, args.calls, args.seconds), machine()
    print("\n".join(f"{name}: {value:g}" for name, value in figures.items()))
    print(f"On {ran_on}")
    if args.json:
        print(json.dumps({"figures": figures, "machine": ran_on}))


if __name__ == "__main__":
    main()
