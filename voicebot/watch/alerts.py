"""Which calls somebody should look at: rules over their events and over time.

Pure. An alert is told once; the same again only after somebody has acknowledged it and it has come anew. How a voice
sounds is no part of any rule (see `watch.mood`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from voicebot.events import (
    REFUSED,
    AgentJoined,
    AgentLeft,
    AgentSaid,
    AgentUnheard,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallerSaying,
    CallerUnheard,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    Decision,
    HandoffStarted,
    KeysPressed,
    QueueEntered,
    QueueLeft,
    RecordingStopped,
    StoodIn,
)
from voicebot.redaction import fold
from voicebot.watch.alert_texts import TEXTS
from voicebot.watch.errors import AlertNotFound
from voicebot.watch.keywords import Keywords
from voicebot.watch.mood import mood_of
from voicebot.watch.rows import Alert

Kind = Literal[
    "angry", "loop", "silence", "keyword", "wait", "language_model", "recognition", "unheard", "agent_unheard"
]

OF_THE_FLOOR: tuple[Kind, ...] = ("language_model", "recognition")
"""Trouble of all calls at once: told for the first of them, not for each."""

MOST_ALERTS = 500
MOST_CALLS = 2000
TOLD_ANEW_AFTER = timedelta(hours=1)  # trouble of the floor that goes on and that nobody acknowledged

_MOST_COUNTED = 500  # sentences and steps of one call
_REPAIRS = ("no_match", "no_input", "value_refused")


@dataclass(frozen=True)
class AlertRules:
    """Which alerts there are; None switches one off. `keywords`: see `Keywords`.

    `loop`: the bot says the same sentence of a flow, or has to repair the same step, so many times in a call.
    `silence_s`: nobody says anything, in a conversation with the bot, or in a talk whose words are recognised.
    `wait_s`: in one queue.
    """

    angry: bool = True
    loop: int | None = 3
    silence_s: float | None = 25.0
    wait_s: float | None = 120.0
    keywords: tuple[str, ...] = ()


@dataclass
class _Watched:
    """What the rules have to know of a live call."""

    language: str = "pl"
    counted: dict[str, int] = field(default_factory=dict)  # the bot's sentences and the steps it repaired
    step: str = ""
    hears: Literal["bot", "agent", "music"] = "bot"
    refused: bool = False  # recording, so that no word of the caller may be kept
    overheard: bool = False  # words of the talk come, so that their lack is silence
    quiet_since: datetime | None = None  # None: told already, or not to be told
    waits: dict[str, tuple[str, datetime]] = field(default_factory=dict)  # queue and time by entry, until told


class Alerts:
    """Bounded: of more than `MOST_CALLS` calls those that began first are watched no more; alerts see `MOST_ALERTS`."""

    def __init__(self, rules: AlertRules, language: str = "pl") -> None:
        """`language` is that of the alerts' sentences."""
        self._rules = rules
        self._texts = TEXTS[language]
        self._keywords = Keywords(rules.keywords)
        self._calls: OrderedDict[str, _Watched] = OrderedDict()
        self._alerts: OrderedDict[str, Alert] = OrderedDict()
        self._open: dict[tuple[str, Kind], str] = {}  # told and not acknowledged, by call and kind
        self._count = 0

    def happened(self, event: CallEvent) -> list[Alert]:
        """Take an event; returns what is to be told. A call whose beginning was missed is watched from here on."""
        call_id = event.call_id
        if isinstance(event, CallEnded):
            self._forget(call_id)
            return []
        call = self._calls.get(call_id)
        if call is None:
            if not isinstance(event, _WATCHED_FROM):
                return []
            call = self._calls[call_id] = _Watched()
            if len(self._calls) > MOST_CALLS:
                self._forget(next(iter(self._calls)))
        _follow(call, event)
        return list(self._from(call, event))

    def tick(self, now: datetime) -> list[Alert]:
        """What time alone brings; once a second is enough."""
        silence_s, wait_s = self._rules.silence_s, self._rules.wait_s
        told: list[Alert] = []
        for call_id, call in self._calls.items():
            listened = call.hears == "bot" or (call.hears == "agent" and call.overheard)
            if silence_s is not None and listened and call.quiet_since is not None:
                quiet_s = (now - call.quiet_since).total_seconds()
                if quiet_s >= silence_s:
                    call.quiet_since = None
                    told += self._tell("silence", call_id, now, seconds=round(quiet_s))
            for entry, (queue, since) in list(call.waits.items()):
                waited_s = (now - since).total_seconds()
                if wait_s is not None and waited_s >= wait_s:
                    del call.waits[entry]
                    told += self._tell("wait", call_id, now, seconds=round(waited_s), queue=queue)
        return told

    def acknowledge(self, alert_id: str, who: str, now: datetime) -> Alert:
        """Somebody has seen to it; who did so first stays. Raises AlertNotFound."""
        alert = self._alerts.get(alert_id)
        if alert is None:
            raise AlertNotFound(f"There is no alert {alert_id}.", "Look at the list anew; old alerts go from it.")
        if not alert.acknowledged_by:
            alert = self._alerts[alert_id] = replace(alert, acknowledged_by=who, acknowledged_at=now)
            self._open = {key: opened for key, opened in self._open.items() if opened != alert_id}
        return alert

    def all(self) -> tuple[Alert, ...]:
        """The newest first."""
        return tuple(reversed(self._alerts.values()))

    def _from(self, call: _Watched, event: CallEvent) -> Iterator[Alert]:
        match event:
            case CallerSaid(text=text):
                if self._rules.angry and mood_of([text]).name == "angry":
                    yield from self._tell("angry", event.call_id, event.at)
                for keyword in self._keywords.found(text, call.language)[:1]:
                    named = self._texts["unnamed"] if call.refused else keyword
                    yield from self._tell("keyword", event.call_id, event.at, keyword=named)
            case BotSaid(text=text) if _of_flow(call, event):
                yield from self._counted(call, f"said {fold(text)}", event)
            case Decision(kind=kind) if kind in _REPAIRS:
                yield from self._counted(call, f"repaired {call.step}", event)
            case Decision(kind="recognition_down"):
                yield from self._tell("recognition", event.call_id, event.at)
            case CallerUnheard():
                yield from self._tell("unheard", event.call_id, event.at)
            case AgentUnheard(agent=agent, name=name):
                yield from self._tell("agent_unheard", event.call_id, event.at, name=name or agent)
            case StoodIn(part="understanding", why="left_alone", service=service):
                yield from self._tell("language_model", event.call_id, event.at, service=service)

    def _counted(self, call: _Watched, what: str, event: CallEvent) -> Iterator[Alert]:
        """Told at the third time; then it has to come three times again."""
        times = call.counted.pop(what, 0) + 1
        if self._rules.loop is not None and times >= self._rules.loop:
            yield from self._tell("loop", event.call_id, event.at, times=times)
        elif len(call.counted) < _MOST_COUNTED:
            call.counted[what] = times

    def _tell(self, kind: Kind, call_id: str, at: datetime, **details: object) -> Iterator[Alert]:
        of_floor = kind in OF_THE_FLOOR
        key = ("" if of_floor else call_id, kind)
        before = self._alerts.get(self._open.get(key, ""))
        if before is not None and not (of_floor and at - before.at >= TOLD_ANEW_AFTER):
            return
        self._count += 1
        alert = Alert(f"{call_id}-{kind}-{self._count}", kind, call_id, self._texts[kind].format(**details), at)
        self._alerts[alert.id] = alert
        self._open[key] = alert.id
        if len(self._alerts) > MOST_ALERTS:
            self._alerts.popitem(last=False)
        yield alert

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)
        self._open = {key: alert for key, alert in self._open.items() if key[0] != call_id}


