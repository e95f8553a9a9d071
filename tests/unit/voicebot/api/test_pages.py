"""The console's files, and what stands there before it is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from voicebot.api.testing import browser


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Voicebot</title>", encoding="utf-8")
    (folder / "assets" / "main-1a2b.js").write_text("start()", encoding="utf-8")
    (folder / "theme.js").write_text("theme()", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return folder


async def test_before_they_are_built_a_sentence_says_how(app: FastAPI) -> None:
    async with browser(app) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.text) == (503, "The pages are not built. Build them: make console\n")
        assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/", "/board", "/live/20261126-1", "/index.html"])
async def test_addresses_that_the_page_understands_get_the_page(app: FastAPI, pages: Path, path: str) -> None:
    async with browser(app) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, "<title>Voicebot</title>")
        assert "no-cache" in answer.headers["cache-control"]
        assert "script-src 'self';" in answer.headers["content-security-policy"]


async def test_files_with_a_hash_in_their_name_are_kept_for_a_year(app: FastAPI, pages: Path) -> None:
    async with browser(app) as client:
        hashed = await client.get("/assets/main-1a2b.js")
        assert hashed.text == "start()"
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "javascript" in hashed.headers["content-type"]
        assert (await client.get("/theme.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/a%00.js",
        "/api",
        "/api/nothing",
    ],
)
async def test_nothing_else_is_given_away(app: FastAPI, pages: Path, path: str) -> None:
    async with browser(app) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "secret" not in answer.text.replace(path, "").replace("secret.txt", "")
