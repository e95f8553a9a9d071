"""Who may do what, for the server: everything of this package without holding up the event loop."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voicebot.access.audit import AuditLog
from voicebot.access.errors import SignInFailed, TooManyTries
from voicebot.access.model import AuditEntry, Author, NewUser, User, Who
from voicebot.access.passwords import is_outdated, verify_password
from voicebot.access.sessions import SessionStore, Token
from voicebot.access.throttle import Throttle
from voicebot.access.users import UserStore
from voicebot.errors import RecordsUnavailable
from voicebot.records.database import Database

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often sessions that something hangs on are looked at: they expire, and commands change users meanwhile."""

TRIES_WAITING = 20
"""Sign-ins that may wait for their hash, one of which is computed at a time; more are refused at once."""


def _now() -> datetime:
    return datetime.now(UTC)


class Access:
    """Users, sessions, tokens and audit log of a data folder. All methods raise RecordsUnavailable.

    `start()` within a running loop, `close()` at the end; between them what hangs on sessions is cut with them.
    """

    def __init__(self, data: Path, now: Callable[[], datetime] = _now) -> None:
        self._database = Database(data)
        self._now = now
        self._users = UserStore(self._database, now)
        self._sessions = SessionStore(self._database, now)
        self._audit = AuditLog(self._database, now)
        self._throttle = Throttle()
        self._hashing = asyncio.Lock()
        self._tries = 0
        self._hanging: dict[object, tuple[Who, Callable[[], None]]] = {}
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="watch sessions")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await asyncio.to_thread(self._database.close)

    # Signing in

    async def sign_in(self, login: str, password: str, address: str, device: str = "") -> tuple[Who, str]:
        """Open a session. Returns who it is and the session's secret. Raises SignInFailed, TooManyTries.

        `device`: what the browser's long-lived cookie holds; see `throttle`.
        """
        login = login.strip().casefold()
        known = await self._verify(login, password, address, device, pin=False)
        if is_outdated(known):
            await asyncio.to_thread(self._users.rehash, login, known, password)
        secret = await asyncio.to_thread(self._sessions.open, login, address)
        who = await self.by_session(secret, address)
        if who is None:  # disabled in this very moment
            raise _wrong()
        return who, secret

    async def check_pin(self, login: str, pin: str, address: str) -> User:
        """Who takes calls at a desk phone keyed the PIN. Raises SignInFailed, TooManyTries."""
        await self._verify(login, pin, address, "", pin=True)
        return await self.user(login)

    async def sign_out(self, who: Who) -> None:
        await asyncio.to_thread(self._sessions.end, who)
        await self._cut()

    async def by_session(self, secret: str, address: str) -> Who | None:
        return await asyncio.to_thread(self._sessions.by_session, secret, address)

    async def by_token(self, secret: str, address: str) -> Who | None:
        return await asyncio.to_thread(self._sessions.by_token, secret, address)

    async def change_own_password(self, who: Who, old: str, new: str) -> None:
        """Ends the user's other sessions. Raises SignInFailed, TooManyTries, WeakPassword."""
        await self._verify(who.login, old, who.address, f"session {who.id}", pin=False)
        await asyncio.to_thread(self._users.change, who.login, {"password": new}, who.author, who.id)
        await self._cut()

    async def prefer(self, who: Who, language: str | None, theme: str | None) -> None:
        await asyncio.to_thread(self._users.prefer, who.login, language, theme)

    async def _verify(self, login: str, secret: str, address: str, device: str, *, pin: bool) -> str:
        """The hash that the password or PIN fits; takes as long when there is no such user.

        Raises SignInFailed, TooManyTries.
        """
        name = f"pin of {login}" if pin else login
        wait_s = self._throttle.begin(name, address, device, self._now().timestamp())
        if self._tries >= TRIES_WAITING:
            wait_s = max(wait_s, 1.0)
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            raise TooManyTries(
                f"There were too many tries to sign in; the next is possible in {seconds} s.",
                "Wait, and look whether Caps Lock is on. An administrator can set a new password.",
                seconds,
            )
        self._tries += 1
        try:
            async with self._hashing:
                known = await asyncio.to_thread(self._users.secrets, login)
                expected = (known[2] if pin else known[1]) if known is not None else None
                right = await asyncio.to_thread(verify_password, secret, expected or None)
        finally:
            self._tries -= 1
        if not right or not expected:
            what = "pin_failed" if pin else "sign_in_failed"
            # What is no login stays out of the log: it may be a password, typed into the wrong field.
            about = login if await asyncio.to_thread(self._users.exists, login) else ""
            await asyncio.to_thread(self._audit.write, Author("", address), what, about)
            raise _wrong()
        self._throttle.succeeded(name, address, device, self._now().timestamp())
        return expected

    # Users

    async def users(self) -> tuple[User, ...]:
        return await asyncio.to_thread(self._users.all)

    async def user(self, login: str) -> User:
        """Raises UserNotFound."""
        return await asyncio.to_thread(self._users.get, login)

    async def add_user(self, new: NewUser, by: Author) -> User:
        """Raises WrongUser, WeakPassword, UserExists."""
        return await asyncio.to_thread(self._users.add, new, by)

    async def change_user(self, login: str, changes: Mapping[str, Any], by: Author) -> User:
        """See `UserStore.change`. Raises UserNotFound, WrongUser, WeakPassword, LastAdministrator."""
        user = await asyncio.to_thread(self._users.change, login, changes, by)
        await self._cut()
        return user

    async def remove_user(self, login: str, by: Author) -> None:
        """Raises UserNotFound, LastAdministrator."""
        await asyncio.to_thread(self._users.remove, login, by)
        await self._cut()

    async def sign_out_everywhere(self, login: str, by: Author) -> None:
        """Raises UserNotFound."""
        await asyncio.to_thread(self._sessions.end_all, login, by)
        await self._cut()

    # Tokens

    async def tokens(self) -> tuple[Token, ...]:
        return await asyncio.to_thread(self._sessions.tokens)

    async def issue_token(self, name: str, scopes: Sequence[str], days: int | None, by: Author) -> tuple[Token, str]:
        """A token that acts for its maker, and its secret. Raises WrongUser."""
        return await asyncio.to_thread(self._sessions.issue, name, scopes, days, by.login, by)

    async def revoke_token(self, token_id: str, by: Author) -> None:
        """Raises TokenNotFound."""
        await asyncio.to_thread(self._sessions.revoke, token_id, by)
        await self._cut()

    # The audit log

    async def audit(self, by: Author, what: str, about: str = "", **detail: Any) -> None:
        """Add a line. What has to stand there is done afterwards: without the line it is not done at all."""
        await asyncio.to_thread(self._audit.write, by, what, about, **detail)

    @asynccontextmanager
    async def audit_while(self, by: Author, what: str, about: str = "", **detail: Any) -> AsyncIterator[None]:
        """Add a line for what lasts, before it begins; how long it took is filled in when it ends."""
        line = await asyncio.to_thread(self._audit.write, by, what, about, **detail)
        try:
            yield
        finally:
            await asyncio.shield(asyncio.create_task(self._ended(line), name=f"audit line {line}"))

    async def audit_lines(
        self, *, before: int | None = None, limit: int = 100, who: str = "", what: str = ""
    ) -> tuple[AuditEntry, ...]:
        """The newest first; `before`: the id of the last line of the page before."""
        return await asyncio.to_thread(self._audit.lines, before=before, limit=limit, who=who, what=what)

    async def _ended(self, line: int) -> None:
        try:
            await asyncio.to_thread(self._audit.ended, line)
        except RecordsUnavailable as error:
            log.error("how long the act of audit line %d took could not be kept: %s", line, error)

    # What hangs on a session

    def on_revoked(self, who: Who, cut: Callable[[], None]) -> Callable[[], None]:
        """Have `cut` called, once, when the session or token ends or its roles change. Returns what calls it off.

        At once when it is revoked through this object, within LOOK_S when it expires or a command revokes it.
        """
        key = object()
        self._hanging[key] = (who, cut)

        def call_off() -> None:
            self._hanging.pop(key, None)

        return call_off

    async def _cut(self) -> None:
        hanging = dict(self._hanging)
        if not hanging:
            return
        holding = await asyncio.to_thread(self._sessions.roles_of, {who.id for who, _ in hanging.values()})
        for key, (who, cut) in hanging.items():
            if holding.get(who.id) != who.roles and self._hanging.pop(key, None) is not None:
                cut()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._cut()
            except RecordsUnavailable as error:
                log.error("sessions cannot be looked at: %s", error)


def _wrong() -> SignInFailed:
    return SignInFailed(
        "Login and password do not belong together.", "Try again; an administrator can set a new password."
    )
