"""Who is behind a request, and whether they may. An endpoint says by the type of its parameter who may call it:

    async def users(who: Administrator, parts: Parts) -> list[User]: ...

An endpoint under /api without such a parameter does not exist, but for signing in.
"""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from voicebot.access import Role, Who
from voicebot.api.errors import ForgedRequest, NotAllowed, NotSignedIn
from voicebot.api.parts import Parts

COOKIE = "voicebot_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, scheme_name="session", description=f"With {CSRF_HEADER} for what changes anything."
)
_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token: vb_...")


def address_of(request: Request) -> str:
    """The client's IP address: that a proxy on this machine tells, else of the connection."""
    return request.client.host if request.client is not None else ""


def is_encrypted(request: Request, url: str) -> bool:
    """Whether the browser came by https: to us, or as a proxy on this machine or the configured address says."""
    return request.url.scheme == "https" or url.startswith("https://")


def is_local(request: Request) -> bool:
    """Whether the browser runs on this machine, by the name it used."""
    return request.url.hostname in LOCAL_HOSTS


def check_origin(request: Request) -> None:
    """What changes anything comes from our own page, or from no browser. Raises ForgedRequest."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise ForgedRequest("The request comes from another site.", "Use the pages of this server.")


async def signed_in(
    request: Request,
    parts: Parts,
    cookie: Annotated[str | None, Security(_cookie)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Who:
    """Raises NotSignedIn, ForgedRequest."""
    address = address_of(request)
    if bearer is not None:
        who = await parts.access.by_token(bearer.credentials, address)
    else:
        who = await parts.access.by_session(cookie, address) if cookie else None
    if who is None:
        raise NotSignedIn("You are not signed in, or no longer.", "Sign in.")
    if bearer is None and request.method not in SAFE_METHODS:
        check_origin(request)
        if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), who.csrf.encode()):
            raise ForgedRequest(f"The header {CSRF_HEADER} is not that of this session.", "Load the page again.")
    return who


class Needs:
    """A dependency: any one of these roles is enough. Raises NotAllowed."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, who: Annotated[Who, Depends(signed_in)]) -> Who:
        if not any(who.may(role) for role in self.roles):
            raise NotAllowed(
                f"This needs a role that you do not have: {', '.join(self.roles)}.",
                "An administrator can give you the role.",
            )
        return who


def _in_browser(who: Annotated[Who, Depends(Needs("agent", "operator"))]) -> Who:
    if who.token:
        raise NotAllowed("A token has no session.", "Sign in with login and password.")
    return who


SignedIn = Annotated[Who, Depends(Needs("agent", "operator"))]
"""Anybody who is signed in; every role includes one of these."""

InBrowser = Annotated[Who, Depends(_in_browser)]
"""Anybody who is signed in with a session."""

Agent = Annotated[Who, Depends(Needs("agent"))]
Supervisor = Annotated[Who, Depends(Needs("supervisor"))]
Reviewer = Annotated[Who, Depends(Needs("supervisor", "operator"))]
"""Who may read past calls."""

Operator = Annotated[Who, Depends(Needs("operator"))]
Administrator = Annotated[Who, Depends(Needs("administrator"))]
