"""Tokens of programs, for administrators."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot import access
from voicebot.api.auth import Administrator
from voicebot.api.parts import Parts
from voicebot.api.shapes.access import IssuedToken, NewToken, Token

router = APIRouter(prefix="/api/tokens", tags=["tokens"])


@router.get("")
async def list_tokens(who: Administrator, parts: Parts) -> list[Token]:
    """All tokens, the newest first."""
    return [Token(**_shown(token)) for token in await parts.access.tokens()]


@router.post("", status_code=201)
async def issue_token(body: NewToken, who: Administrator, parts: Parts) -> IssuedToken:
    """A token that acts for whoever makes it, within its scopes. Its secret is told this once."""
    token, secret = await parts.access.issue_token(body.name, body.scopes, body.days, who.author)
    return IssuedToken(**_shown(token), secret=secret)


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: str, who: Administrator, parts: Parts) -> None:
    """Revoke a token: it is refused from now on, and its open streams end."""
    await parts.access.revoke_token(token_id, who.author)


def _shown(token: access.Token) -> dict[str, object]:
    values = {name: getattr(token, name) for name in ("id", "name", "created_at", "expires_at", "used_at")}
    return values | {"scopes": list(token.scopes), "created_by": token.login}
