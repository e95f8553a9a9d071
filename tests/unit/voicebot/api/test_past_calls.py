"""Past calls over HTTP: who may read them, what is told of them, and how recordings are played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from voicebot.access import Access, Author, Role
from voicebot.api.testing import browser, signed_in
from voicebot.events import (
    REFUSED,
    AgentJoined,
    AlertAcknowledged,
    AlertRaised,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    Decision,
    LineMeasured,
    Outcome,
    RecordingStopped,
    TurnTimed,
    WrappedUp,
)
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.records.store import CallStore, NumberedEvent

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WAV = b"RIFF" + bytes(range(256)) * 4


class Past:
    """Calls in the data folder of the API."""

    def __init__(self, data: Path) -> None:
        self._data = data
        data.mkdir(exist_ok=True)
        self._engine = open_database(data / DATABASE)
        upgrade(self._engine)
        self._numbers = 0

    def at(self, call_id: str, hour: int, offset_s: float) -> dict[str, Any]:
        return {"call_id": call_id, "at": NOON + timedelta(hours=hour, seconds=offset_s), "offset_s": offset_s}

    def write(self, *events: CallEvent) -> None:
        items = [NumberedEvent(self._numbers + n, event) for n, event in enumerate(events)]
        self._numbers += len(events)
        CallStore(self._engine).write(items)

    def call(self, call_id: str, hour: int = 0, *, agent: str = "", over: bool = True) -> None:
        """An ordinary one; whoever is named serves it."""
        self.write(
            CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **self.at(call_id, hour, 0)),
            BotSaid(text="W czym pomóc?", step="start", **self.at(call_id, hour, 1)),
            CallerSaid(text="Gdzie mój żółw?", confidence=0.8, decode_ms=80, audio_s=1, **self.at(call_id, hour, 2)),
            Decision(
                kind="understood",
                data={"commands": ["start_flow"], "source": "embedded", "confidence": 0.91, "reason": "examples"},
                **self.at(call_id, hour, 3),
            ),
            Decision(
                kind="flow_started",
                data={"flow": "order", "entered": "asked", "title": "stan zamówienia"},
                **self.at(call_id, hour, 3),
            ),
            TurnTimed(stages={"recognition": 80.0, "speech": 120.5}, **self.at(call_id, hour, 4)),
        )
        if agent:
            joined = AgentJoined(uri="", agent=agent, name=agent.capitalize(), **self.at(call_id, hour, 5))
            wrapped = WrappedUp(agent=agent, code="solved", notes="Wysłano.", **self.at(call_id, hour, 9))
            self.write(joined, wrapped)
        if over:
            self.end(call_id, hour)

    def end(self, call_id: str, hour: int = 0) -> None:
        at = self.at(call_id, hour, 8)
        self.write(CallEnded(outcome=Outcome.CONTAINED, cause="remote_hangup", duration_s=8.0, **at))

    def refuse(self, call_id: str) -> None:
        self.write(RecordingStopped(reason=REFUSED, **self.at(call_id, 0, 6)))

    def file(self, call_id: str, name: str, content: bytes) -> None:
        folder = self._data / "calls" / call_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def past(tmp_path: Path, access: Access) -> Iterator[Past]:
    past = Past(tmp_path / "data")
    yield past
    past.close()


async def audited(access: Access, what: str) -> list[tuple[str, str]]:
    return [(line.who, line.about) for line in await access.audit_lines(what=what)]


async def test_calls_come_in_pages_the_newest_first(app: FastAPI, access: Access, past: Past) -> None:
    for hour in range(5):
        past.call(f"c{hour}", hour)
    async with signed_in(app, access, "operator") as client:
        found, before = [], None
        while True:
            page = (await client.get("/api/calls", params={"limit": 2} | ({"before": before} if before else {}))).json()
            found.append([call["id"] for call in page["calls"]])
            before = page["more"]
            if before is None:
                break
    assert found == [["c4", "c3"], ["c2", "c1"], ["c0"]]


async def test_a_line_tells_the_call_at_a_glance(app: FastAPI, access: Access, past: Past) -> None:
    past.call("c1", agent="ola")
    past.file("c1", "recording.wav", WAV)
    async with signed_in(app, access, "supervisor") as client:
        (line,) = (await client.get("/api/calls")).json()["calls"]
    told = {"agent": "Ola", "why": "stan zamówienia", "mood": "neutral", "recorded": True, "outcome": "contained"}
    assert line | told == line
    assert line["started_at"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "ZOLW"}, ["c1"]),
        ({"text": "słoń"}, []),
        ({"caller": "601 234"}, ["c2", "c1"]),
        ({"caller": "999"}, []),
        ({"outcome": "contained"}, ["c1"]),
        ({"outcome": "failed"}, []),
        ({"alert": "any"}, ["c2"]),
        ({"alert": "angry"}, ["c2"]),
        ({"alert": "loop"}, []),
    ],
)
async def test_calls_are_looked_for(
    app: FastAPI, access: Access, past: Past, query: dict[str, str], found: list[str]
) -> None:
    past.call("c1")
    past.call("c2", 1, over=False)
    past.write(AlertRaised(alert="a1", kind="angry", text="", **past.at("c2", 1, 7)))
    async with signed_in(app, access, "supervisor") as client:
        answer = await client.get("/api/calls", params=query)
        assert [call["id"] for call in answer.json()["calls"]] == found


async def test_a_call_is_told_whole_and_that_it_was_read(app: FastAPI, access: Access, past: Past) -> None:
    past.call("c0", -1, agent="jan")
    past.call("c1", agent="ola")
    sound = {"codec": "g711", "loss": 0.05, "jitter_ms": 7.0, "delay_ms": 80.0, "mos": 3.93}
    past.write(LineMeasured(packets=950, r=77.4, **sound, **past.at("c1", 0, 9)))  # type: ignore[arg-type]
    summary = {
        **{"call_id": "c1", "language": "pl", "who": "+48601234567", "why": "żółw", "tried": [], "reason": ""},
        **{"why_stopped": "", "mood": "angry", "outcome": "contained", "told": "", "last_turns": []},
        "collected": [{"name": "number", "label": "numer", "value": 123}],
    }
    past.file("c1", "summary.json", json.dumps(summary).encode())
    async with signed_in(app, access, "supervisor", "ewa") as client:
        call = (await client.get("/api/calls/c1")).json()
        assert await audited(access, "read_call") == [("ewa", "c1")]
    assert [(turn["who"], turn["text"]) for turn in call["transcript"]] == [
        ("bot", "W czym pomóc?"),
        ("caller", "Gdzie mój żółw?"),
    ]
    assert [(one["kind"], one["why"], one["certainty"]) for one in call["decisions"]] == [
        ("understood", "Zrozumiano: rozpocząć sprawę (examples).", 0.91),
        ("flow_started", "Sprawa: stan zamówienia.", None),
    ]
    assert call["latencies"] == [{"at_s": 4.0, "stages": {"recognition": 80.0, "speech": 120.5}, "total_ms": 200.5}]
    assert call["sound"] == sound
    assert call["slots"] == [{"name": "number", "label": "numer", "value": "123", "certainty": None, "masked": False}]
    assert (call["summary"]["mood"], call["notes"], call["wrap_up_code"]) == ("angry", "Wysłano.", "solved")
    assert [(one["id"], one["agent"], one["notes"]) for one in call["earlier"]] == [("c0", "Jan", "Wysłano.")]
    assert call["recording"] == "none"


@pytest.mark.parametrize("content", [b"[]", b'{"mood": 1}', b'{"collected": "x"}'])
async def test_a_summary_that_cannot_be_read_hides_nothing_else(
    app: FastAPI, access: Access, past: Past, content: bytes
) -> None:
    past.call("c1")
    past.file("c1", "summary.json", content)
    async with signed_in(app, access, "operator") as client:
        call = (await client.get("/api/calls/c1")).json()
        assert (call["summary"], call["slots"], len(call["transcript"])) == (None, [], 2)


async def test_agents_read_what_they_served_and_nothing_else(app: FastAPI, access: Access, past: Past) -> None:
    past.call("mine", agent="ola")
    past.call("other", agent="jan")
    past.file("mine", "recording.wav", WAV)
    async with signed_in(app, access, "agent", "ola") as client:
        assert (await client.get("/api/calls/mine")).status_code == 200
        for path in ("/api/calls", "/api/calls/other", "/api/calls/mine/recording"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
        assert await audited(access, "read_call") == [("ola", "mine")]


async def test_alerts_are_told_with_who_saw_to_them_but_not_to_agents(app: FastAPI, access: Access, past: Past) -> None:
    past.call("c1", agent="ola")
    past.write(
        AlertRaised(alert="a1", kind="angry", text="Rozmówca jest zdenerwowany.", **past.at("c1", 0, 6)),
        AlertRaised(alert="a2", kind="wait", text="Rozmówca czeka.", **past.at("c1", 0, 7)),
        AlertAcknowledged(alert="a2", kind="wait", who="ewa", **past.at("c1", 0, 30)),
    )
    async with signed_in(app, access, "operator") as client:
        (line,) = (await client.get("/api/calls")).json()["calls"]
        told = (await client.get("/api/calls/c1")).json()
    assert line["alerts"] == told["line"]["alerts"] == ["angry", "wait"]
    assert told["alerts"] == [
        {"at_s": 6.0, "kind": "angry", "text": "Rozmówca jest zdenerwowany.", "acknowledged_by": ""},
        {"at_s": 7.0, "kind": "wait", "text": "Rozmówca czeka.", "acknowledged_by": "ewa"},
    ]
    async with signed_in(app, access, "agent", "ola") as client:
        told = (await client.get("/api/calls/c1")).json()
        assert (told["alerts"], told["line"]["alerts"]) == ([], [])
        assert "zdenerwowany" not in str(told)


async def test_a_token_has_its_scopes_alone(app: FastAPI, access: Access, past: Past) -> None:
    past.call("c1")
    async with signed_in(app, access, "supervisor", "ewa"), browser(app) as program:
        scopes: list[tuple[Role, int]] = [("agent", 403), ("supervisor", 200)]
        for scope, status in scopes:
            _, secret = await access.issue_token(scope, [scope], None, Author("ewa"))
            for path in ("/api/calls", "/api/calls/c1"):
                answer = await program.get(path, headers={"Authorization": f"Bearer {secret}"})
                assert answer.status_code == status, (scope, path)


@pytest.mark.parametrize("call_id", ["nothing", "..", "%2e%2e", "a%00b", "ż", "'; DROP TABLE calls; --"])
@pytest.mark.parametrize("ending", ["", "/recording"])
async def test_what_is_no_call_is_not_found(
    app: FastAPI, access: Access, past: Past, call_id: str, ending: str
) -> None:
    async with signed_in(app, access, "administrator") as client:
        answer = await client.get(f"/api/calls/{call_id}{ending}")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "query", [{"before": "yesterday"}, {"before": "2026-11-23T12:00:00"}, {"limit": 0}, {"outcome": "x"}]
)
async def test_a_query_that_is_none_is_refused(app: FastAPI, access: Access, query: dict[str, str]) -> None:
    async with signed_in(app, access, "supervisor") as client:
        assert (await client.get("/api/calls", params=query)).status_code == 422


@pytest.mark.parametrize(
    ("range_", "status", "content"),
    [
        ("", 200, WAV),
        ("bytes=0-3", 206, b"RIFF"),
        ("bytes=4-", 206, WAV[4:]),
        ("bytes=-5", 206, WAV[-5:]),
        ("bytes=999999-", 416, b""),
    ],
)
async def test_a_recording_is_played_whole_or_in_parts(
    app: FastAPI, access: Access, past: Past, range_: str, status: int, content: bytes
) -> None:
    past.call("c1")
    past.file("c1", "recording.wav", WAV)
    async with signed_in(app, access, "operator") as client:
        answer = await client.get("/api/calls/c1/recording", headers={"Range": range_} if range_ else {})
        assert (answer.status_code, answer.content) == (status, content)
        if status != 416:
            assert answer.headers["content-type"] == "audio/wav"
            assert answer.headers["accept-ranges"] == "bytes"
        assert await audited(access, "played") == [("operator", "c1")]
        assert (await client.get("/api/calls/c1")).json()["recording"] == "kept"


async def test_why_there_is_no_recording_is_told(app: FastAPI, access: Access, past: Past) -> None:
    past.call("none")
    past.call("refused", over=False)
    past.refuse("refused")
    past.end("refused")
    past.call("on", over=False)
    for call_id in ("refused", "on"):
        past.file(call_id, "recording.wav", WAV)
    told = {"none": "There is no recording", "refused": "did not want to be recorded", "on": "The call goes on"}
    async with signed_in(app, access, "supervisor") as client:
        for call_id, sentence in told.items():
            answer = await client.get(f"/api/calls/{call_id}/recording")
            assert (answer.status_code, answer.json()["code"]) == (404, "recording_not_found")
            assert sentence in answer.json()["message"]
        refused = (await client.get("/api/calls/refused")).json()
        assert (refused["recording"], refused["line"]["recorded"]) == ("refused", False)
        assert {turn["text"] for turn in refused["transcript"]} == {""}
    assert await audited(access, "played") == []
