"""All events by name, and their JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from voicebot.errors import UnreadableEvent
from voicebot.events import call, people
from voicebot.events.base import CallEvent, Outcome
from voicebot.events.call import BotRefused, BotTaken, CallEnded, CallerSaying
from voicebot.events.people import AlertAcknowledged, AlertRaised, SupervisorJoined, SupervisorLeft

EVENT_TYPES: tuple[type[CallEvent], ...] = tuple(
    kind
    for module in (call, people)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, CallEvent) and kind is not CallEvent
)
"""Every class of the two modules: an event that is written there can be stored and read back."""

ABOUT_NO_CALL = (BotTaken, BotRefused)
PASSING = (CallerSaying, *ABOUT_NO_CALL)
"""Events of the moment, for those who watch: what they tell comes again in another event, or is about no call. No
record of a call has them."""

FOR_SUPERVISORS = (SupervisorJoined, SupervisorLeft, AlertRaised, AlertAcknowledged)
"""Never shown to agents: that a supervisor is in the call, or looks at it."""


def event_name(event: CallEvent | type[CallEvent]) -> str:
    """`bot_said` for `BotSaid`."""
    kind = event if isinstance(event, type) else type(event)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_BY_NAME = {event_name(kind): kind for kind in EVENT_TYPES}


def to_json(event: CallEvent) -> dict[str, Any]:
    """Plain data: `event` is the name, `at` an ISO time in UTC, the rest are the fields."""
    data: dict[str, Any] = {"event": event_name(event)}
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat()
        elif isinstance(value, StrEnum):
            value = value.value
        elif isinstance(value, Mapping):
            value = dict(value)
        data[field.name] = value
    return data


def from_json(data: Mapping[str, Any]) -> CallEvent:
    """The event that `to_json` wrote. Raises UnreadableEvent."""
    kind = _BY_NAME.get(str(data.get("event")))
    if kind is None:
        raise UnreadableEvent(f"No event is called {data.get('event')!r}.")
    values = {name: value for name, value in data.items() if name != "event"}
    try:
        values["at"] = datetime.fromisoformat(values["at"]).astimezone(UTC)
        if kind is CallEnded:
            values["outcome"] = Outcome(values["outcome"])
        return kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(f"The event {data.get('event')!r} cannot be read: {error}.") from error
