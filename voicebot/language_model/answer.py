"""How a question to a language model ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """Why there is no answer that can be read."""

    UNAUTHORISED = "unauthorised"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    GARBAGE = "garbage"
    TOO_LONG = "too_long"
    UNREACHABLE = "unreachable"
    LEFT_ALONE = "left_alone"  # it was not asked, after several failures in a row


@dataclass(frozen=True)
class Answer:
    """`text` is what the server wrote, unread. Times are seconds from the question on; tokens None: it did not say.

    `detail` tells of a failure no more than a status or the name of an error: the server's words may hold the caller's.
    """

    mode: str
    text: str = ""
    failure: Failure | None = None
    detail: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    first_token_s: float | None = None
    total_s: float = 0.0
