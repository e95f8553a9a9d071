"""Signing in and out, and what users change of themselves."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Cookie, Request, Response

from voicebot.access import Who
from voicebot.api import auth
from voicebot.api.auth import COOKIE, InBrowser
from voicebot.api.errors import NotSecure, NotSignedIn
from voicebot.api.parts import Parts
from voicebot.api.shapes.access import NewPassword, Preferences, Session, SignIn

DEVICE_COOKIE = "voicebot_device"
"""Random and long-lived: by it a browser that has signed in before is not slowed down by others' failed tries."""

DEVICE_S = 365 * 86_400
SESSION_S = 7 * 86_400

router = APIRouter(prefix="/api/session", tags=["session"])


@router.post("")
async def sign_in(
    body: SignIn,
    request: Request,
    response: Response,
    parts: Parts,
    device: Annotated[str, Cookie(alias=DEVICE_COOKIE, max_length=64, include_in_schema=False)] = "",
) -> Session:
    """Sign in; the answer sets the cookie of the session."""
    auth.check_origin(request)
    encrypted = auth.is_encrypted(request, parts.url)
    if not encrypted and not auth.is_local(request):
        raise NotSecure(
            "This page came over plain HTTP, by which others on the network would read your password.",
            "Set http.tls_certificate and http.tls_key in voicebot.yaml, or http.url when a proxy in front has them.",
        )
    device = device or secrets.token_urlsafe(32)
    who, secret = await parts.access.sign_in(body.login, body.password, auth.address_of(request), device)
    _set(response, COOKIE, secret, SESSION_S, encrypted)
    _set(response, DEVICE_COOKIE, device, DEVICE_S, encrypted)
    return _shown(who)


@router.get("")
async def get_session(who: InBrowser) -> Session:
    """Who is signed in."""
    return _shown(who)


@router.patch("")
async def change_preferences(body: Preferences, who: InBrowser, parts: Parts, request: Request) -> Session:
    """Change language or theme of the pages."""
    await parts.access.prefer(who, body.language, body.theme)
    after = await parts.access.by_session(request.cookies[COOKIE], who.address)
    if after is None:
        raise NotSignedIn("You are not signed in any more.", "Sign in.")
    return _shown(after)


@router.put("/password", status_code=204)
async def change_own_password(body: NewPassword, who: InBrowser, parts: Parts) -> None:
    """Set a new password; the user's other sessions end."""
    await parts.access.change_own_password(who, body.old, body.new)


@router.delete("", status_code=204)
async def sign_out(who: InBrowser, response: Response, parts: Parts) -> None:
    """Sign out; what hangs on the session ends at once."""
    await parts.access.sign_out(who)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _set(response: Response, name: str, value: str, seconds: int, encrypted: bool) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=encrypted)


def _shown(who: Who) -> Session:
    return Session.model_validate(who, from_attributes=True)
