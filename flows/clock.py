"""Times of day, as they are said: "wpół do ósmej", "za piętnaście ósma", "half past seven", "14:30", "in two hours"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from re import Match

from flows.said import NUMBER, said, value

_WRITTEN = re.compile(
    r"(?<![\d.,:/-])([01]?\d|2[0-4])[:.]([0-5]\d)(?![\d:]|[.,/-]\d)(?:\s*([ap])\.?\s?m\b)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Time:
    """What was said. `half`: "am", "pm", or None when the hour may be of the morning or of the afternoon."""

    hour: int
    minute: int = 0
    half: str | None = None
    certain: bool = True  # it can be nothing but a time, even unasked

    @property
    def clock(self) -> str:
        """As HH:MM, the hour taken as it was said."""
        hour = self.hour % 24
        if self.half == "pm" and hour < 12:
            hour += 12
        if self.half == "am" and hour == 12:
            hour = 0
        return f"{hour:02d}:{self.minute:02d}"

    @property
    def other(self) -> str | None:
        """Twelve hours later, where that may be meant too."""
        return f"{self.hour + 12:02d}:{self.minute:02d}" if self.half is None and 1 <= self.hour <= 11 else None


_QUARTERS = {"kwadrans": 15, "quarter": 15, "a quarter": 15, "trzy kwadranse": 45, "half": 30}


def _minutes(words: str) -> int:
    return _QUARTERS.get(words.strip()) or value(words)


def _after(found: Match[str]) -> tuple[int, int]:
    return value(found["h"]), _minutes(found["m"])


def _before(found: Match[str]) -> tuple[int, int]:
    return value(found["h"]) - 1, 60 - _minutes(found["m"])


def _half_to(found: Match[str]) -> tuple[int, int]:
    """Around half an hour before: "wpół do ósmej", "za pięć wpół do ósmej", "pięć po wpół do ósmej"."""
    shift = {"": 0, "za": -1, "po": 1}[found["sign"] or ("po" if found["after"] else "")]
    minutes = value(found["m"] or found["after"] or "") if shift else 0
    return value(found["h"]) - 1, 30 + shift * minutes


def _half_past(found: Match[str]) -> tuple[int, int]:
    return value(found["h"]), 30


def _hour(found: Match[str]) -> tuple[int, int]:
    return value(found["h"]), value(found["m"]) if found["m"] else 0


def _hundred(found: Match[str]) -> tuple[int, int]:
    return divmod(value(found["h"]), 100)


_Q_PL = rf"(?P<m>kwadrans|{NUMBER})(?: minut[ye]?)?"
_Q_EN = rf"(?P<m>a quarter|quarter|{NUMBER})(?: minutes?)?"
_N = rf"(?P<h>{NUMBER})"
_GO_PL = r"(?:godzin[aeyi]e? |godz )?"
_AT_PL = r"(?:o|na|od|do|po|przed|kolo|okolo|godzin[aeyi]e?|godz|godzine|godzinie|punkt|rowno) "
_AT_EN = r"(?:at|by|until|till|from|after|before|around|about) "
# Pattern, how it is read, and whether it is a time beyond doubt.
_FORMS: dict[str, list[tuple[re.Pattern[str], Callable[[Match[str]], tuple[int, int]], bool]]] = {
    "pl": [
        (
            re.compile(
                rf" (?:(?P<sign>za) (?P<m>{NUMBER}) (?:minut[ye]? )?|(?P<after>{NUMBER}) (?:minut[ye]? )?po )?"
                rf"(?:w pol|wpol|pol) do {_GO_PL}{_N} "
            ),
            _half_to,
            True,
        ),
        (re.compile(rf" za {_Q_PL} {_GO_PL}{_N} "), _before, True),
        (re.compile(rf" {_Q_PL} (?:po) {_GO_PL}{_N} "), _after, True),
        (re.compile(rf" {_Q_PL} (?:przed) {_GO_PL}{_N} "), _before, True),
        (re.compile(rf" {_N} (?:godzina )?(?:i )?(?P<m>kwadrans) "), _after, True),
        (re.compile(rf" {_AT_PL}(?:{_AT_PL})?{_N} (?:zero |i )?(?:<[cd]0> )?(?P<m>{NUMBER}) "), _hour, True),
        (re.compile(rf" {_AT_PL}(?:{_AT_PL})?{_N} (?:<[cd]0> <[cd]0> )?(?P<m>)"), _hour, True),
        (re.compile(rf" {_N} (?:i |zero )?(?:<[cd]0> )?(?P<m>{NUMBER}) "), _hour, False),
        (re.compile(rf" {_N} (?P<m>)"), _hour, False),
    ],
    "en": [
        (re.compile(rf" {_Q_EN} (?:to|before|of|till) {_N} "), _before, True),
        (re.compile(rf" {_Q_EN} (?:past|after) {_N} "), _after, True),
        (re.compile(rf" half (?:past |after )?{_N} "), _half_past, True),
        (re.compile(r" (?P<h><[cd]\d{1,2}00>) (?:hours? )?"), _hundred, False),
        (re.compile(rf" {_AT_EN}{_N} (?:oh |o )?(?:<[cd]0> )?(?P<m>{NUMBER}) "), _hour, True),
        (re.compile(rf" {_AT_EN}{_N} (?:<[cd]0> <[cd]0> )?(?P<m>)"), _hour, True),
        (re.compile(rf" {_N} (?:<[cd]0> )?(?P<m>{NUMBER}) "), _hour, False),
        (re.compile(rf" {_N} (?P<m>)"), _hour, False),
    ],
}
# Parts of the day, by the hours that they can be of.
_PARTS: dict[str, list[tuple[re.Pattern[str], str]]] = {
    "pl": [
        (re.compile(r" (?:rano|nad ranem|z rana|przed poludniem|przedpoludniem|ranem|rankiem) "), "am"),
        (re.compile(r" (?:po poludniu|popoludniu|po pol|wieczorem|wieczor|pod wieczor|wieczora) "), "pm"),
        (re.compile(r" (?:w nocy|noca|w noc) "), "night"),
    ],
    "en": [
        (re.compile(r" (?:am|a m|in the morning|before noon|this morning|tomorrow morning|morning) "), "am"),
        (re.compile(r" (?:pm|p m|in the afternoon|in the evening|this afternoon|tonight|afternoon|evening) "), "pm"),
        (re.compile(r" (?:at night|in the night) "), "night"),
    ],
}
_NOON = {"pl": re.compile(r" (?:poludnie|w samo poludnie|w poludnie) "), "en": re.compile(r" (?:noon|midday) ")}
_MIDNIGHT = {"pl": re.compile(r" (?:o polnocy|polnoc|polnocy|polnoca) "), "en": re.compile(r" midnight ")}
_AHEAD = {
    "pl": re.compile(
        rf" za (?:(?P<n>{NUMBER}) )?(?P<half>pol |poltorej )?(?P<unit>godzin[yae]?|godzine|minut[eyi]?|minute|kwadrans)"
        r"(?P<more> i pol| z kawalkiem)? (?!<)"
    ),
    "en": re.compile(
        rf" in (?:(?P<n>{NUMBER}) |an? |about )*(?P<half>half an |half a )?(?P<unit>hours?|minutes?|quarter of an hour)"
        r"(?P<more> and a half)? (?!<)"
    ),
}


def find_time(text: str, language: str, now: datetime, *, asked: bool) -> Time | None:
    """The time of day in a text, or None. Unless it was asked for, only what can be nothing else."""
    marked = said(text, language)
    half = next((name for pattern, name in _PARTS[language] if pattern.search(marked)), None)
    written = _WRITTEN.search(text)
    if written and int(written[1]) <= 24:
        said_half = {"a": "am", "p": "pm"}.get((written[3] or "").lower(), half)
        return _time(int(written[1]), int(written[2]), said_half, exact=len(written[1]) == 2 and written[1][0] == "0")
    if (later := _from_now(marked, language, now)) is not None:
        return later
    for pattern, read, certain in _FORMS[language]:
        if not (certain or asked or half):
            break
        for found in pattern.finditer(marked):
            hour, minute = read(found)
            if (time := _time(hour, minute, half, exact=hour == 0 and read is _hour)) is not None:
                doubtful = language == "pl" and read is _hour and "<o" not in found[0] and "godz" not in found[0]
                if asked or half or not doubtful:
                    return time
    return _named(marked, language)


def _time(hour: int, minute: int, half: str | None, *, exact: bool) -> Time | None:
    if minute == 60:
        hour, minute = hour + 1, 0
    hour = hour + 12 if hour == 0 and not exact and half != "night" else hour
    if hour == 24:
        hour = 0
    if not (0 <= hour < 24 and 0 <= minute < 60):
        return None
    if half == "night":
        half = "am" if hour == 12 or hour < 6 else "pm"
    if hour > 12 or hour == 0 or exact:
        return Time(hour, minute, "as said")
    return Time(hour, minute, half)


def _named(marked: str, language: str) -> Time | None:
    if _MIDNIGHT[language].search(marked):
        return Time(0, 0, "as said")
    return Time(12, 0, "as said") if _NOON[language].search(marked) else None


def _from_now(marked: str, language: str, now: datetime) -> Time | None:
    """ "In two hours": by the clock that goes on, also in the nights when the hour is changed."""
    found = _AHEAD[language].search(marked)
    if found is None:
        return None
    unit = 15 if found["unit"].startswith(("kw", "qu")) else 60 if found["unit"].startswith(("go", "ho")) else 1
    count = value(found["n"]) if found["n"] else 1
    minutes = unit * count + (unit // 2 if found["more"] else 0)
    if found["half"]:
        minutes = 90 if found["half"].startswith("poltorej") else 30
    if minutes > 24 * 60:
        return None
    ahead = timedelta(minutes=minutes)
    later = (now.astimezone(UTC) + ahead).astimezone(now.tzinfo) if now.tzinfo else now + ahead
    return Time(later.hour, later.minute, "as said")
