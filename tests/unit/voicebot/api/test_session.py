"""Signing in and out over HTTP, roles, CSRF, errors and headers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from voicebot.access import Access, Author, NewUser, Role
from voicebot.api.auth import COOKIE, CSRF_HEADER
from voicebot.api.testing import PASSWORD, browser, sign_in, signed_in


async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent", "ola"), browser(app) as client:
        answer = await client.post("/api/session", json={"login": " Ola ", "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["login"] == "ola"
        assert answer.json()["roles"] == ["agent"]
        (cookie,) = [text for text in answer.headers.get_list("set-cookie") if text.startswith(COOKIE)]
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie  # plain HTTP to localhost
        again = (await client.get("/api/session")).json()
        assert again | {"expires_at": ""} == answer.json() | {"expires_at": ""}


async def test_the_cookie_is_secure_over_https(app: FastAPI, access: Access) -> None:
    await access.add_user(NewUser("ola", "Ola", PASSWORD, ["agent"]), Author("test"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://console.example") as client:
        answer = await client.post("/api/session", json={"login": "ola", "password": PASSWORD})
        assert all("Secure" in text for text in answer.headers.get_list("set-cookie"))
        assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_passwords_are_not_taken_in_clear_over_a_network(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console.example") as client:
        answer = await client.post("/api/session", json={"login": "ola", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (400, "not_secure")
        assert "http.tls_certificate" in answer.json()["remedy"]


@pytest.mark.parametrize(("login", "password"), [("ola", "wrong password of mine"), ("nobody", PASSWORD)])
async def test_wrong_login_and_wrong_password_look_the_same(
    app: FastAPI, access: Access, login: str, password: str
) -> None:
    async with signed_in(app, access, "agent", "ola"), browser(app) as client:
        answer = await client.post("/api/session", json={"login": login, "password": password})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
        assert answer.json()["message"] == "Login and password do not belong together."
        assert "set-cookie" not in answer.headers


async def test_guessing_is_slowed_down(app: FastAPI, access: Access) -> None:
    async with browser(app) as client:
        for _ in range(3):
            await client.post("/api/session", json={"login": "ola", "password": "guess"})
        answer = await client.post("/api/session", json={"login": "ola", "password": "guess"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_change_needs_the_token_of_the_session(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent") as client:
        for token in ("", "wrong"):
            answer = await client.patch("/api/session", json={"theme": "dark"}, headers={CSRF_HEADER: token})
            assert (answer.status_code, answer.json()["code"]) == (403, "forged_request")
        answer = await client.patch("/api/session", json={"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        answer = await client.patch("/api/session", json={"theme": "dark", "language": "en"})
        assert (answer.json()["theme"], answer.json()["language"]) == ("dark", "en")


async def test_another_site_cannot_sign_a_browser_in(app: FastAPI) -> None:
    async with browser(app) as client:
        body = {"login": "ola", "password": PASSWORD}
        answer = await client.post("/api/session", json=body, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403


async def test_signing_out_ends_the_session(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent") as client:
        cookie = client.cookies[COOKIE]
        assert (await client.delete("/api/session")).status_code == 204
        assert COOKIE not in client.cookies
        client.cookies.set(COOKIE, cookie)  # kept by somebody: worth nothing any more
        assert (await client.get("/api/session")).status_code == 401


async def test_a_new_password_ends_the_other_sessions(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent", "ola") as client, browser(app) as other:
        await sign_in(other, "ola")
        weak = await client.put("/api/session/password", json={"old": PASSWORD, "new": "short"})
        assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
        wrong = await client.put("/api/session/password", json={"old": "wrong", "new": "długa droga do kuchni"})
        assert wrong.status_code == 401
        new = "długa droga do kuchni"
        assert (await client.put("/api/session/password", json={"old": PASSWORD, "new": new})).status_code == 204
        assert (await client.get("/api/session")).status_code == 200
        assert (await other.get("/api/session")).status_code == 401
        await sign_in(other, "ola", new)


@pytest.mark.parametrize("role", ["agent", "supervisor", "operator"])
async def test_users_tokens_and_audit_are_for_administrators(app: FastAPI, access: Access, role: Role) -> None:
    async with signed_in(app, access, role) as client:
        for path in ("/api/users", "/api/tokens", "/api/audit"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_errors_have_one_shape(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "administrator") as client:
        refused = [
            (await client.get("/api/nothing"), 404, "not_found"),
            (await client.put("/api/users"), 405, "method_not_allowed"),
            (await client.post("/api/users", content=b"{"), 422, "invalid"),
            (await client.post("/api/users", json={"login": "Ola!", "colour": 1}), 422, "invalid"),
            (await client.patch("/api/users/nobody", json={}), 404, "user_not_found"),
            (await client.delete("/api/tokens/nothing"), 404, "token_not_found"),
            (await client.get("/api/audit", params={"before": 2**63}), 422, "invalid"),
            (await client.get("/api/stream", params={"topics": "secrets"}), 422, "unknown_topic"),
        ]
        for answer, status, code in refused:
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            assert set(answer.json()) == {"code", "message", "remedy"}


async def test_what_came_in_is_not_repeated(app: FastAPI) -> None:
    async with browser(app) as client:
        answer = await client.post("/api/session", json={"login": "", "password": {"secret": "mango"}})
        assert answer.status_code == 422
        assert "mango" not in answer.text


async def test_a_large_body_is_refused(app: FastAPI) -> None:
    async with browser(app) as client:
        for body in (b"[" * 2_000_000, _in_pieces(b"[" * 2_000, 1_000)):
            answer = await client.post("/api/session", content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")


async def _in_pieces(piece: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield piece


async def test_every_answer_tells_browsers_to_be_careful(app: FastAPI) -> None:
    async with browser(app) as client:
        for path in ("/health", "/api/session", "/api/nothing", "/", "/board"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "script-src 'unsafe-inline'" not in headers["content-security-policy"]
            if path.startswith("/api"):
                assert headers["cache-control"] == "no-store"
