"""Callers whose call ended with a crash of ours: who rings again soon hears that we know."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voicebot.records import CallRecords

RINGS_AGAIN = timedelta(minutes=2)


class CutOff:
    """`ended`: when the last thing happened in the call of each caller that was cut off, by number."""

    def __init__(self, ended: Mapping[str, datetime] | None = None) -> None:
        self._ended = dict(ended or {})

    @property
    def ended(self) -> Mapping[str, datetime]:
        return self._ended

    def know(self, ended: Mapping[str, datetime]) -> None:
        """These, and no others."""
        self._ended = dict(ended)

    def add(self, caller: str, ended_at: datetime) -> None:
        """Another; a number that was withheld is nobody's."""
        if caller:
            self._ended[caller] = ended_at

    def took(self, caller: str, now: datetime) -> bool:
        """Whether this caller's last call was cut off in the last two minutes. True once: then it has been told."""
        ended_at = self._ended.pop(caller, None)
        return ended_at is not None and now - ended_at <= RINGS_AGAIN


def read_cut_off(data: Path) -> CutOff:
    """Those of the last two minutes, by the records. Raises RecordsUnavailable."""
    with closing(CallRecords(data)) as records:
        return CutOff(records.lost_since(datetime.now(UTC) - RINGS_AGAIN))
