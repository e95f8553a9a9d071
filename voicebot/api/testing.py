"""For tests of the API: clients that are signed in, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from voicebot.access import Access, Author, NewUser, Role
from voicebot.api.auth import CSRF_HEADER

PASSWORD = "zielony rower pije herbatę"
ORIGIN = "http://localhost"


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