_VOICES = (BotSaid, CallerSaid, CallerSaying, AgentSaid, KeysPressed)
_WATCHED_FROM = (CallStarted, HandoffStarted, QueueEntered, AgentJoined, *_VOICES, Decision, StoodIn)


def _of_flow(call: _Watched, said: BotSaid) -> bool:
    """Not an announcement to one who waits, nor a phrase such as "anything else?", which is said again and again."""
    return call.hears == "bot" and not said.step.startswith("phrases/")


def _follow(call: _Watched, event: CallEvent) -> None:
    """Where the call is, and since when nobody has spoken."""
    match event:
        case CallStarted(language=language):
            call.language = language
            call.quiet_since = event.at
        case Decision(kind="language", data={"wanted": str(wanted), "spoken": True}):
            call.language = wanted
        case RecordingStopped(reason=reason):
            call.refused = call.refused or reason == REFUSED
        case HandoffStarted() | CallHeld():
            call.hears = "music"
        case QueueEntered(queue=queue, entry=entry):
            call.hears = "music"
            call.waits[entry] = (queue, event.at)
        case QueueLeft(entry=entry, why=why):
            call.waits.pop(entry, None)
            if why in ("to_bot", "callback", "voicemail"):
                call.hears, call.quiet_since = "bot", event.at
        case AgentJoined() | CallResumed():
            call.hears, call.quiet_since = "agent", event.at
        case AgentLeft(why=why):
            call.hears, call.quiet_since = ("bot" if why == "to_bot" else "music"), event.at
        case BotSaid() | CallerSaid() | CallerSaying() | AgentSaid() | KeysPressed():
            call.quiet_since = event.at
            if isinstance(event, BotSaid) and _of_flow(call, event):
                call.step = event.step
            if isinstance(event, AgentSaid):
                call.hears = "agent"  # whoever left before was not the last one
            call.overheard = call.overheard or call.hears == "agent"
