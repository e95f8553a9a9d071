"""Events of a call as the bot serves it, and of the bots themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voicebot.events.base import CallEvent, Outcome


@dataclass(frozen=True, kw_only=True)
class CallStarted(CallEvent):
    """A call came in. `caller` is the caller's number, empty when withheld; `bot` the name of the loaded bot.

    `version` is the published version that it runs under to its end; 0 for a bot from a folder. `trunk` it came
    through, the number that it was `diverted_from` (what the caller dialled), empty for a call that came straight, and
    the `headers` of its INVITE that are let in.
    """

    caller: str
    dialled: str
    language: str
    bot: str
    version: int = 0
    trunk: str = ""
    diverted_from: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BotSaid(CallEvent):
    """A sentence was played. When `interrupted`, `heard_text` is the part that was on the wire by then."""

    text: str
    step: str
    interrupted: bool = False
    heard_text: str = ""


@dataclass(frozen=True, kw_only=True)
class CallerSaid(CallEvent):
    """One utterance of the caller, recognised. `confidence` 0..1."""

    text: str
    confidence: float
    decode_ms: float
    audio_s: float


@dataclass(frozen=True, kw_only=True)
class CallerSaying(CallEvent):
    """The words so far of a caller who speaks on. For those who watch the call; it is never kept (see PASSING)."""

    text: str


@dataclass(frozen=True, kw_only=True)
class KeysPressed(CallEvent):
    keys: str


@dataclass(frozen=True, kw_only=True)
class Decision(CallEvent):
    """Why the dialog went on as it did: the command chosen and its source, a repair, a note of the flow."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SystemCalled(CallEvent):
    """A company system answered (or did not): `outcome` is ok, not_found, failed or unknown."""

    operation: str
    outcome: str
    ms: float


@dataclass(frozen=True, kw_only=True)
class RecordingStopped(CallEvent):
    """Nothing is recorded from here; with reason `REFUSED` what was kept so far is dropped too."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class SurveyAnswered(CallEvent):
    """A mark that the caller gave: `kind` is nps, csat or ces; `comment` in the caller's words, or empty.

    With the comment it comes a second time: the last one of a kind holds.
    """

    kind: str
    score: int
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class TurnTimed(CallEvent):
    """Where the time between the caller's last word and the bot's first went: milliseconds per stage, in order."""

    stages: Mapping[str, float]

    @property
    def total_ms(self) -> float:
        return sum(self.stages.values())


@dataclass(frozen=True, kw_only=True)
class LanguageModelAsked(CallEvent):
    """What became of a question to the language model; nothing of it is the caller's words.

    `purpose`: meaning (of the caller's words), rewording (of a passage of the knowledge) or summary (of the call).
    `outcome`: chosen, reworded, told (a summary), nothing (no move or words that may be used), superseded (the caller
    went on, or the call ended), or why there was no answer. `commands` were chosen, `dropped` were not possible, `cost`
    is in the currency of the configured prices.
    """

    mode: str
    outcome: str
    reason: str
    ms: int
    first_token_ms: int | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    commands: Sequence[str]
    dropped: Sequence[str]
    purpose: str = "meaning"


@dataclass(frozen=True, kw_only=True)
class StoodIn(CallEvent):
    """Our own engine answered for the configured service: `part` is recognition, speech or understanding.

    `service` is its class, or the name of the language model. `why`: failed, slow, busy (all connections in use), or
    left_alone (it failed several times before; told once).
    """

    part: str
    service: str
    why: str


@dataclass(frozen=True, kw_only=True)
class CallerUnheard(CallEvent):
    """Nothing comes from the caller's phone, which is not on hold; `ever`: it did before."""

    ever: bool


@dataclass(frozen=True, kw_only=True)
class CallerHeardAgain(CallEvent):
    """The caller's sound comes, so long after it stopped or should have begun."""

    after_s: float


@dataclass(frozen=True, kw_only=True)
class LineMeasured(CallEvent):
    """How the caller's sound reached us, at the end of the call; the figures are told at `telephony.quality`."""

    codec: str
    packets: int
    loss: float
    jitter_ms: float
    delay_ms: float
    r: float
    mos: float


@dataclass(frozen=True, kw_only=True)
class Fault(CallEvent):
    """Something broke and the call went on without it."""

    stage: str
    message: str


@dataclass(frozen=True, kw_only=True)
class BotTaken(CallEvent):
    """New calls are answered by this version of a bot (0: by its folder as it is now). It is about no call."""

    bot: str
    version: int


@dataclass(frozen=True, kw_only=True)
class BotRefused(CallEvent):
    """A version of a bot, or its folder, cannot be used; the one before stays. It is about no call."""

    bot: str
    version: int
    message: str


@dataclass(frozen=True, kw_only=True)
class CallEnded(CallEvent):
    """The last event of every call, but for what people make of it afterwards (WrappedUp, AlertAcknowledged)."""

    outcome: Outcome
    cause: str
    duration_s: float
