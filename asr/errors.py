"""Everything that can go wrong in hearing, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations


class AsrError(Exception):
    """Base of all errors raised by this package."""

    code = "asr"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
