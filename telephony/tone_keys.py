"""Listens for keys in the sound of all legs of an endpoint: one look for all of them costs little more than for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import numpy as np

from telephony.dtmf import HOP, WINDOW, KeySequence, keys_in

LOOK_S = 0.1
HEARD_FRAMES = 100  # what a leg keeps for the next look; the oldest goes when the event loop stalls for longer


class _Ear:
    def __init__(self, heard: deque[bytes], on_key: Callable[[str], None]) -> None:
        self._heard = heard
        self._rest = b""
        self.on_key = on_key
        self.sequence = KeySequence()

    def windows(self) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
        """What has come since the last look."""
        pieces = [self._rest]
        while self._heard:
            pieces.append(self._heard.popleft())
        sound = b"".join(pieces)
        count = max(0, (len(sound) // 2 - WINDOW) // HOP + 1)
        self._rest = sound[2 * HOP * count :]
        if not count:
            return np.empty((0, WINDOW), np.int16)
        hops = np.frombuffer(sound, np.int16, HOP * (count + 1)).reshape(-1, HOP)
        return np.hstack((hops[:-1], hops[1:]))  # a window is two hops


class ToneKeys:
    """Belongs to the event loop. It wakes only while there are legs."""

    def __init__(self) -> None:
        self._ears: list[_Ear] = []
        self._timer: asyncio.TimerHandle | None = None

    def listen(self, heard: deque[bytes], on_key: Callable[[str], None]) -> Callable[[], None]:
        """Tell of every key in what another thread puts into `heard`, 8 kHz. Returns what ends it; idempotent."""
        ear = _Ear(heard, on_key)
        self._ears.append(ear)
        if self._timer is None:
            self._arm()

        def stop() -> None:
            if ear in self._ears:
                self._ears.remove(ear)
            if not self._ears and self._timer is not None:
                self._timer.cancel()
                self._timer = None

        return stop

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._arm()
        ears = tuple(self._ears)
        windows = [ear.windows() for ear in ears]
        found = keys_in(np.concatenate(windows).astype(np.float32))
        at = 0
        for ear, own in zip(ears, windows, strict=True):
            keys = found[at : at + len(own)]
            at += len(own)
            if ear.sequence.idle and (keys < 0).all():
                continue
            for one in keys.tolist():
                if key := ear.sequence.take(one):
                    ear.on_key(key)
