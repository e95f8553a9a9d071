"""Keys that a caller presses one after the other, as one entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flows import Expectation

BETWEEN_KEYS_S = 3.0


class KeyEntry:
    """`entered(keys)` gets them when `#` comes, as many as are expected, or no other for a while.

    Belongs to the event loop.
    """

    def __init__(self, entered: Callable[[str], None]) -> None:
        self._entered = entered
        self._keys = ""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def begun(self) -> bool:
        return bool(self._keys)

    def press(self, key: str, expect: Expectation) -> None:
        self._keys += key
        self._stop_timer()
        if not expect.keys or key == "#" or len(self._keys) == expect.length:
            self._enter()
        else:
            self._timer = asyncio.get_running_loop().call_later(BETWEEN_KEYS_S, self._enter)

    def forget(self) -> None:
        """What was begun answers nothing that is asked now."""
        self._keys = ""
        self._stop_timer()

    def _enter(self) -> None:
        keys, self._keys = self._keys, ""
        self._entered(keys)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
