"""RTP packets in the order in which they were sent."""

from __future__ import annotations

# Packets that may overtake a missing one before it is given up: 60 ms. Whoever reads the audio keeps a cushion of its
# own and conceals by the clock (telephony.port), so waiting any longer would only add delay.
PATIENCE = 3
_RESTART = 500  # a jump of more than 10 s, in either direction, is a stream that begins anew


class Reordering:
    """Gives packets out in order, waits a little for those that are missing, and counts what did not come.

    aiortc's own jitter buffer waits for 300 ms at the first lost packet and keeps that delay for the rest of the call.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0  # came after they had been given up, or twice
        self._next: int | None = None
        self._waiting: dict[int, bytes] = {}

    def add(self, sequence: int, payload: bytes) -> list[bytes]:
        """Take a packet by its 16-bit sequence number; returns what can be used now."""
        ahead = 0 if self._next is None else _signed(sequence - self._next)
        if self._next is None or abs(ahead) > _RESTART:
            self._waiting.clear()
            self._next, ahead = sequence, 0
        place = self._next + ahead
        if ahead < 0 or place in self._waiting:
            self.late += 1
            return []
        self._waiting[place] = payload
        return self._ready(self._next)

    def _ready(self, place: int) -> list[bytes]:
        ready = []
        while self._waiting:
            if place in self._waiting:
                ready.append(self._waiting.pop(place))
            elif len(self._waiting) > PATIENCE:
                self.lost += 1
            else:
                break
            place += 1
        self._next = place
        return ready


def _signed(difference: int) -> int:
    """A difference of 16-bit numbers, the short way round."""
    return (difference + 0x8000) % 0x10000 - 0x8000
