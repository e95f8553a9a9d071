"""What is known of somebody who is to be called back: the call in which that was promised, and those before."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voicebot.announce import Span
from voicebot.config import Config
from voicebot.errors import CallNotFound, RecordsUnavailable
from voicebot.parts import Services
from voicebot.people import texts
from voicebot.people.offers import Offered
from voicebot.queueing.model import Entry
from voicebot.records import CallFolder, CallRecords
from voicebot.records.past_calls import EarlierCall

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Promised:
    """`summary`: of that call, as `summary.json` has it; None where nothing was kept. `dialled`: where it went to."""

    summary: Mapping[str, Any] | None = None
    earlier: tuple[EarlierCall, ...] = ()
    dialled: str = ""

    @property
    def why(self) -> str:
        """What the call was about, in words; empty when that is not known."""
        return str(self.summary.get("why", "")) if self.summary is not None else ""


def read_promised(config: Config, entry: Entry) -> Promised:
    """From the disk. What cannot be read is missing."""
    try:
        summary = CallFolder(config.data / "calls" / entry.call_id).read_summary()
        with closing(CallRecords(config.data)) as records:
            earlier = records.earlier_calls(entry.caller, datetime.now(UTC))
            return Promised(summary, earlier, records.get(entry.call_id).dialled)
    except (OSError, json.JSONDecodeError, RecordsUnavailable, CallNotFound) as error:
        log.warning("what is known of %s cannot be read: %s", entry.call_id, error)
        return Promised()


class Promises:
    """By entry, read when an entry is first shown to an agent, and kept until it ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[str, Promised] = {}

    async def read(self, entry: Entry) -> None:
        if entry.id not in self._known:
            self._known[entry.id] = await asyncio.to_thread(read_promised, self._services.config, entry)

    def of(self, entry: str) -> Promised:
        return self._known.get(entry, Promised())

    def forget(self, entry: str) -> None:
        self._known.pop(entry, None)

    def offered(self, entry: Entry) -> Offered:
        """For an agent at a desk phone. No call goes on yet that could have a record of it."""
        language = entry.language

        def words() -> Sequence[Span]:
            return texts.callback_offered(entry.caller, self.of(entry.id).why, language)

        voice = self._services.own_voice()
        return Offered(entry.queue, entry.caller, language, voice, dict, words, lambda *told, **values: None)
