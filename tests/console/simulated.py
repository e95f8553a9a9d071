"""A floor that lives by itself: callers come, talk to the bot, wait, are taken by agents, and go.

`Floor.tick` moves it on by the clock; what changed is read as board changes and events of calls.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.console.stories import STORIES, Line, Story
from voicebot.api.shapes.board import Alert, Board, BoardAgent, BoardCall, BoardQueue
from voicebot.api.shapes.call_parts import Collected, EarlierCall, Summary, Turn
from voicebot.api.shapes.calls import Decision, Listener, LiveCall, TurnLatency

WORD_S = 0.32
PAUSE_S = 0.9
NAMES = ("Marek Nowak", "Julia Wójcik", "Piotr Zieliński", "Zofia Dąbrowska", "Tomasz Lis", "Ola Szymańska")
QUEUES = ("obsługa", "rejestracja", "service")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Call:
    id: str
    caller: str
    story: Story
    started_at: datetime
    said: list[Turn] = field(default_factory=list)
    slots: list[Collected] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    latencies: list[TurnLatency] = field(default_factory=list)
    phase: str = "bot"
    phase_since: datetime = field(default_factory=utc_now)
    at: int = 0
    speaking_since: datetime | None = None
    words_told: int = 0
    step: str = ""
    mood: str = "neutral"
    agent: str = ""
    waits_until: datetime = field(default_factory=utc_now)
    talk_done: bool = False
    over: bool = False
    listeners: list[Listener] = field(default_factory=list)

    def become(self, phase: str, now: datetime) -> None:
        self.phase, self.phase_since, self.at, self.speaking_since = phase, now, 0, None

    @property
    def script(self) -> tuple[Line, ...]:
        return self.story.talk if self.phase in ("agent", "on_hold", "consulting") else self.story.lines


class Floor:
    """`events` collects (call id, event) and `alerts` new alerts until they are taken away."""

    def __init__(self, calls: int = 14, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.wanted = calls
        self.calls: dict[str, Call] = {}
        self.agents: dict[str, BoardAgent] = {}
        self.alerts: dict[str, Alert] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.new_alerts: list[Alert] = []
        self.ids = itertools.count(4811)
        now = utc_now()
        for index, name in enumerate(NAMES):
            state = ("available", "on_call", "on_break", "available", "wrap_up", "available")[index]
            self.agents[name.split()[0].lower()] = BoardAgent(
                login=name.split()[0].lower(), name=name, state=state, reason="lunch" if state == "on_break" else "",
                since=now - timedelta(seconds=40 * index + 12), reach="phone" if index == 4 else "browser",
                line="up", queues=list(QUEUES[: index % 3 + 1]), call_id="",
            )  # fmt: skip
        for number in range(calls):
            call = self.arrive(now - timedelta(seconds=3 * number))
            for _ in range(self.random.randrange(len(call.story.lines))):
                self._say_next(call, now)
            if number % 3 == 1 and call.story.handed_over:
                self._to_queue(call, now - timedelta(seconds=11 * number))

    def arrive(self, now: datetime, story: Story | None = None) -> Call:
        number = next(self.ids)
        caller = "" if number % 11 == 0 else f"+48{self.random.choice('56')}{self.random.randrange(10**8):08d}"
        call = Call(f"c{number:06d}", caller, story or STORIES[number % len(STORIES)], now, phase_since=now)
        self.calls[call.id] = call
        self.tell(call, now, "call_started", caller=caller, dialled="+48221234567", language=call.story.language,
                   bot=call.story.bot)  # fmt: skip
        return call

    def tick(self, now: datetime) -> None:
        for call in list(self.calls.values()):
            self._move(call, now)
            if call.over:
                del self.calls[call.id]
        if len(self.calls) < self.wanted:
            self.arrive(now)
        for agent in list(self.agents.values()):
            rest_s = {"wrap_up": 8, "on_break": 60, "on_call": 0 if agent.call_id == "" else 900}.get(agent.state)
            if rest_s is not None and (now - agent.since).total_seconds() > rest_s:
                self.set_agent(agent.login, now, state="available", reason="", call_id="")

    def set_agent(self, login: str, now: datetime, **changes: Any) -> None:
        self.agents[login] = self.agents[login].model_copy(update={"since": now, **changes})

    def _move(self, call: Call, now: datetime) -> None:
        if call.phase in ("bot", "agent"):
            self._speak(call, now)
        elif call.phase == "waiting" and now > call.waits_until:
            free = [agent for agent in self.agents.values() if agent.state == "available" and agent.login in self.sham]
            if free:
                self.connect(call, free[0].login, now)
        if call.phase == "waiting":
            waited = (now - call.phase_since).total_seconds()
            if waited > 120:
                self.raise_alert(call, "wait", f"{call.caller or 'Withheld'} · {int(waited)} s", now)

    @property
    def sham(self) -> set[str]:
        return {name.split()[0].lower() for name in NAMES}

    def connect(self, call: Call, login: str, now: datetime) -> None:
        call.agent = login
        call.become("agent", now)
        if login in self.agents:
            self.set_agent(login, now, state="on_call", call_id=call.id)
        self.tell(call, now, "agent_joined", uri="", agent=login, name=login.title(), queue=call.story.queue)

    def end(self, call: Call, now: datetime, cause: str = "hangup") -> None:
        call.over = True
        if call.agent in self.agents and call.agent in self.sham:
            self.set_agent(call.agent, now, state="wrap_up", call_id="")
        outcome = "handed_off" if call.agent else "contained"
        length = (now - call.started_at).total_seconds()
        self.tell(call, now, "call_ended", outcome=outcome, cause=cause, duration_s=length)

    def _speak(self, call: Call, now: datetime) -> None:
        if call.at >= len(call.script):
            if call.phase == "bot" and call.story.handed_over:
                self._to_queue(call, now)
            elif call.phase == "bot" or call.agent in self.sham:
                self.end(call, now)
            else:
                call.talk_done = True
            return
        line = call.script[call.at]
        call.speaking_since = call.speaking_since or now
        spoken_s = (now - call.speaking_since).total_seconds() - PAUSE_S
        words = line.text.split()
        told = max(0, min(len(words), int(spoken_s / WORD_S)))
        if line.who == "caller" and told > call.words_told:
            call.words_told = told
            self.tell(call, now, "caller_saying", text=" ".join(words[:told]))
        if spoken_s > len(words) * WORD_S:
            self._say_next(call, now)

    def _to_queue(self, call: Call, now: datetime) -> None:
        call.become("waiting", now)
        call.waits_until = utc_now() + timedelta(seconds=self.random.randrange(8, 40))
        self.tell(call, now, "handoff_started", queue=call.story.queue, reason=call.story.reason)

    def _say_next(self, call: Call, now: datetime) -> None:
        line = call.script[call.at]
        call.at, call.speaking_since, call.words_told = call.at + 1, None, 0
        at_s = (now - call.started_at).total_seconds()
        certainty = None if line.who == "bot" else round(self.random.uniform(0.62, 0.99), 2)
        call.said.append(
            Turn(who=line.who, text=line.text, at_s=at_s, confidence=certainty, step=line.step or None,
                 name=call.agent.title() if line.who == "agent" else "")
        )  # fmt: skip
        if line.who == "bot":
            call.step = line.step
            self.tell(call, now, "bot_said", text=line.text, step=line.step, interrupted=False, heard_text="")
            if call.at > 1:
                stages = {"end_of_turn": 180.0, "recognition": self.random.uniform(60, 190), "dialog": 9.0,
                          "speech": self.random.uniform(8, 160)}  # fmt: skip
                latency = TurnLatency(at_s=at_s, stages=stages, total_ms=sum(stages.values()))
                call.latencies.append(latency)
                self.tell(call, now, "turn_timed", stages=stages)
        elif line.who == "caller":
            self.tell(call, now, "caller_said", text=line.text, confidence=certainty, decode_ms=88.0, audio_s=2.1)
        else:
            self.tell(call, now, "agent_said", agent=call.agent, name=call.agent.title(), text=line.text,
                       confidence=certainty, decode_ms=91.0, audio_s=2.4)  # fmt: skip
        self._decide(call, line, at_s, now)

    def _decide(self, call: Call, line: Line, at_s: float, now: datetime) -> None:
        if line.slot:
            name, label, value, sure = line.slot
            call.slots.append(Collected(name=name, label=label, value=value, certainty=sure, masked=name == "nip"))
            self.tell(call, now, "decision", kind="slot_set", data={"slot": name, "value": value, "label": label})
        if line.decision:
            kind, why, sure = line.decision
            call.decisions.append(Decision(at_s=at_s, kind=kind, why=why, certainty=sure, data=line.data))
            self.tell(call, now, "decision", kind=kind, data={**line.data, "why": why, "confidence": sure})
        if line.mood and line.mood != call.mood:
            call.mood = line.mood
            self.tell(call, now, "mood_changed", mood=line.mood, words=list(call.story.mood_words))
            if line.mood == "angry":
                self.raise_alert(call, "angry", f"{call.caller or 'Withheld'}: „{line.text}”", now)

    def raise_alert(self, call: Call, kind: str, text: str, now: datetime) -> None:
        id_ = f"{call.id}-{kind}"
        if id_ not in self.alerts:
            self.alerts[id_] = Alert(id=id_, kind=kind, call_id=call.id, text=text, at=now, acknowledged_by="",
                                     acknowledged_at=None)  # fmt: skip
            self.new_alerts.append(self.alerts[id_])

    def tell(self, call: Call, now: datetime, event: str, **data: Any) -> None:
        offset = (now - call.started_at).total_seconds()
        self.events.append(
            (call.id, {"event": event, "call_id": call.id, "at": now.isoformat(), "offset_s": offset, **data})
        )

    # What the pages read

    def row(self, call: Call) -> BoardCall:
        waiting = sorted((c for c in self.calls.values() if c.phase == "waiting"), key=lambda c: c.phase_since)
        open_kinds = [a.kind for a in self.alerts.values() if a.call_id == call.id and not a.acknowledged_at]
        return BoardCall(
            call_id=call.id, caller=call.caller, bot=call.story.bot, language=call.story.language, phase=call.phase,
            started_at=call.started_at, phase_since=call.phase_since, flow=call.story.flow, step=call.step,
            mood=call.mood, queue=call.story.queue if call.phase != "bot" else "",
            position=waiting.index(call) + 1 if call in waiting else None, agent=call.agent, alerts=open_kinds,
            listeners=len(call.listeners), last_words=call.said[-1].text if call.said else "",
        )  # fmt: skip

    def queue(self, name: str, now: datetime) -> BoardQueue:
        waiting = [c for c in self.calls.values() if c.phase in ("waiting", "offered") and c.story.queue == name]
        longest = max(((now - c.phase_since).total_seconds() for c in waiting), default=None)
        index = QUEUES.index(name)
        return BoardQueue(
            name=name, waiting=len(waiting), longest_wait_s=None if longest is None else round(longest),
            available=sum(a.state == "available" and name in a.queues for a in self.agents.values()),
            on_call=sum(a.state == "on_call" and name in a.queues for a in self.agents.values()),
            offered_today=(84, 37, 0)[index], answered_today=(76, 35, 0)[index], abandoned_today=(5, 2, 0)[index],
            service_level=(0.86, 0.71, None)[index], speed_of_answer_s=(14.2, 26.5, None)[index],
            callbacks=(3, 1, 0)[index],
        )  # fmt: skip

    def board(self, now: datetime, revision: int) -> Board:
        return Board(
            revision=revision,
            calls=[self.row(call) for call in self.calls.values()],
            agents=list(self.agents.values()),
            queues=[self.queue(name, now) for name in QUEUES],
            alerts=list(self.alerts.values()),
        )

    def summary(self, call: Call) -> Summary:
        story = call.story
        return Summary(
            call_id=call.id, language=story.language, who=call.caller, why=story.why, collected=call.slots,
            tried=list(story.tried), reason=story.reason, why_stopped=story.why_stopped, mood=call.mood,
            mood_words=list(story.mood_words) if call.mood != "neutral" else [], next_step=story.next_step, told="",
            last_turns=call.said[-6:],
        )  # fmt: skip

    def live(self, call: Call) -> LiveCall:
        return LiveCall(
            row=self.row(call), transcript=call.said, slots=call.slots, decisions=call.decisions,
            latencies=call.latencies, summary=self.summary(call), listeners=call.listeners, refused_recording=False,
        )  # fmt: skip

    def earlier(self, now: datetime) -> list[EarlierCall]:
        return [
            EarlierCall(id="c004100", started_at=now - timedelta(days=3, hours=2), outcome="contained",
                        why="Pytanie o datę dostawy", agent="", notes=""),
            EarlierCall(id="c003862", started_at=now - timedelta(days=41), outcome="handed_off",
                        why="Zwrot butów", agent="Julia Wójcik", notes="Zwrot przyjęty, pieniądze 14 października."),
        ]  # fmt: skip
