"""Listens for keys in the sound of all legs of an endpoint: one look for all of them costs little more than for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from telephony.dtmf import HOP, WINDOW, KeySequence, keys_in

LOOK_S = 0.1
HEARD_FRAMES = 100  # what a leg keeps for the next look; the oldest goes when the event loop stalls for longer

_HOP_BYTES = 2 * HOP


class _Ear:
    def __init__(self, heard: deque[bytes], on_key: Callable[[str], None]) -> None:
        self._heard = heard
        self._rest = b""
        self.on_key = on_key
        self.sequence = KeySequence()

    def hops(self) -> bytes:
        """What has come since the last look, in whole hops, with the one that the next window begins with."""
        pieces = [self._rest]
        while self._heard:
            pieces.append(self._heard.popleft())
        sound = b"".join(pieces)
        whole = len(sound) // _HOP_BYTES * _HOP_BYTES
        self._rest = sound[max(0, whole - _HOP_BYTES) :]
        return sound[:whole]


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
        hops = [ear.hops() for ear in ears]
        counts = [max(0, len(own) // _HOP_BYTES - 1) for own in hops]
        found = keys_in(_windows(hops))
        at = 0
        for ear, count in zip(ears, counts, strict=True):
            keys = found[at : at + count]
            at += count
            if ear.sequence.idle and (keys < 0).all():
                continue
            for one in keys.tolist():
                if key := ear.sequence.take(one):
                    ear.on_key(key)


def _windows(hops: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """The windows of all ears, one below the other: each is two hops that follow one another.

    All in one go: every call of numpy that moves many samples lets go of the GIL, and getting it back takes a while.
    """
    sound = np.frombuffer(b"".join(hops), np.int16).reshape(-1, HOP).astype(np.float32)
    if len(sound) < 2:
        return np.empty((0, WINDOW), np.float32)
    of_one_ear = np.ones(len(sound) - 1, dtype=bool)
    ends = np.cumsum([len(own) // _HOP_BYTES for own in hops])[:-1]
    of_one_ear[ends[(ends > 0) & (ends < len(sound))] - 1] = False
    return np.concatenate((sound[:-1][of_one_ear], sound[1:][of_one_ear]), axis=1)
