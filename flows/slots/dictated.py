"""What the slots have in common whose values are dictated: digits in any grouping, in one answer or in two."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, ClassVar

from flows.actions import Expectation
from flows.corrections import takes
from flows.numbers import digit_readings, digit_runs, find_numbers
from flows.slots.base import Slot


class DictatedSlot(Slot):
    """A string of digits that has to fit. Of what a dictation can mean, the reading that fits is taken."""

    keys_phrase: ClassVar[str] = "keys_digits"

    @abstractmethod
    def fits(self, digits: str) -> bool:
        """Whether such a value is accepted."""

    @property
    def digits_expected(self) -> int | None:
        """How many digits a value has, when that is known."""
        return None

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> Any | None:
        pieces = takes(text, language) if asked else [text]
        if len(pieces) > 1 and (whole := self._corrected(pieces, language)) is not None:
            return whole
        runs = digit_runs(text, language, fuzzy=asked)
        fitting = [next(filter(self.fits, digit_readings(run)), None) for run in runs]
        found = [digits for digits in fitting if digits is not None]
        if found:
            return found[-1] if asked else found[0]
        if not asked or not runs:
            return None
        together = [number for run in runs for number in run]
        whole = next(filter(self.fits, digit_readings(together)), None)
        return whole or self._plain(together)

    def _plain(self, numbers: list[Any]) -> str:
        """The plainest reading, or one that at least has the right length."""
        readings = list(digit_readings(numbers))
        as_long = (reading for reading in readings if len(reading) == self.digits_expected)
        return next(as_long, "".join(number.digits for number in numbers))

    def _corrected(self, pieces: list[str], language: str) -> str | None:
        """ "One two three four five six, no, seven": what is said last replaces as many digits as it has."""
        said = [list(digit_readings(run)) for piece in pieces for run in digit_runs(piece, language, fuzzy=True)]
        if len(said) < 2 or self.fits("".join(readings[0] for readings in said)):
            return None
        last = [reading for reading in said[-1] if self.fits(reading)]
        before = "".join(readings[0] for readings in said[:-1])
        replaced = [before[: -len(new)] + new for new in said[-1] if len(new) < len(before)]
        return next(iter([*last, *filter(self.fits, replaced)]), None)

    def plainest(self, value: Any, text: str, language: str) -> bool:
        """ "Six hundred twenty-two" is 622 rather than 60022, though a longer number may be asked for."""
        runs = digit_runs(text, language, fuzzy=True)
        return any(value == next(digit_readings(run)) for run in runs)

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", length=self.digits_expected, timeout_s=8.0, keys=True)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> Any | None:
        """A whole new number, or "(not) six, seven": the second takes the place of the first if that is there once."""
        said = [number.digits for number in find_numbers(text, language, fuzzy=True)]
        if self.fits("".join(said)):
            return "".join(said)
        for cut in range(1, len(said)):
            old, new = "".join(said[:cut]), "".join(said[cut:])
            if str(value).count(old) == 1 and len(old) == len(new):
                return str(value).replace(old, new)
        return self.parse(text, language, now, asked=True)

    def from_keys(self, keys: str, now: datetime) -> Any | None:
        return keys if keys.isascii() and keys.isdigit() else None

    def join(self, first: Any, second: Any, now: datetime) -> Any | None:
        whole = f"{first}{second}"
        return whole if self.fits(whole) else None


def only_digits(value: Any) -> str | None:
    """The digits of a value that is written with spaces or hyphens; None when there is anything else."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    digits = str(value).translate({ord(sign): None for sign in " \t\u00a0-"})
    return digits if digits.isascii() and digits.isdigit() else None
