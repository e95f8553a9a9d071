"""Draws the pages for the documentation, from the simulated floor, and looks that no page is wider than its screen.

    python -m tests.console.screenshots --output docs/images

Needs Chromium and the built pages (`make console`).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from tests.acceptance.programs import until

PORT = 8091
ADDRESS = f"http://127.0.0.1:{PORT}"
WIDTH_PX = 960
COLOURS = 256
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SIGN_IN = """async ([login, language]) => {
    const send = (method, body, csrf = '') => fetch('/api/session', {method, body: JSON.stringify(body),
        headers: {'Content-Type': 'application/json', 'X-CSRF-Token': csrf}});
    const session = await (await send('POST', {login, password: 'voicebot'})).json();
    await send('PATCH', {language}, session.csrf);
}"""


async def offered(page: Page) -> None:
    await page.get_by_role("button", name="Connect audio").click()
    await page.get_by_text("Connected", exact=True).wait_for()
    await page.keyboard.press("a")
    await page.get_by_test_id("accept").wait_for(timeout=90_000)
    await page.wait_for_timeout(700)


async def talking(page: Page) -> None:
    await page.get_by_role("button", name="Połącz dźwięk").click()
    await page.get_by_text("Połączony", exact=True).wait_for()
    await page.keyboard.press("a")
    await page.get_by_test_id("accept").click(timeout=90_000)
    await page.wait_for_timeout(14_000)


async def listening(page: Page) -> None:
    await page.get_by_text("With agents", exact=True).last.click()
    await page.get_by_role("row").filter(has_text="With an agent").first.click(timeout=90_000)
    await page.get_by_role("button", name="Listen", exact=True).click()
    await page.get_by_text("nobody hears you").wait_for()
    await page.wait_for_timeout(1500)


async def playing(page: Page) -> None:
    await page.get_by_role("row").nth(1).get_by_role("link").click()
    await page.get_by_role("button", name="Odtwórz").click()
    await page.wait_for_timeout(11_000)


async def settled(page: Page) -> None:
    await page.wait_for_timeout(20_000)


Shot = tuple[str, str, str, str, str, Callable[[Page], Awaitable[None]]]
SHOTS: tuple[Shot, ...] = (
    ("console-offer", "anna", "/desk", "en", "light", offered),
    ("console-call", "anna", "/desk", "pl", "dark", talking),
    ("console-board", "ewa", "/board", "pl", "light", settled),
    ("console-live", "ewa", "/board", "en", "dark", listening),
    ("console-past-call", "ewa", "/calls", "pl", "light", playing),
)


async def draw(browser: Browser, shot: Shot, output: Path) -> None:
    name, login, path, language, theme, get_there = shot
    scheme = "dark" if theme == "dark" else "light"
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=scheme, permissions=["microphone"]
    )
    page = await context.new_page()
    await page.goto(ADDRESS)
    await page.evaluate(SIGN_IN, [login, language])
    await page.goto(ADDRESS + path)
    await get_there(page)
    image = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    small = image.resize((WIDTH_PX, WIDTH_PX * image.height // image.width), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        output / f"{name}.png", optimize=True
    )
    for width in (390, 768):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.mouse.move(0, 0)
        await page.wait_for_timeout(500)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            raise SystemExit(f"{name} is {wide} px wide on a screen of {width} px")
    await context.close()


async def draw_all(output: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for shot in SHOTS:
            await draw(browser, shot, output)
        await browser.close()


def _answers() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--output", type=Path, default=Path("docs/images"))
    output = options.parse_args().output
    floor = subprocess.Popen([sys.executable, "-m", "tests.console.mock_floor", "--port", str(PORT)])
    output.mkdir(parents=True, exist_ok=True)
    try:
        until(_answers, 30, "the simulated floor answers")
        asyncio.run(draw_all(output))
    finally:
        floor.terminate()
        floor.wait(10)


if __name__ == "__main__":
    main()
