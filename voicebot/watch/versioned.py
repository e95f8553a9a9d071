"""Values by key whose changes since a revision can be told without looking at the others."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_GONE = 2000  # keys of which it is known that they went


class Revision:
    """Counts the changes of everything that shares it."""

    def __init__(self) -> None:
        self.value = 0

    def next(self) -> int:
        self.value += 1
        return self.value


class Versioned(Generic[T]):
    """Holds `most` values; overflow: the one that has not changed for the longest goes."""

    def __init__(self, revision: Revision, most: int) -> None:
        self._revision = revision
        self._most = most
        self._kept: OrderedDict[str, tuple[int, T]] = OrderedDict()  # in the order of their revisions
        self._gone: deque[tuple[int, str]] = deque(maxlen=_MOST_GONE)
        self._known_from = 0  # of revisions before it, not all that went is known

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> T | None:
        found = self._kept.get(key)
        return found[1] if found else None

    def all(self) -> dict[str, T]:
        return {key: value for key, (_, value) in self._kept.items()}

    def put(self, key: str, value: T) -> str | None:
        """Keep a value; nothing happens where it is the same as before. Returns the key that went for it, if any."""
        before = self._kept.get(key)
        if before is not None and before[1] == value:
            return None
        self._kept[key] = (self._revision.next(), value)
        self._kept.move_to_end(key)
        if len(self._kept) <= self._most:
            return None
        oldest = next(iter(self._kept))
        self.drop(oldest)
        return oldest

    def drop(self, key: str) -> None:
        if self._kept.pop(key, None) is not None:
            if len(self._gone) == _MOST_GONE:
                self._known_from = self._gone[0][0]
            self._gone.append((self._revision.next(), key))

    def knows(self, revision: int) -> bool:
        """Whether `since` this revision tells everything."""
        return revision >= self._known_from

    def since(self, revision: int) -> dict[str, T | None]:
        """What is new or other than then, and None for what went."""
        changed: dict[str, T | None] = {}
        for at, key in reversed(self._gone):
            if at <= revision:
                break
            if key not in self._kept:
                changed[key] = None
        for key in reversed(self._kept):
            at, value = self._kept[key]
            if at <= revision:
                break
            changed[key] = value
        return changed
