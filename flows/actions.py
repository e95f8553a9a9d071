"""Actions: what the engine asks of the call. They are carried out in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from flows.spans import Span


@dataclass(frozen=True)
class Expectation:
    """What the bot waits for. It guides endpointing, recognition hints and the keys.

    `kind` "intent" and "free" are open speech; who answers "spelled" may spell, with pauses between the letters.
    `length` is the number of digits when it is known. `timeout_s` is the
    silence after the bot's last word that counts as `NoInput`. `keys` true: keys are an entry of several digits,
    gathered into one `Keys` event; false: every key is delivered at once (keys are never ignored: 0 reaches a person).
    """

    kind: Literal["intent", "yes_no", "digits", "choice", "free", "spelled"]
    length: int | None = None
    timeout_s: float = 6.0
    hints: tuple[str, ...] = ()
    keys: bool = False


@dataclass(frozen=True)
class Say:
    """Words for the caller. `step` is where they stand: "order_status/2", "greeting/machine", "phrases/no_match".

    `pace` is how fast: 1 as usual, 0.8 for a caller who asked for it to be slower. `recorded`, unless it is empty, is
    what records and logs hold in place of the words, which are personal.
    """

    spans: tuple[Span, ...]
    language: str
    interruptible: bool
    step: str
    pace: float = 1.0
    recorded: str = ""


@dataclass(frozen=True)
class Listen:
    """It is the caller's turn."""

    expect: Expectation


@dataclass(frozen=True)
class CallSystem:
    """Ask a company system. `id` is unique in the call; retries keep it. The answer is a `SystemResult` with this id.

    `SystemSlow(id)` is due when no answer has come after `slow_after_s`.
    """

    id: str
    operation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    slow_after_s: float = 1.2


@dataclass(frozen=True)
class Handoff:
    """Give the call to people. `reason` is a stable word, `detail` a plain sentence for the agent."""

    queue: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class PromiseCallback:
    """The caller was promised a call back at this number. `queue` and `reason`: who calls, and why."""

    number: str
    queue: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SurveyAnswered:
    """A mark that the caller gave: `kind` is "nps", "csat" or "ces"; `comment` in the caller's words, or empty.

    It comes at once when the mark is given, and again with the comment: the last one of a kind holds.
    """

    kind: str
    score: int
    comment: str = ""


@dataclass(frozen=True)
class StopRecording:
    """The caller refused: nothing of this call may be recorded, what was recorded is discarded."""


@dataclass(frozen=True)
class HangUp:
    """The conversation is over once everything said before has been heard.

    `outcome`: "contained" (served by the bot), "callback" (promised), "not_served" (the caller left without), "failed".
    """

    outcome: Literal["contained", "callback", "not_served", "failed"]


@dataclass(frozen=True)
class Note:
    """A decision, for the call's record; the caller does not notice it. `data` is JSON."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


Action = Say | Listen | CallSystem | Handoff | PromiseCallback | SurveyAnswered | StopRecording | HangUp | Note
