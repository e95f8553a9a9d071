"""How the simulated people listen: is the other side speaking, and for how long has it been silent?

By level alone: the far side of a simulated call is a machine in a quiet place. Hold music is sound like any other.
"""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np

_THRESHOLD_DBFS = -42.0
_ONSET_FRAMES = 3  # this many loud frames of 20 ms ...
_ONSET_WINDOW = 5  # ... among so many begin speech
_PAUSE_FRAMES = 6  # so many quiet ones end it
_FRAME_S = 0.02


class Ear:
    """Fed with 20 ms frames by the media thread (`hear`), asked by the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._recent: deque[bool] = deque(maxlen=_ONSET_WINDOW)
        self._quiet_frames = 0
        self._loud = False  # the media thread's view; `speaking` is the loop's
        self._changed = asyncio.Event()
        self.speaking = False
        self.onsets = 0
        self._silent_since = loop.time()

    def hear(self, first_sample: int, pcm: bytes) -> None:
        """A tap of a room member."""
        frame = np.frombuffer(pcm, "<i2").astype(np.float64)
        level = 20 * np.log10(max(float(np.sqrt(np.square(frame).mean())) / 32768, 1e-6)) if len(frame) else -120.0
        loud = level > _THRESHOLD_DBFS
        self._recent.append(loud)
        self._quiet_frames = 0 if loud else self._quiet_frames + 1
        if not self._loud and sum(self._recent) >= _ONSET_FRAMES:
            self._loud = True
            self._tell(True)
        elif self._loud and self._quiet_frames >= _PAUSE_FRAMES:
            self._loud = False
            self._tell(False)

    def _tell(self, speaking: bool) -> None:
        try:
            self._loop.call_soon_threadsafe(self._note, speaking)
        except RuntimeError:
            return  # the loop has ended, and nobody listens any more

    def _note(self, speaking: bool) -> None:
        self.speaking = speaking
        if speaking:
            self.onsets += 1
        else:
            self._silent_since = self._loop.time() - _PAUSE_FRAMES * _FRAME_S
        self._changed.set()

    async def until_speaking(self) -> None:
        """Return when the other side speaks; at once if it does."""
        while not self.speaking:
            self._changed.clear()
            await self._changed.wait()

    async def until_spoken(self, since_onset: int, silence_s: float) -> None:
        """Return when it has been silent for `silence_s` after speech: that of now, or any after `since_onset`."""
        while not (self.speaking or self.onsets > since_onset):
            self._changed.clear()
            await self._changed.wait()
        while True:
            self._changed.clear()
            left = None if self.speaking else self._silent_since + silence_s - self._loop.time()
            if left is not None and left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue
