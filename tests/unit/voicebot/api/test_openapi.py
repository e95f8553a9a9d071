"""The API as a whole: guarded, described and documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from voicebot.access import Access
from voicebot.api import app as app_module
from voicebot.api.auth import Needs
from voicebot.api.testing import browser, signed_in

ROOT = Path(__file__).parents[4]
OPEN = {("POST", "/api/session")}
"""What needs nobody signed in."""


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def is_guarded(dependant: Dependant) -> bool:
    return any(isinstance(each.call, Needs) or is_guarded(each) for each in dependant.dependencies)


def routes(router: APIRouter) -> Iterator[APIRoute]:
    return (route for route in router.routes if isinstance(route, APIRoute))


@pytest.mark.parametrize("router", app_module.ROUTERS, ids=lambda router: router.prefix)
def test_every_endpoint_says_who_may_call_it(router: APIRouter) -> None:
    for route in routes(router):
        assert route.path.startswith("/api/"), route.path
        for method in route.methods:
            assert is_guarded(route.dependant) != ((method, route.path) in OPEN), f"{method} {route.path}"


async def test_without_a_session_nothing_is_told(app: FastAPI, access: Access) -> None:
    calls = [(method, path) for method, path, _ in operations(app)] + [("GET", "/api/openapi.json")]
    assert len(calls) > 10
    async with browser(app) as client:
        for method, path in calls:
            if (method, path) not in OPEN:
                answer = await client.request(method, re.sub(r"{\w+}", "1", path))
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
                assert answer.json()["code"] == "not_signed_in"
        for headers in ({"Authorization": "Bearer vb_invented"}, {"Cookie": "voicebot_session=invented"}):
            assert (await client.get("/api/users", headers=headers)).status_code == 401


async def test_the_description_is_for_those_who_are_signed_in(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "operator") as client:
        described = (await client.get("/api/openapi.json")).json()
        assert described == app.openapi()


def test_every_endpoint_has_a_name_of_its_own_and_a_description(app: FastAPI) -> None:
    found = list(operations(app))
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert all(operation["description"] for _, _, operation in found)
    assert all(operation["responses"]["default"] for _, _, operation in found)


def test_every_endpoint_is_documented(app: FastAPI) -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    missing = [f"{method} {path}" for method, path, _ in operations(app) if f"`{method} {path}`" not in text]
    assert missing == []
