"""Keys as tones in the sound (ITU-T Q.23, tolerances of Q.24), and one key for one press however it is told. Pure.

A window of 20 ms holds a key when nearly all of its energy is in one tone of the low group and one of the high group.
Speech, music and the tones of a network share their energy among more, or among others: that is what keeps them from
pressing keys. A key counts when two windows 10 ms apart agree, which a tone of 40 ms always gives and one of 20 ms
never, and again only after 30 ms without it.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 8000
WINDOW = 160
HOP = 80

KEYS = "123A456B789C*0#D"
_LOW_HZ = (697, 770, 852, 941)
_HIGH_HZ = (1209, 1336, 1477, 1633)
_OFF = (-0.012, 0.0, 0.012)  # every tone is looked for at and around its frequency: 1.5 % off must do (Q.24)
_SHARE = 0.80  # of the energy in the two tones: noise 15 dB below them leaves 0.9
_OTHERS = 0.25  # of the second strongest in a group to the strongest
_TWIST = (0.12, 5.0)  # power of the high tone to the low one: -9 to +7 dB (Q.24: -8 to +4)
_QUIETEST = WINDOW * 200.0**2  # energy of a window: about -44 dBFS
_AGREE = 2
_APART = 3
_PAUSE_S = 0.04
_TOGETHER_S = 2.0

_Floats = npt.NDArray[np.float32]


def _waves() -> _Floats:
    at = 2 * np.pi * np.arange(WINDOW) / SAMPLE_RATE
    waves = []
    for hz in (*_LOW_HZ, *_HIGH_HZ):
        for off in _OFF:
            waves += [np.cos(hz * (1 + off) * at), np.sin(hz * (1 + off) * at)]
    return np.array(waves, dtype=np.float32).T


_WAVES = _waves()


def keys_in(windows: _Floats) -> npt.NDArray[np.int8]:
    """For each window (rows of `WINDOW` samples, 8 kHz) the index in `KEYS` of the key in it, or -1."""
    found = np.full(len(windows), -1, dtype=np.int8)
    energy = np.einsum("ij,ij->i", windows, windows)
    loud = np.flatnonzero(energy > _QUIETEST)
    if not len(loud):
        return found
    # The energy of a sine of each frequency in the window.
    parts = (windows[loud] @ _WAVES) ** 2
    tones = (2 / WINDOW) * parts.reshape(len(loud), 8, len(_OFF), 2).sum(axis=3).max(axis=2)
    low, high = np.sort(tones[:, :4], axis=1), np.sort(tones[:, 4:], axis=1)
    strongest_low, strongest_high = low[:, 3], high[:, 3]
    good = (
        (strongest_low + strongest_high > _SHARE * energy[loud])
        & (low[:, 2] < _OTHERS * strongest_low)
        & (high[:, 2] < _OTHERS * strongest_high)
        & (strongest_high > _TWIST[0] * strongest_low)
        & (strongest_high < _TWIST[1] * strongest_low)
    )
    key = 4 * tones[:, :4].argmax(axis=1) + tones[:, 4:].argmax(axis=1)
    found[loud[good]] = key[good]
    return found


class KeySequence:
    """Keys out of what is found in the windows of one stream, one after the other."""

    def __init__(self) -> None:
        self._candidate = -1
        self._agreed = 0
        self._down = -1
        self._absent = 0

    @property
    def idle(self) -> bool:
        """Nothing is begun: windows without a key change nothing."""
        return self._down < 0 and self._candidate < 0

    def take(self, found: int) -> str:
        """The key that this window completes, or ""."""
        self._agreed = self._agreed + 1 if found == self._candidate else 1
        self._candidate = found
        if self._down >= 0:
            self._absent = 0 if found == self._down else self._absent + 1
            if self._absent >= _APART:
                self._down = -1
        if found < 0 or found == self._down or self._agreed < _AGREE:
            return ""
        self._down, self._absent = found, 0
        return KEYS[found]


class OnePress:
    """One key for one press, of peers that tell it in two ways: events of RFC 4733, SIP INFO, tones in the sound.

    Events and INFO look alike to us, so they are told apart by time: nobody presses a key again within the 40 ms that
    Q.24 wants between two tones. A tone and a message about the same key belong together when they are not more than
    2 s apart; INFO often comes after the key was let go.
    """

    def __init__(self) -> None:
        self._down = ""
        self._let_go_at = 0.0
        self._alone: deque[tuple[str, bool, float]] = deque(maxlen=32)  # key, as a tone, when: told in one way so far

    def message(self, key: str, now: float) -> bool:
        """An event or an INFO; whether it is a new press."""
        if self._down == key and (self._let_go_at == 0.0 or now - self._let_go_at < _PAUSE_S):
            return False
        self._down, self._let_go_at = key, 0.0
        return self._is_new(key, False, now)

    def let_go(self, now: float) -> None:
        """The end of the last message's key."""
        self._let_go_at = now

    def tone(self, key: str, now: float) -> bool:
        """A tone; whether it is a new press."""
        return self._is_new(key, True, now)

    def _is_new(self, key: str, as_tone: bool, now: float) -> bool:
        while self._alone and now - self._alone[0][2] > _TOGETHER_S:
            self._alone.popleft()
        for press in self._alone:
            if press[:2] == (key, not as_tone):
                self._alone.remove(press)
                return False
        self._alone.append((key, as_tone, now))
        return True
