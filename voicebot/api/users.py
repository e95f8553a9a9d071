"""Users, for administrators."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot import access
from voicebot.api.auth import Administrator
from voicebot.api.parts import Parts
from voicebot.api.shapes.access import NewUser, User, UserChanges

router = APIRouter(prefix="/api/users", tags=["users"])


@router.get("")
async def list_users(who: Administrator, parts: Parts) -> list[User]:
    """All users, by login."""
    return [_shown(user) for user in await parts.access.users()]


@router.post("", status_code=201)
async def add_user(body: NewUser, who: Administrator, parts: Parts) -> User:
    """Add a user, who can sign in at once."""
    return _shown(await parts.access.add_user(access.NewUser(**body.model_dump()), who.author))


@router.patch("/{login}")
async def change_user(login: str, body: UserChanges, who: Administrator, parts: Parts) -> User:
    """Change a user. A new password, other roles and disabling sign the user out everywhere."""
    changes = body.model_dump(exclude_none=True)
    return _shown(await parts.access.change_user(login, changes, who.author))


@router.delete("/{login}", status_code=204)
async def remove_user(login: str, who: Administrator, parts: Parts) -> None:
    """Remove a user with sessions and tokens. The audit log keeps what they did."""
    await parts.access.remove_user(login, who.author)


@router.delete("/{login}/sessions", status_code=204)
async def sign_out_user(login: str, who: Administrator, parts: Parts) -> None:
    """Sign a user out everywhere: open streams and audio end at once."""
    await parts.access.sign_out_everywhere(login, who.author)


def _shown(user: access.User) -> User:
    return User.model_validate(user, from_attributes=True)
