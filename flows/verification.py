"""How often a caller may try to be verified: the question and the answer that the engine and its host exchange.

Before facts are compared the engine asks `BEGIN`, which counts the try as failed beforehand, so that many calls at
the same time do not get more tries than one; `WITHDRAW` takes that back when the facts were right, or could not be
compared. The host remembers the tries across calls (voicebot keeps them beside its records), and never in clear.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flows.words import fold

BEGIN, WITHDRAW = "verification.begin", "verification.withdraw"
MOST_FAILED = 5
WITHIN = timedelta(days=1)
LOCKED_FOR = timedelta(hours=24)


def plain(value: Any) -> str:
    """A fact as it is compared: case, spaces, signs and accents do not matter."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}"
    return "".join(letter for letter in fold(str(value)) if letter.isalnum())


def same(given: Any, true: Any) -> bool:
    """Whether a fact is right; how long that takes says nothing about the value. An empty one never is."""
    wanted = plain(true) if true is not None else ""
    return hmac.compare_digest(plain(given).encode(), wanted.encode()) and wanted != ""


def locked(failed: Sequence[datetime], now: datetime) -> bool:
    """Whether a fact is locked, by the times of its failed tries; none is added while it is."""
    last = sorted(failed)[-MOST_FAILED:]
    return len(last) == MOST_FAILED and last[-1] - last[0] <= WITHIN and now - last[-1] < LOCKED_FOR


def fingerprint(key: bytes, bot: str, fact: str, value: Any) -> str:
    """What is kept in place of a fact: without the key nobody can tell the value, nor try all of them."""
    return hmac.new(key, "\0".join((bot, fact, plain(value))).encode(), "sha256").hexdigest()
