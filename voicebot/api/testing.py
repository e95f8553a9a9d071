"""For tests of the API: clients that are signed in, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from voicebot.access import Access, Author, NewUser, Role
from voicebot.api.auth import CSRF_HEADER
from voicebot.api.parts import ApiParts
from voicebot.config import Config
from voicebot.hub import Hub
from voicebot.records import CallRecords
from voicebot.records.database import Database
from voicebot.records.voicemails import Voicemails

PASSWORD = "zielony rower pije herbatę"
ORIGIN = "http://localhost"


def parts_over(data: Path, access: Access, hub: Hub, **others: Any) -> ApiParts:
    """All of an API over a data folder; `others` are fields of ApiParts that shall be other than empty or usual."""
    usual: dict[str, Any] = {
        "config": Config.model_validate({"data": data, "numbers": [{"number": "100", "bot": data, "language": "pl"}]}),
        "records": CallRecords(data),
        "voicemails": Voicemails(Database(data), data),
        "bots": lambda: (),
        "health": lambda: {"status": "ok", "calls": 0},
        "pages": data / "pages",
    }
    return ApiParts(access=access, hub=hub, **(usual | others))


def browser(app: FastAPI) -> httpx.AsyncClient:
    """A client that is not signed in. Close it, as by `async with`. It cannot read streams: those need a server."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)


@asynccontextmanager
async def signed_in(app: FastAPI, access: Access, role: Role, login: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new user with that role; the role is the login too where none is given. Sends the CSRF token."""
    login = login or role
    await access.add_user(NewUser(login, login.capitalize(), PASSWORD, [role]), Author("test"))
    async with browser(app) as client:
        await sign_in(client, login)
        yield client


async def sign_in(client: httpx.AsyncClient, login: str, password: str = PASSWORD) -> None:
    """Sign in and send the session's CSRF token from now on."""
    answer = await client.post("/api/session", json={"login": login, "password": password})
    answer.raise_for_status()
    client.headers[CSRF_HEADER] = answer.json()["csrf"]
