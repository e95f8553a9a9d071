"""Regular expressions of flow files. RE2 takes time in proportion to the text, whatever somebody writes into one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_LONGEST = 200


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def fits(pattern: str, text: str) -> bool:
    """Whether the pattern fits all of the text."""
    return _compiled(pattern).fullmatch(text) is not None


def mistake(pattern: str) -> str | None:
    """Why this is no regular expression, or None."""
    if len(pattern) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    try:
        _compiled(pattern)
    except re2.error as error:
        why = error.args[0] if error.args else error
        return why.decode() if isinstance(why, bytes) else str(why)
    return None
