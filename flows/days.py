"""Days, as they are said: "w przyszły czwartek", "trzeciego maja", "za dwa tygodnie", "the sixth of December"."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from flows.day_words import AGO, AHEAD, FEASTS, LAST, NEXT, RELATIVE, THIS, UNITS, WEEKDAYS, month_named
from flows.said import said
from flows.words import similar

_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DAY_FIRST = re.compile(r"(?<![\d.,:/-])(\d{1,2})\s?[./-]\s?(\d{1,2})(?:\s?[./-]\s?(\d{4}|\d{2}))?(?![\d:])")
# "O ósmej w piątek": the hour is no day.
_HOUR = re.compile(r" (?:o|at|o godzinie|godzina|godzine|godziny) <[cod]\d+>(?: <c\d+>)?(?= )")
_MARK = re.compile(r"<([cod])(\d+)>")


@dataclass(frozen=True)
class Day:
    """A day as it was named. `month` and `year` are None where they were not."""

    day: int
    month: int | None = None
    year: int | None = None


class Days:
    """Finds the day in one text. `past`: a day without a year is the last such day, otherwise the next."""

    def __init__(self, text: str, language: str, today: date, *, past: bool, asked: bool) -> None:
        self._text = text
        self._language = language
        self._today = today
        self._past = past
        self._asked = asked
        self._words = _HOUR.sub(" ", said(text, language)).split()
        self._joined = f" {' '.join(self._words)} "

    def find(self) -> str | None:
        """The day as an ISO date; one that no calendar has ("2026-02-30") when it was named so and asked for."""
        named = self._written() or self._feast()
        found = self._resolved(named) if named else None
        if found is None and named is None:
            found = self._relative() or self._counted() or self._nth_weekday()
        if found is None and named is None and (named := self._in_month() or self._by_ordinals()) is not None:
            found = self._resolved(named)
        if found is None and named is None:
            found = self._weekday() or self._end_of_month()
        if found is None and named is None and (named := self._lone()) is not None:
            found = self._nearest_day(named.day)
        if found is not None:
            return found.isoformat()
        if named is not None and named.month is not None and self._asked and 1 <= named.day <= 31:
            return f"{named.year or self._today.year:04d}-{named.month:02d}-{named.day:02d}"
        return None

    # What names a day.

    def _written(self) -> Day | None:
        if match := _ISO.search(self._text):
            return Day(int(match[3]), int(match[2]), int(match[1]))
        for match in _DAY_FIRST.finditer(self._text):
            if 1 <= int(match[1]) <= 31 and 1 <= int(match[2]) <= 12:
                year = int(match[3]) if match[3] else None
                return Day(int(match[1]), int(match[2]), self._century(year) if year is not None else None)
        return None

    def _century(self, year: int) -> int:
        """85 is 1985 for a day that lies behind, 26 is 2026."""
        if year >= 100:
            return year
        this = self._today.year // 100 * 100 + year
        return this - 100 if self._past and this > self._today.year else this

    def _feast(self) -> Day | None:
        for phrase, (month, day) in FEASTS[self._language].items():
            if f" {phrase} " in self._joined:
                return Day(day, month)
        return None

    def _month_at(self) -> tuple[int, int] | None:
        """Place and number of the last month named."""
        for place in range(len(self._words) - 1, -1, -1):
            number = month_named(self._words[place], self._language)
            if number is not None:
                return place, number
        return None

    def _in_month(self) -> Day | None:
        """ "Trzeciego maja", "third of May", "May the third", "piętnastego przyszłego miesiąca"."""
        month = self._month_at()
        if month is None:
            return self._of_this_or_next_month()
        place, number = month
        before = [(kind, n) for kind, n in map(self._number, self._words[:place]) if n is not None]
        after = [(kind, n) for kind, n in map(self._number, self._words[place + 1 :]) if n is not None]
        if before and before[-1][1] <= 31:
            day = before[-1][1]
        elif after and after[0][1] <= 31:
            day, after = after[0][1], after[1:]
        elif self._says(LAST):
            day = calendar.monthrange(self._today.year, number)[1]
        else:
            return None
        return Day(day, number, self._year([n for _, n in after]))

    def _of_this_or_next_month(self) -> Day | None:
        named = next(
            (n for kind, n in map(self._number, self._words) if n is not None and kind in "od" and n <= 31), None
        )
        if named is None or not re.search(r" (?:miesiaca|miesiac|month|months) ", self._joined):
            return None
        ahead = 1 if self._says(NEXT) else -1 if self._says(LAST) and self._past else 0
        year, month = divmod(self._today.year * 12 + self._today.month - 1 + ahead, 12)
        return Day(named, month + 1, year)

    def _year(self, numbers: list[int]) -> int | None:
        """1985; nineteen eighty five; twenty oh five; eighty five (of a day that lies behind)."""
        match numbers:
            case [year, *_] if 1900 <= year <= 2200:
                return year
            case [(19 | 20) as century, 0, last, *_] if last < 10:
                return century * 100 + last
            case [(19 | 20) as century, last, *_] if 10 <= last < 100:
                return century * 100 + last
            case [short, *_] if short < 100 and (self._past or re.search(r" (?:roku|rok) ", self._joined)):
                return self._century(short)
        return None

    def _by_ordinals(self) -> Day | None:
        """Day and month as ordinals: "trzeci piąty", "dwunasty zero trzeci osiemdziesiąty piąty"."""
        numbers = [(kind, n) for kind, n in map(self._number, self._words) if n is not None and (n or kind == "o")]
        if self._asked and len(numbers) == 1 and numbers[0][0] == "o" and 33 <= numbers[0][1] <= 39:
            return Day(30, numbers[0][1] - 30)  # "trzydziesty piąty" is no day
        ordinals = all(kind == "o" for kind, _ in numbers[:2])
        if not self._asked or len(numbers) < 2 or not (ordinals or all(kind == "d" for kind, _ in numbers)):
            return None
        (_, day), (_, month) = numbers[:2]
        if not (1 <= day <= 31 and 1 <= month <= 12) or self._words_between_numbers():
            return None
        return Day(day, month, self._year([n for _, n in numbers[2:]]))

    def _words_between_numbers(self) -> bool:
        places = [place for place, word in enumerate(self._words) if self._number(word)[1] is not None]
        between = self._words[places[0] : places[1]][1:]
        return any(word not in ("zero", "o", "oh", "<c0>") for word in between)

    def _lone(self) -> Day | None:
        numbers = [(kind, n) for kind, n in map(self._number, self._words) if n is not None]
        ordinals = [n for kind, n in numbers if kind == "o" and 1 <= n <= 31]
        if not self._asked:
            return None
        if ordinals:
            return Day(ordinals[-1])
        one = len(numbers) == 1 and len(self._words) <= 3
        return Day(numbers[0][1] or 0) if one and 1 <= (numbers[0][1] or 0) <= 31 and "za" not in self._words else None

    def _number(self, word: str) -> tuple[str, int | None]:
        found = _MARK.fullmatch(word)
        return (found[1], int(found[2])) if found else ("", None)

    # What counts from today.

    def _relative(self) -> date | None:
        for phrase, days in RELATIVE[self._language].items():
            if f" {phrase} " in self._joined:
                count, unit = self._count(AHEAD) or (0, 1)
                return self._today + timedelta(days=days + min(count, 1000) * max(unit, 0))
        return None

    def _says(self, words: dict[str, tuple[str, ...]]) -> bool:
        return any(similar(word, wanted) for word in self._words for wanted in words[self._language])

    def _count(self, patterns: dict[str, tuple[re.Pattern[str], ...]]) -> tuple[int, int] | None:
        """How many, and of how many days (-1 a month, -12 a year)."""
        found = next((f for p in patterns[self._language] if (f := p.search(self._joined))), None)
        if found is None:
            return None
        unit = next(days for stem, days in UNITS[self._language] if found["unit"].startswith(stem))
        number = self._number((found["n"] or "").strip())[1]
        return (1 if number is None else number), unit

    def _counted(self) -> date | None:
        """ "Za trzy dni", "za tydzień w czwartek", "a week on Friday", "dwa tygodnie temu"."""
        ahead, ago = self._count(AHEAD), self._count(AGO)
        if (counted := ago or ahead) is None:
            return self._in_week()
        count, unit = counted
        if count > 1000:
            return None
        sign = -1 if ago else 1
        if unit < 0:
            return self._months_on(sign * count * -unit)
        day = self._today + timedelta(days=sign * count * unit)
        weekday = self._weekday_at()
        if weekday is None or unit < 7:
            return day
        return day + timedelta(days=weekday[1] - day.weekday())

    def _months_on(self, months: int) -> date:
        year, month = divmod(self._today.year * 12 + self._today.month - 1 + months, 12)
        year = min(max(year, 1), 9998)
        return date(year, month + 1, min(self._today.day, calendar.monthrange(year, month + 1)[1]))

    def _in_week(self) -> date | None:
        """ "W przyszłym tygodniu w czwartek", "w przyszły czwartek": by the weeks of the calendar."""
        weekday = self._weekday_at()
        if weekday is None:
            return None
        week = re.search(r" (?:tygodni\w*|tydzien|week) ", self._joined) is not None
        before = self._words[weekday[0] - 1] if weekday[0] else ""
        near = self._words if week else [before]
        monday = self._today - timedelta(days=self._today.weekday())
        if any(similar(word, form) for word in near for form in NEXT[self._language]):
            return monday + timedelta(days=7 + weekday[1])
        if any(similar(word, form) for word in near for form in LAST[self._language]):
            back = (self._today.weekday() - weekday[1] - 1) % 7 + 1
            return monday + timedelta(days=weekday[1] - 7) if week else self._today - timedelta(days=back)
        if any(similar(word, form) for word in near for form in THIS[self._language]) and week:
            return monday + timedelta(days=weekday[1])
        return None

    def _weekday_at(self) -> tuple[int, int] | None:
        for place in range(len(self._words) - 1, -1, -1):
            for number, forms in enumerate(WEEKDAYS[self._language]):
                if self._words[place] in forms:
                    return place, number
        return None

    def _weekday(self) -> date | None:
        """The next such day, or the last; the day of a month that is one when it was named too."""
        weekday = self._weekday_at()
        if weekday is None:
            return None
        ordinals = [
            n for kind, n in map(self._number, self._words) if kind in ("o", "d") and n is not None and 1 <= n <= 31
        ]
        if ordinals and self._asked:
            days = [d for d in self._days_called(ordinals[-1]) if d.weekday() == weekday[1]]
            return days[0] if days else self._nearest_day(ordinals[-1])
        back = -7 if self._past else 0
        return self._today + timedelta(days=((weekday[1] - self._today.weekday() - 1) % 7) + 1 + back)

    def _nth_weekday(self) -> date | None:
        """ "Pierwszy poniedziałek grudnia", "the first Monday of December"."""
        weekday, month = self._weekday_at(), self._month_at()
        if weekday is None or month is None or weekday[0] == 0 or month[0] < weekday[0]:
            return None
        kind, nth = self._number(self._words[weekday[0] - 1])
        if kind != "o" or nth is None or not 1 <= nth <= 5 or self._number(self._words[month[0] - 1])[1] is not None:
            return None
        for year in (self._today.year, self._today.year + 1):
            first = date(year, month[1], 1)
            day = first + timedelta(days=(weekday[1] - first.weekday()) % 7 + 7 * (nth - 1))
            if day >= self._today and day.month == month[1]:
                return day
        return None

    def _end_of_month(self) -> date | None:
        if not re.search(r" (?:ostatni\w* dni\w*|ostatni dzien|koniec|koncu|koncem|last day|end of) ", self._joined):
            return None
        if not re.search(r" (?:miesiac\w*|month) ", self._joined):
            return None
        later = self._months_on(1 if self._says(NEXT) else 0)
        return later.replace(day=calendar.monthrange(later.year, later.month)[1])

    # From what was named to a day of the calendar.

    def _resolved(self, named: Day) -> date | None:
        if named.month is None:
            return None
        if named.year is not None:
            return _day(named.year, named.month, named.day)
        step = -1 if self._past else 1
        years = [self._today.year + step * n for n in range(9 if (named.day, named.month) == (29, 2) else 2)]
        return self._first_fitting([_day(year, named.month, named.day) for year in years])

    def _days_called(self, day: int) -> list[date]:
        """Such days of the months to come, or of those that have been."""
        step = -1 if self._past else 1
        months = [divmod(self._today.year * 12 + self._today.month - 1 + step * n, 12) for n in range(13)]
        days = [_day(year, month + 1, day) for year, month in months]
        return [d for d in days if d is not None and (d <= self._today if self._past else d >= self._today)]

    def _nearest_day(self, day: int) -> date | None:
        return next(iter(self._days_called(day)), None)

    def _first_fitting(self, days: list[date | None]) -> date | None:
        return next((d for d in days if d and (d <= self._today if self._past else d >= self._today)), None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
