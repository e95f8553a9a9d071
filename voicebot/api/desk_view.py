"""What the pages that all look at have to know of the desk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from voicebot.people.lines import BrowserLines
from voicebot.queueing.model import Agent, Entry


class DeskView(Protocol):
    """Who waits and who serves; `people.desk.Desk` is one."""

    @property
    def lines(self) -> BrowserLines:
        """Of agents' browsers."""

    @property
    def entries(self) -> Iterable[Entry]:
        """Those that have not ended."""

    @property
    def agents(self) -> Iterable[Agent]: ...

    def entry(self, entry: str) -> Entry | None: ...

    def entry_of(self, login: str) -> Entry | None:
        """What the agent is offered, talks about or wraps up."""

    def call_id(self, entry: Entry) -> str:
        """Of the call in which its caller is talked with."""

    def position(self, entry: str) -> int | None:
        """Where a waiting caller stands: 1 is next."""

    def serves(self, login: str, call_id: str) -> bool:
        """Whether the agent has to do with the call."""

    async def close_callback(self, entry: str, outcome: Literal["reached", "gave_up"], notes: str = "") -> None:
        """Somebody says how it ended. Raises NotPossible when it has an end already."""
