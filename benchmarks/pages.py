"""How soon the console's pages can be used: Debian's Chromium against the real `voicebot serve`, all on loopback.

From the start of the navigation to the first control that works, with an empty cache each time: on the sign-in the
field of the login, on the desk the button to become available, on the board the filter of its calls, which is there
when the board's data are. Nobody calls meanwhile. The pages have to be built (`make console`).

    python -m benchmarks.pages [--loads 10] [--json]

The last line of `--json` is {"figures": {"sign_in_p50_ms": ..., "sign_in_max_ms": ..., ...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

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


def measure(loads: int) -> dict[str, float]:
    """Milliseconds."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        shop, url = start_shop(folder / "program")
        with shop, Bot(floor_config(folder / "data", folder), folder / "bot", {"SHOP_URL": url}) as bot:
            bot.until_ready()
            add_user(bot, "ewa", "Ewa Zielińska", "supervisor")
            with chromium(playwright, folder, AGENT_HZ) as browser:
                return _figures(browser, bot, loads)


def _figures(browser: Browser, bot: Bot, loads: int) -> dict[str, float]:
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__.splitlines()[0])
    parser.add_argument("--loads", type=int, default=10, help="of each page")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures, ran_on = measure(args.loads), machine()
    print("\n".join(f"{name}: {value:g}" for name, value in figures.items()))
    print(f"On {ran_on}")
    if args.json:
        print(json.dumps({"figures": figures, "machine": ran_on}))


if __name__ == "__main__":
    main()
