"""Agents as the API knows them: users who sign in at the desk, by browser or desk phone, and see what concerns them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from voicebot.access import Access, User, Who
from voicebot.api.agent_view import AgentViews
from voicebot.api.shapes.desk import AgentView
from voicebot.config import Config
from voicebot.errors import NotPossible
from voicebot.hub import Hub
from voicebot.people.desk import Desk
from voicebot.people.lines import Connected
from voicebot.people.talk import Target
from voicebot.phone_numbers import callable_number
from voicebot.queueing.happenings import AgentChanged
from voicebot.queueing.model import Profile

Reach = Literal["browser", "phone"]


class Agents:
    """Belongs to the event loop. `changed` is what the desk and the lines are given to tell of changes."""

    def __init__(self, config: Config, desk: Desk, access: Access, hub: Hub, views: AgentViews) -> None:
        self.desk = desk
        self._config = config
        self._access = access
        self._hub = hub
        self._views = views
        self._reach: dict[str, Reach] = {}
        self._profiles: dict[str, Profile] = {}
        self._session_of_line: dict[str, Callable[[], None]] = {}  # by login: what calls the cutting off
        self._to_publish: set[str] = set()
        self._told: dict[str, dict[str, Any]] = {}

    async def view(self, login: str) -> AgentView:
        """Raises UserNotFound."""
        return self._views.of(await self._profile(login))

    def changed(self, login: str) -> None:
        """Publish what this agent sees, once for all that happens in this turn of the loop."""
        if login in self._profiles and login not in self._to_publish:
            self._to_publish.add(login)
            asyncio.get_running_loop().call_soon(self._publish, login)

    def _publish(self, login: str) -> None:
        self._to_publish.discard(login)
        if not self._hub.is_read("agent"):
            return
        view = self._views.of(self._profiles[login])
        shown = view.model_dump(exclude={"revision"})
        if shown != self._told.get(login):
            self._told[login] = shown
            self._hub.publish("agent", "agent", view, to=lambda who: who.login == login)

    async def set_available(self, login: str) -> None:
        """Raises NotPossible without a line or a phone."""
        await self.desk.set_available(await self._profile(login))

    async def set_available_by_phone(self, login: str) -> None:
        """At the desk phone. Raises NotPossible in a call, and without a phone."""
        await self.set_reach(login, "phone")
        await self.set_available(login)

    async def set_offline(self, login: str) -> None:
        await self.desk.set_offline(login)

    async def set_on_break(self, login: str, reason: str) -> None:
        reasons = self._config.people.break_reasons
        if reason and reason not in reasons:
            raise NotPossible(f"There is no such reason for a break: {reason}.", f"Choose of {', '.join(reasons)}.")
        await self.desk.set_on_break(await self._profile(login), reason)

    async def take_callback(self, login: str, entry: str) -> None:
        """Raises NotPossible."""
        await self.desk.take_callback(await self._profile(login), entry)

    async def set_reach(self, login: str, by: Reach) -> None:
        """Raises NotPossible in a call, and for a phone that is not entered."""
        agent = self.desk.agent(login)
        if agent is not None and agent.entry:
            raise NotPossible("That cannot be changed during a call.", "Change it after the wrap-up.")
        user = await self._access.user(login)
        if by == "phone" and not user.phone:
            raise NotPossible("No desk phone is entered for you.", "An administrator can enter one.")
        self._reach[login] = by
        await self._profile(login)
        self.changed(login)

    async def connect_line(self, who: Who, offer_sdp: str, instead_of: str) -> Connected:
        """Connect the browser's audio until the session ends. Raises TelephonyError, LineTaken."""
        await self._profile(who.login)
        connected = await self.desk.lines.connect(who.login, offer_sdp, instead_of)
        self._forget_session(who.login)
        self._session_of_line[who.login] = self._access.on_revoked(who, lambda: self._cut(who.login))
        return connected

    async def disconnect_line(self, login: str, line_id: str) -> None:
        if await self.desk.lines.disconnect(login, line_id):
            self._forget_session(login)

    def checked_target(self, login: str, target: Target) -> Target:
        """As it is written in the house. Raises NotPossible for one that does not exist or is the agent."""
        match target.kind:
            case "queue" if target.name not in self._config.queues:
                raise NotPossible(f"There is no queue {target.name}.")
            case "agent" if target.name == login or self.desk.agent(target.name) is None:
                raise NotPossible("This agent is not at the desk.", "Choose one who is signed in.")
            case "flow" if self.desk.is_called_back(login):
                raise NotPossible("Whom we called back has not talked with the bot.", "Give the call to a queue.")
            case "number":
                number = callable_number(target.name)
                if self._config.people.route(number) is None:
                    raise NotPossible("Calls to this number are not allowed.", "See people.outbound in the settings.")
                return Target("number", number)
        return target

    def _cut(self, login: str) -> None:
        """The session is over: so is its line."""
        self._session_of_line.pop(login, None)
        self.desk.lines.cut(login)

    def _forget_session(self, login: str) -> None:
        if (call_off := self._session_of_line.pop(login, None)) is not None:
            call_off()

    async def _profile(self, login: str) -> Profile:
        """What the user can serve, as it is now; the desk learns when it is other than before."""
        user = await self._access.user(login)
        profile = _profile_of(user, self._reach.get(login, "browser"))
        before = self._profiles.get(login)
        self._profiles[login] = profile
        if before is not None and before != profile and self.desk.agent(login) is not None:
            await self.desk.apply(AgentChanged(profile))
        return profile


def _profile_of(user: User, reach: Reach) -> Profile:
    return Profile(
        user.login,
        user.name,
        queues=frozenset(user.queues),
        skills=frozenset(user.skills),
        languages=frozenset(user.languages),
        phone=user.phone if reach == "phone" else "",
    )
