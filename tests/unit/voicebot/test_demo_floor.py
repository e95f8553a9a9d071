"""The living floor's parts that need no telephone: its scripts, settings, tidying, and when a new caller may come."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from voicebot.caller.script import load_script
from voicebot.config import load_config
from voicebot.demo.crowd import NUMBERS, SCRIPTS
from voicebot.demo.floor import BROWSER_AGENTS, colleagues, sections, tidy
from voicebot.demo.load import busy_and_all
from voicebot.demo.report import FloorView
from voicebot.demo.runner import EXAMPLE_BOT
from voicebot.demo.stage import AGENTS, configuration


def test_every_kind_of_caller_comes_in_both_languages() -> None:
    scripts = [load_script(path) for path in SCRIPTS.glob("*.yaml")]
    kinds = {
        language: {s.script.removesuffix(f"_{language}") for s in scripts if s.language == language}
        for language in ("pl", "en")
    }
    assert kinds["pl"] == kinds["en"] >= {"order", "person", "angry", "leaves", "callback"}


def test_its_settings_are_settings_of_the_bot(tmp_path: Path) -> None:
    text = configuration(tmp_path, 5060, 8080, {"pl": "100", "en": "200"}, EXAMPLE_BOT, sections(5070, 4))
    path = tmp_path / "voicebot.yaml"
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    assert config.sip.max_calls > 4, "the newcomer may call, too"
    assert config.http.port == 8080
    assert "127.0.0.1" in config.http.media_addresses
    route = config.people.route(f"{NUMBERS}123456")
    assert route is not None
    assert route.address(f"{NUMBERS}123456") == f"sip:{NUMBERS}123456@127.0.0.1:5070"
    assert config.people.route("+48221234567") is None


def test_agents_of_a_language_are_two_one_at_a_desk_phone_and_one_at_a_browser() -> None:
    people = colleagues(["sip:anna@127.0.0.1:1", "sip:emma@127.0.0.1:2"])
    assert len(people) == len(AGENTS) + len(BROWSER_AGENTS)
    for language in ("pl", "en"):
        phones = [bool(user.phone) for agent, user in people if agent.language == language]
        assert sorted(phones) == [False, True]
        assert all(user.languages == (language,) for agent, user in people if agent.language == language)
    assert len({user.password for _, user in people}) == len(people)


def test_old_recordings_go_and_everything_else_stays(tmp_path: Path) -> None:
    calls = tmp_path / "data" / "calls"
    for number in range(35):
        folder = calls / f"call-{number:02}"
        folder.mkdir(parents=True)
        for name in ("recording.wav", "transcript.json"):
            (folder / name).write_bytes(b"x")
            os.utime(folder / name, (number, number))
    phone = tmp_path / "agent-anna"
    for number in range(5):
        folder = phone / f"agent-call-{number}"
        folder.mkdir(parents=True)
        os.utime(folder, (number, number))
    tidy(calls, tmp_path)
    assert sorted(path.parent.name for path in calls.glob("*/recording.wav")) == [f"call-{n:02}" for n in range(5, 35)]
    assert len(list(calls.glob("*/transcript.json"))) == 35
    assert sorted(path.name for path in phone.iterdir()) == ["agent-call-2", "agent-call-3", "agent-call-4"]


def test_how_busy_the_cores_are_is_read_from_the_kernel() -> None:
    stat = "cpu  100 5 50 800 40 1 4 0 30 0\ncpu0 50 5 25 400 20 1 2 0 15 0\n"
    assert busy_and_all(stat) == (160, 1000)


def test_a_caller_is_told_of_in_a_line_for_each_thing_that_happens() -> None:
    console = Console(record=True, width=200)
    view = FloorView(console)
    view.show("crowd", {"event": "calls", "number": "+48601000001", "script": "angry_pl"})
    view.show("bot", {"event": "call_started", "call_id": "a", "caller": "+48601000001"})
    view.show("bot", {"event": "caller_said", "call_id": "a", "text": "gdzie [b]paczka[/b]"})
    view.show("bot", {"event": "handoff_started", "call_id": "a", "reason": "angry"})
    view.show("bot", {"event": "agent_joined", "call_id": "a", "name": "Jan"})
    view.show("bot", {"event": "call_ended", "call_id": "a", "outcome": "handed_off"})
    assert console.export_text().splitlines() == [
        "+48601000001 angry_pl calls",
        "+48601000001 angry_pl wants a person (angry)",
        "+48601000001 angry_pl talks with Jan",
        "+48601000001 angry_pl is gone: handed_off",
    ]
