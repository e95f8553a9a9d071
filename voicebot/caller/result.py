"""What became of a simulated call: plain data, JSON-ready by `as_json`. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from voicebot.caller.capture import CallCapture, CapturedAudio, StreamStats
from voicebot.caller.measure import Interruption, Span, Turn, interruptions, percentile, speech_spans, turns
from voicebot.caller.sounds import save_wav

_LINE_MARGIN_S = 0.5  # how much of a line's audio may be captured before its start and after its end were noted


@dataclass(frozen=True)
class StepReport:
    """One step that was begun. `ended_at` None: the call ended during it."""

    step: str
    started_at: float
    ended_at: float | None
    text: str = ""
    said: str = ""
    to: Literal["bot", "agent"] = "bot"


@dataclass(frozen=True)
class MeasuredTurn:
    """One line of the caller and the answer to it."""

    to: Literal["bot", "agent"]
    said: str
    said_end_at: float
    answered_at: float
    voice_to_voice_ms: float


@dataclass(frozen=True)
class Percentiles:
    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class CallerResult:
    """`problems` says in plain words what the script wanted and did not get; none: `passed`."""

    script: str
    language: str
    voice: str
    target: str
    number: str
    answered: bool = False
    ended_by: Literal["bot", "caller", ""] = ""
    end_cause: str = ""
    started_at: float = 0.0
    seconds: float = 0.0
    steps: tuple[StepReport, ...] = ()
    turns: tuple[MeasuredTurn, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    voice_to_voice_ms: Percentiles = Percentiles(None, None)
    sent: StreamStats | None = None
    received: StreamStats | None = None
    sent_audio: str = ""
    received_audio: str = ""
    sent_from: float = 0.0
    received_from: float = 0.0
    problems: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


def with_wire(result: CallerResult, capture: CallCapture, folder: Path | None) -> CallerResult:
    """The result with what the tap saw. `folder` gets `sent.wav` and `received.wav` (16-bit mono, 8000 Hz)."""
    sent, received = capture.audio("sent"), capture.audio("received")
    if folder is not None:
        result = replace(result, sent_audio=str(folder / "sent.wav"), received_audio=str(folder / "received.wav"))
        save_wav(folder / "sent.wav", sent.pcm)
        save_wav(folder / "received.wav", received.pcm)
    return replace(
        result,
        sent=capture.sent.stats(),
        received=capture.received.stats(),
        sent_from=sent.start_time,
        received_from=received.start_time,
        **_measured(sent, received, result.steps),
    )


def _measured(sent: CapturedAudio, received: CapturedAudio, steps: Sequence[StepReport]) -> dict[str, Any]:
    """Turns, interruptions and percentiles; the latter over the answers of the bot."""
    sent_spans, received_spans = speech_spans(sent), speech_spans(received)
    found = [
        MeasuredTurn(line.to, line.said, turn.spoken.end, turn.answered_at, round(turn.voice_to_voice_ms, 1))
        for turn in turns(sent_spans, received_spans)
        if (line := _line_of(turn, steps)) is not None
    ]
    to_bot = [turn.voice_to_voice_ms for turn in found if turn.to == "bot"]
    spoken = [line for line in steps if line.text]
    cut_in = [span for span in sent_spans if any(_overlaps(span, line) for line in spoken)]
    return {
        "turns": tuple(found),
        "interruptions": tuple(interruptions(cut_in, received_spans)),
        "voice_to_voice_ms": Percentiles(percentile(to_bot, 50), percentile(to_bot, 95)),
    }


def _line_of(turn: Turn, steps: Sequence[StepReport]) -> StepReport | None:
    """The spoken step that the turn's audio belongs to; noise belongs to none."""
    return next((line for line in steps if line.text and _overlaps(turn.spoken, line)), None)


def _overlaps(span: Span, line: StepReport) -> bool:
    end = line.ended_at if line.ended_at is not None else span.end
    return span.start <= end + _LINE_MARGIN_S and span.end >= line.started_at - _LINE_MARGIN_S
