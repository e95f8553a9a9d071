"""The transcript of a call: who said what, when. Built from the call's events alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from voicebot.events import AgentSaid, BotSaid, CallEnded, CallerSaid, CallEvent, CallStarted, KeysPressed

_WORDS = {
    "pl": {
        "caller": "Dzwoniący", "bot": "Bot", "agent": "Konsultant", "keys": "klawisze", "withheld": "numer zastrzeżony",
        "diverted": "{dialled} (przekierowane z {first})",
        "head": "Rozmowa {call_id} z {started}: {caller} -> {dialled}, wynik: {outcome}", "cut": "(przerwane)",
    },
    "en": {
        "caller": "Caller", "bot": "Bot", "agent": "Agent", "keys": "keys", "withheld": "number withheld",
        "diverted": "{dialled} (diverted from {first})",
        "head": "Call {call_id} of {started}: {caller} -> {dialled}, outcome: {outcome}", "cut": "(interrupted)",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One utterance. `at_s` counts from the call's beginning.

    `text` of the bot is what the caller heard: when `interrupted`, only its beginning. `keys`: pressed, not said.
    `confidence` is the recogniser's, `step` the bot's place in the flow; each is None for the others. `name`: of the
    agent, as people call them.
    """

    who: Literal["caller", "bot", "agent"]
    text: str
    at_s: float
    confidence: float | None = None
    step: str | None = None
    interrupted: bool = False
    keys: bool = False
    name: str = ""


@dataclass(frozen=True)
class Transcript:
    """A call in words. `outcome` is empty while the call goes on; `started_at` is None when it was never answered."""

    call_id: str
    caller: str = ""
    dialled: str = ""
    diverted_from: str = ""
    language: str = "en"
    outcome: str = ""
    started_at: datetime | None = None
    turns: tuple[Turn, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "call_id": self.call_id,
            "caller": self.caller,
            "dialled": self.dialled,
            "diverted_from": self.diverted_from,
            "language": self.language,
            "outcome": self.outcome,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "turns": [dict(vars(turn)) for turn in self.turns],
        }

    def as_text(self) -> str:
        """A heading and a line for every turn, in the call's language."""
        words = _WORDS.get(self.language, _WORDS["en"])
        dialled = self.dialled or "-"
        if self.diverted_from:
            dialled = words["diverted"].format(dialled=dialled, first=self.diverted_from)
        head = words["head"].format(
            call_id=self.call_id,
            started=self.started_at.isoformat(sep=" ", timespec="seconds") if self.started_at else "-",
            caller=self.caller or words["withheld"],
            dialled=dialled,
            outcome=self.outcome or "-",
        )
        return "\n".join([head, "", *turn_lines(self.turns, self.language)]) + "\n"


def turn_lines(turns: Sequence[Turn], language: str) -> list[str]:
    """`[01:05] Caller: where is my parcel`, one line each."""
    words = _WORDS.get(language, _WORDS["en"])
    lines = []
    for turn in turns:
        minutes, seconds = divmod(int(turn.at_s), 60)
        who = " ".join(filter(None, (words[turn.who], turn.name, f"({words['keys']})" if turn.keys else "")))
        lines.append(
            f"[{minutes:02}:{seconds:02}] {who}: {turn.text}" + (f" {words['cut']}" if turn.interrupted else "")
        )
    return lines


def transcribe(events: Sequence[CallEvent]) -> Transcript:
    """The transcript of one call's events, by their time. Keys pressed one after the other are one turn."""
    started = next((event for event in events if isinstance(event, CallStarted)), None)
    ended = next((event for event in events if isinstance(event, CallEnded)), None)
    turns: list[Turn] = []
    for event in sorted(events, key=lambda event: event.offset_s):  # what people say is told a little late
        turn = _turn(event)
        if turn is None:
            continue
        if turn.keys and turns and turns[-1].keys:
            masked_further = turn.text.startswith("[") and turns[-1].text.endswith(turn.text)
            turns[-1] = replace(turns[-1], text=turns[-1].text + ("" if masked_further else turn.text))
        else:
            turns.append(turn)
    return Transcript(
        call_id=events[0].call_id if events else "",
        caller=started.caller if started else "",
        dialled=started.dialled if started else "",
        diverted_from=started.diverted_from if started else "",
        language=started.language if started else "en",
        outcome=str(ended.outcome) if ended else "",
        started_at=started.at if started else None,
        turns=tuple(turns),
    )


def _turn(event: CallEvent) -> Turn | None:
    match event:
        case CallerSaid(text=text, confidence=confidence):
            return Turn("caller", text, event.offset_s, confidence=confidence)
        case AgentSaid(text=text, confidence=confidence, agent=agent, name=name):
            return Turn("agent", text, event.offset_s, confidence=confidence, name=name or agent)
        case KeysPressed(keys=keys):
            return Turn("caller", keys, event.offset_s, keys=True)
        case BotSaid(interrupted=True, heard_text=heard, step=step):
            return Turn("bot", heard, event.offset_s, step=step, interrupted=True)
        case BotSaid(text=text, step=step):
            return Turn("bot", text, event.offset_s, step=step)
    return None
