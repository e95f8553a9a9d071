"""`voicebot serve --workers 2`: a SIP port each, one recogniser for both; one that dies or goes deaf is replaced."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.bot import ORDER_BY_KEYS, RECOGNISER, SPEECH, Bot, Caller, CallRecord, config
from tests.acceptance.conftest import StartBot
from tests.acceptance.floor import AGENT_HZ, HUMAN_NUMBER, TonePhone, caller, floor_config, hears
from tests.acceptance.programs import until
from voicebot.access import Author, NewUser, Role
from voicebot.access.users import UserStore
from voicebot.api.auth import CSRF_HEADER
from voicebot.api.testing import PASSWORD
from voicebot.records import CallRecords
from voicebot.records.database import Database

pytestmark = pytest.mark.timeout(300)

WORKER = "voicebot.workers.worker"
WAITS = ["listen", {"wait": 60}]


def settings(data: Path, **sections: Any) -> dict[str, Any]:
    settings = config(data, sip={"port": free_ports(4)}, **sections)
    return {**settings, "workers": 2}


def free_ports(count: int) -> int:
    """The first of so many in a row that were free a moment ago."""
    for first in range(21000 + os.getpid() % 400 * 20, 29000, count):
        probes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for port, probe in enumerate(probes, start=first):
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no ports are free")


def worker(bot: Bot, number: int) -> int:
    """Process id."""

    def find() -> list[int]:
        return [pid for pid in bot.family(WORKER) if f"\0--number\0{number}\0" in _command(pid)]

    return until(find, 60, f"worker {number}")[0]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def add_user(data: Path, login: str, role: Role) -> None:
    database = Database(data)
    users = UserStore(database, lambda: datetime.now(UTC))
    users.add(NewUser(login, login.capitalize(), PASSWORD, [role]), Author("test"))
    database.close()


@contextmanager
def signed_in(bot: Bot, login: str) -> Iterator[httpx.Client]:
    http = bot.settings["http"]
    with httpx.Client(base_url=f"http://{http['address']}:{http['port']}", timeout=20, trust_env=False) as client:
        answer = client.post("/api/session", json={"login": login, "password": PASSWORD})
        answer.raise_for_status()
        client.headers[CSRF_HEADER] = answer.json()["csrf"]
        yield client


def lost(bot: Bot, record: CallRecord) -> dict[str, Any]:
    """How the call stands in the database."""
    records = CallRecords(bot.data)
    try:
        until(lambda: records.get(record.call_id).outcome, 20, "the call was closed")
        kept = records.get(record.call_id)
        return {"outcome": kept.outcome, "cause": kept.cause, "events": [type(one).__name__ for one in kept.events]}
    finally:
        records.close()


def is_well(bot: Bot, restarts: int, number: int = 1) -> bool:
    health = bot.health()
    return bool(health) and health["status"] == "ok" and health["restarts"][f"worker {number}"] == restarts  # type: ignore[index]


@pytest.fixture(scope="module")
def shared_workers(tmp_path_factory: pytest.TempPathFactory, start_bot: StartBot) -> Iterator[Bot]:
    with start_bot(settings(tmp_path_factory.mktemp("data"))) as bot:
        yield bot
        bot.assert_stops_cleanly()


@pytest.fixture
def bot(shared_workers: Bot) -> Bot:
    assert shared_workers.running(), shared_workers.log()
    until(lambda: (shared_workers.health() or {}).get("status") == "ok", 60, lambda: f"{shared_workers.health()}")
    return shared_workers


def test_both_take_calls_and_share_the_models(bot: Bot, tmp_path: Path) -> None:
    assert len(bot.family(WORKER)) == 2
    assert (len(bot.family(RECOGNISER)), len(bot.family(SPEECH))) == (1, 1)
    asks = ["listen", {"say": "gdzie jest moja paczka"}, {"listen": {"silence_ms": 1200, "deadline_s": 60}}]
    with Caller(bot, tmp_path, asks) as one, Caller(bot, tmp_path, asks, worker=2) as other:
        records = [one.call(), other.call()]
        health = bot.health()
        assert health is not None
        assert (health["calls"], [each["calls"] for each in health["workers"]]) == (2, [1, 1])
        for record in records:
            assert "paczka" in record.until("caller_said", 80)["text"], record.story()
            record.until("bot_said", text="numer zamówienia")
            record.ended(80)
    for record in records:
        assert lost(bot, record)["outcome"] == record.ended()["outcome"]
        assert record.file("summary.json")


def test_a_worker_is_killed_in_mid_call(bot: Bot, tmp_path: Path) -> None:
    before = (bot.health() or {})["restarts"]["worker 1"]
    with Caller(bot, tmp_path, WAITS) as cut, Caller(bot, tmp_path, ORDER_BY_KEYS, worker=2) as spared:
        record, other = cut.call(), spared.call()
        record.until("bot_said", text="Rozmowa jest nagrywana.")
        os.kill(worker(bot, 1), signal.SIGKILL)
        ended = record.ended(10)
        assert (ended["outcome"], ended["cause"]) == ("lost", "worker_died")
        assert lost(bot, record)["events"][-1] == "CallEnded"
        with Caller(bot, tmp_path, ["listen"], number=cut.number, worker=2) as again:
            second = again.call()
            second.until("bot_said", text="usterka po naszej stronie", timeout_s=60)
        until(lambda: is_well(bot, before + 1), 90, lambda: f"worker 1 was replaced: {bot.health()}")
        assert other.ended(60)["outcome"] == "contained", other.story()
        assert spared.result()["problems"] == []
    with Caller(bot, tmp_path, ["listen"], number=cut.number) as third:  # told once, by whichever worker
        record = third.call()
        record.until("bot_said", text="W czym mogę pomóc?", timeout_s=60)
        assert "usterka" not in record.said()


def test_a_deaf_worker_is_replaced(bot: Bot, tmp_path: Path) -> None:
    before = (bot.health() or {})["restarts"]["worker 2"]
    with Caller(bot, tmp_path, WAITS, worker=2) as caller:
        record = caller.call()
        record.until("bot_said", text="Rozmowa jest nagrywana.")
        os.kill(worker(bot, 2), signal.SIGSTOP)
        assert record.ended(30)["cause"] == "worker_deaf"
        until(lambda: is_well(bot, before + 1, 2), 90, lambda: f"worker 2 was replaced: {bot.health()}")
    with Caller(bot, tmp_path, ["listen"], worker=2) as next_one:
        next_one.call().until("bot_said", text="W czym mogę pomóc?", timeout_s=60)


def test_the_pages_show_and_end_the_calls_of_all_workers(bot: Bot, tmp_path: Path) -> None:
    add_user(bot.data, "ewa", "supervisor")
    with (
        Caller(bot, tmp_path, WAITS) as one,
        Caller(bot, tmp_path, WAITS, worker=2) as other,
        signed_in(bot, "ewa") as pages,
    ):
        records = [one.call(), other.call()]
        for record in records:
            record.until("bot_said", text="W czym mogę pomóc?", timeout_s=60)
        board = pages.get("/api/board").json()
        assert {call["call_id"] for call in board["calls"]} == {record.call_id for record in records}
        for record in records:
            live = pages.get(f"/api/live/{record.call_id}").json()
            assert live["row"]["caller"] in (one.number, other.number)
            assert "W czym mogę pomóc?" in " ".join(turn["text"] for turn in live["transcript"])
        refused = pages.post(f"/api/live/{records[1].call_id}/listen", json={"sdp": "v=0", "mode": "listen"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        refused = pages.put("/api/agent/state", json={"state": "available"})
        assert "several workers" in refused.json()["message"]
        refused = pages.post(f"/api/live/{records[1].call_id}/back-to-bot", json={"flow": ""})
        assert refused.status_code == 409, refused.text
        assert pages.post(f"/api/live/{records[1].call_id}/end").status_code == 204
        assert records[1].ended(20)["cause"] == "ended_by_supervisor"
        until(lambda: pages.get(f"/api/live/{records[1].call_id}").status_code == 404, 10, "it is over")
        assert not records[0].events("call_ended")


def test_the_recogniser_is_replaced_and_the_workers_go_on(bot: Bot) -> None:
    workers, restarts = bot.family(WORKER), (bot.health() or {})["restarts"]["recogniser"]
    os.kill(bot.child(RECOGNISER), signal.SIGKILL)
    until(
        lambda: (health := bot.health()) and health["restarts"]["recogniser"] > restarts and health["status"] == "ok",
        60,
        lambda: f"the recogniser was replaced: {bot.health()}",
    )
    assert bot.family(WORKER) == workers


def test_sigterm_lets_the_calls_end_and_takes_no_others(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(settings(tmp_path / "data")) as bot, Caller(bot, tmp_path, [*ORDER_BY_KEYS, "listen"]) as caller:
        record = caller.call()
        record.until("bot_said", text="W czym mogę pomóc?", timeout_s=60)
        bot.send(signal.SIGTERM)
        until(lambda: (health := bot.health()) and health["status"] == "draining", 10, "it drains")
        time.sleep(1)  # the workers are told right after
        for number in (1, 2):
            with Caller(bot, tmp_path, ["listen"], worker=number) as late:
                assert late.result()["answered"] is False
        assert record.ended(60)["outcome"] == "contained", record.story()
        assert bot.wait(60) == 0, bot.log()
        bot.assert_nothing_left()
        assert record.file("summary.json")


def test_a_second_signal_does_not_wait_for_calls(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(settings(tmp_path / "data")) as bot, Caller(bot, tmp_path, WAITS) as caller:
        record = caller.call()
        record.until("bot_said", text="W czym mogę pomóc?", timeout_s=60)
        bot.send(signal.SIGTERM)
        time.sleep(2)
        assert not record.events("call_ended")
        bot.send(signal.SIGTERM)
        assert bot.wait(30) == 0, bot.log()
        assert record.ended(5)["outcome"] != "lost"
        bot.assert_nothing_left()


def test_killed_it_takes_its_workers_along(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(settings(tmp_path / "data")) as bot:
        os.kill(bot.pid, signal.SIGKILL)
        bot.wait(10)
        until(lambda: not bot.family(), 30, "its processes ended by themselves")


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    mine = settings(tmp_path / "data")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", mine["sip"]["port"] + 2))
        with Bot(mine, tmp_path) as bot:
            assert bot.wait(150) == 1
            assert f"SIP port {mine['sip']['port'] + 2} (UDP) of 127.0.0.1 is taken." in bot.log()
            assert "The worker 2 process ended with status 1 before it was ready." in bot.log()
            bot.assert_nothing_left()


def test_agents_in_browsers_are_refused(tmp_path: Path) -> None:
    mine = settings(tmp_path / "data")
    add_user(tmp_path / "data", "anna", "agent")
    with Bot(mine, tmp_path) as bot:
        assert bot.wait(150) == 1
        assert "Several workers cannot bring callers to agents, and anna serves service." in bot.log()
        bot.assert_nothing_left()


def test_pbx_callbacks_deliveries_and_reload(
    start_bot: StartBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there is one of, with calls at both workers."""
    with TonePhone(tmp_path / "pbx", "--take", "--hz", str(AGENT_HZ)) as pbx, receiver() as (url, received):
        uri = pbx.until("ready")["uri"]
        mine = floor_config(
            tmp_path / "data",
            tmp_path,
            sip={"port": free_ports(4)},
            queues={"outside": {"pbx": {"uri": uri, "how": "bridge", "failed": "bot"}}},
            webhooks=[{"url": url, "secret": {"env": "HOOK"}, "events": ["summary"]}],
        )
        mine["workers"] = 2
        folder = Path(mine["numbers"][0]["bot"])
        outside = shutil.copytree(folder, tmp_path / "outside")
        _change(outside / "people.yaml", "handoff: caller_asked", "handoff: caller_asked, queue: outside")
        _change(outside / "bot.yaml", f"'{HUMAN_NUMBER}'", "'120'")
        mine["numbers"].append({"number": "120", "bot": str(outside), "language": "pl"})
        monkeypatch.setenv("HOOK", "sekret do podpisu webhooka")
        with start_bot(mine) as bot:
            add_user(bot.data, "ewa", "supervisor")
            with caller(bot, tmp_path / "first", HUMAN_NUMBER, "+48601000901", worker=2) as phone:
                promised = bot.call_from("+48601000901")
                promised.until("bot_said", step="phrases/callback_confirm", timeout_s=60)
                phone.obey("keys 1")
                assert promised.ended()["outcome"] == "callback_promised"
            with signed_in(bot, "ewa") as pages:
                (callback,) = pages.get("/api/callbacks").json()
                assert (callback["call_id"], callback["state"]) == (promised.call_id, "waiting")
                done = {"outcome": "gave_up", "notes": "nikt nie odbiera"}
                assert pages.post(f"/api/callbacks/{callback['id']}/done", json=done).status_code == 204
                assert [one["state"] for one in pages.get("/api/callbacks").json()] == ["gave_up"]
            with caller(bot, tmp_path / "second", "120", "+48601000902") as phone:
                bridged = bot.call_from("+48601000902")
                bridged.until("pbx_joined", timeout_s=60)
                hears(phone, AGENT_HZ)
                phone.obey("hang_up")
                assert bridged.ended()["outcome"] == "handed_off"
            until(lambda: len(received) >= 3, 30, lambda: f"three summaries: {received}")
            time.sleep(2)  # none comes twice
            told = sorted((body["summary"]["call_id"], body["moment"]) for body in received)
            both = [(bridged.call_id, "ended"), (bridged.call_id, "handed_over"), (promised.call_id, "ended")]
            assert told == sorted(both)
            _change(folder / "bot.yaml", "W czym mogę pomóc?", "Słucham, w czym pomóc?")
            bot.send(signal.SIGHUP)
            until(lambda: sum(event["event"] == "bot_taken" for event in bot.told()) == 2, 60, bot.log)
            until(lambda: bot.log().count("new calls are answered by the bot") == 6, 60, bot.log)
            for number in (1, 2):
                with Caller(bot, tmp_path, ["listen"], worker=number) as next_one:
                    next_one.call().until("bot_said", text="Słucham, w czym pomóc?", timeout_s=60)
            bot.assert_stops_cleanly()


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody's server for webhooks, and what it got."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
