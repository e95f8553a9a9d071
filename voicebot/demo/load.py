"""How busy this machine is (Linux)."""

from __future__ import annotations

from pathlib import Path

_STAT = Path("/proc/stat")


def busy_and_all(stat: str) -> tuple[int, int]:
    """Ticks of all cores that were spent on anything, and all of them (proc(5), the first line of /proc/stat)."""
    ticks = [int(word) for word in stat.splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]  # waiting for a disk is idle, too
    return sum(ticks) - idle, sum(ticks)


class Load:
    """The share of the cores that was busy since it was asked last; of a machine that does not tell, none."""

    def __init__(self) -> None:
        self._last = self._read()

    def busy_share(self) -> float:
        """0 to 1."""
        before, self._last = self._last, self._read()
        busy, ticks = (now - then for now, then in zip(self._last, before, strict=True))
        return busy / ticks if ticks > 0 else 0.0

    @staticmethod
    def _read() -> tuple[int, int]:
        try:
            return busy_and_all(_STAT.read_text(encoding="ascii"))
        except OSError:
            return 0, 0
