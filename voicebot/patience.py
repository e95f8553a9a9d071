"""How long a pause may be before it ends the turn: by what the flow waits for, how far the words have come, and who
speaks. Pure; milliseconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from flows import Expectation
from voicebot.signals import Patience, Progress

# Chosen on the corpus of benchmarks.turns (its tuning seed); see docs/adr/0011-turns.md.
PATIENCE = {
    "intent": Patience(complete_ms=550, likely_ms=1000, open_ms=1400, unfinished_ms=1600),
    "yes_no": Patience(complete_ms=250, likely_ms=700, open_ms=1000, unfinished_ms=1500),
    "choice": Patience(complete_ms=300, likely_ms=1000, open_ms=1300, unfinished_ms=1500),
    "digits": Patience(complete_ms=300, likely_ms=1200, open_ms=1500, unfinished_ms=1600),
    "spelled": Patience(complete_ms=900, likely_ms=1400, open_ms=1600, unfinished_ms=2000),
    "free": Patience(complete_ms=900, likely_ms=1000, open_ms=1200, unfinished_ms=1600),
}


def patience_for(expect: Expectation, *, longest_ms: int) -> Patience:
    """The patience for what the flow waits for; `longest_ms`: a caller who never stops is answered after this."""
    return replace(PATIENCE[expect.kind], no_input_ms=int(expect.timeout_s * 1000), longest_ms=longest_ms)


class Pace:
    """What this caller's pauses are like, learned within the call.

    Who pauses for long within a turn is given longer when the words are not complete. Who went on speaking after the
    turn had been ended is given longer even when they are. Never more than twice the usual.
    """

    KEPT = 8
    OVER = 1.25  # so much longer than the pauses that the caller is known to make
    CUT_OFF_MS = 150

    def __init__(self) -> None:
        self._pauses: deque[int] = deque(maxlen=self.KEPT)
        self._cut_offs = 0

    def paused(self, pause_ms: int) -> None:
        """The caller paused so long within a turn and went on."""
        self._pauses.append(pause_ms)

    def cut_off(self) -> None:
        """The caller went on although the turn had been ended."""
        self._cut_offs += 1

    def stretched(self, usual_ms: int, progress: Progress) -> int:
        """How long this caller may pause where `usual_ms` is usual."""
        wanted = usual_ms + self._cut_offs * self.CUT_OFF_MS
        if progress is not Progress.COMPLETE:
            wanted = max(wanted, int(self.OVER * self._usual_pause()))
        return min(wanted, 2 * usual_ms)

    def _usual_pause(self) -> int:
        """The second longest of late: a single long one may have been a cough or a look into a drawer."""
        return sorted(self._pauses)[-2] if len(self._pauses) > 1 else 0
