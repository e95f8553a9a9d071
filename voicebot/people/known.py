"""What is known of a caller from before: who talked with them last, and their earlier calls."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from voicebot.errors import RecordsUnavailable
from voicebot.records import CallRecords
from voicebot.records.past_calls import EarlierCall

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """`agent`: who talked with this number last, or empty."""

    agent: str = ""
    calls: tuple[EarlierCall, ...] = ()


def known_of(data: Path, caller: str, before: datetime) -> Known:
    """Blocking: for a thread. Records that cannot be read are told in the log, and nothing is known."""
    try:
        with closing(CallRecords(data)) as records:
            return Known(records.last_agent(caller, before), records.earlier_calls(caller, before))
    except RecordsUnavailable as error:
        log.warning("earlier calls cannot be read: %s", error)
        return Known()
