"""Whether anything is heard of an agent: a microphone that the system or the headset has muted sends silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from telephony.member import Member
from telephony.pcm import samples

UNHEARD_S = 8.0
_SOUND = 32  # of 32768, -60 dBFS: what an open microphone makes of a quiet room is louder


class FirstSound:
    """Waits for the first sound of one who has joined. Belongs to the event loop; sound comes from the media thread.

    Only the first one counts: whoever was heard once may listen for as long as they like.
    """

    def __init__(self, member: Member, changed: Callable[[], None]) -> None:
        """`changed`: `missing` is other than before."""
        self.missing = False
        self._changed = changed
        self._heard = False
        self._loop = asyncio.get_running_loop()
        self._late: asyncio.TimerHandle | None = None
        self._untap = member.tap(self._take)

    def expect(self, on: bool) -> None:
        """Whether they are to be heard now: neither muted nor away from the caller."""
        if not on or self._heard:
            self._stop_waiting()
        elif self._late is None and not self.missing:
            self._late = self._loop.call_later(UNHEARD_S, self._is_late)

    def close(self) -> None:
        """Nothing more is told. Idempotent."""
        self._heard = True
        self._stop_waiting()
        self._untap()

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _is_late(self) -> None:
        self._late = None
        self.missing = True
        self._changed()

    def _take(self, first_sample: int, pcm: bytes) -> None:
        """On the media thread."""
        frame = samples(pcm)
        if max(int(frame.max(initial=0)), -int(frame.min(initial=0))) >= _SOUND and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._is_heard)

    def _is_heard(self) -> None:
        if self._heard:
            return
        self.close()
        if self.missing:
            self.missing = False
            self._changed()
