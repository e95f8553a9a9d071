"""Whether a far end is heard at all, so that one-way audio is noticed while the call is still up. Pure.

Silence on the wire is not always a fault: a phone with silence suppression (DTX) sends nothing while its owner says
nothing. So two things count: that nothing has come since the call was up, and that a phone falls silent which has sent
without a break for longer than anybody speaks without one. Any other silence is left to the RTP timeout.
"""

from __future__ import annotations

from telephony.leg import HeardAgain, Unheard

SILENT_S = 5.0
CONTINUOUS_S = 10.0
_BREAK_S = 0.2
_ASKED_LATELY_S = 1.0


class Arrivals:
    """When audio came. The media thread writes it, any thread may read it."""

    def __init__(self) -> None:
        self.asked_at = 0.0
        self.heard_at: float | None = None
        self.run_began_at = 0.0  # no break since then

    def note(self, came: bool, now: float) -> None:
        """The leg was read; `came`: there was something."""
        self.asked_at = now
        if came:
            if self.heard_at is None or now - self.heard_at > _BREAK_S:
                self.run_began_at = now
            self.heard_at = now


class HearingWatch:
    """Tells once that a far end is not heard, and once that it is heard again."""

    def __init__(self, arrivals: Arrivals, now: float) -> None:
        self._arrivals = arrivals
        self._since = now  # up, taken back from hold, read again
        self._unheard_at: float | None = None

    def look(self, now: float, on_hold: bool) -> Unheard | HeardAgain | None:
        """To be asked about once a second."""
        arrivals = self._arrivals
        heard_at = arrivals.heard_at
        if self._unheard_at is not None:
            if heard_at is None or heard_at < self._unheard_at:
                return None
            self._unheard_at = None
            return HeardAgain(round(now - self._since, 1))
        if on_hold or now - arrivals.asked_at > _ASKED_LATELY_S:
            self._since = now  # nothing is to come, or nobody would know
            return None
        if heard_at is not None and heard_at > self._since:
            self._since = heard_at
        suspicious = heard_at is None or heard_at - arrivals.run_began_at >= CONTINUOUS_S
        if not suspicious or now - self._since < SILENT_S:
            return None
        self._unheard_at = now
        return Unheard(ever=heard_at is not None)
