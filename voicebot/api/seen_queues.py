"""Whose callbacks and messages somebody may know of."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.access import Access, Who


@dataclass(frozen=True)
class SeenQueues:
    """`names` None: all."""

    names: frozenset[str] | None

    def __contains__(self, queue: str) -> bool:
        return self.names is None or queue in self.names


async def seen_queues(who: Who, access: Access) -> SeenQueues:
    """Supervisors see all queues, agents those that they serve."""
    if who.may("supervisor"):
        return SeenQueues(None)
    return SeenQueues(frozenset((await access.user(who.login)).queues) or None)
