"""What the demo makes of a call's reports and files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.unit.voicebot.test_caller_measure import silence, speech
from voicebot.caller.capture import Samples
from voicebot.caller.script import Script, parse_script
from voicebot.caller.sounds import save_wav
from voicebot.demo.judge import CallReport, HeardLine, both_heard, heard_lines, judge, word_error_rate
from voicebot.demo.report import LiveView, print_files, table
from voicebot.demo.runner import EXAMPLE_BOT, SCENARIOS, DemoReport
from voicebot.demo.stage import AGENTS, configuration, configured_agents, free_port

BEGUN = 1_800_000_000.0


def _script(expect: str) -> Script:
    return parse_script(f"script: t\nlanguage: en\nvoice: v\nsteps: [listen]\nexpect: {expect}\n", "t")


def _record(folder: Path, *, outcome: str = "contained", left_out: str = "") -> Path:
    turns = [
        {"who": "bot", "text": "Order 1: on its way.", "at_s": 0.5},
        {"who": "caller", "text": "one", "at_s": 6.0, "confidence": 0.8},
        {"who": "caller", "text": "two", "at_s": 7.0, "confidence": 0.8},
        {"who": "caller", "text": "0", "at_s": 8.0, "keys": True},
        {"who": "caller", "text": "yes", "at_s": 12.5, "confidence": 0.9},
    ]
    data = {"outcome": outcome, "started_at": "2027-01-15T08:00:00+00:00", "turns": turns}
    folder.mkdir()
    (folder / "transcript.json").write_text(json.dumps(data))
    (folder / "summary.json").write_text("{}")
    (folder / "recording.wav").write_bytes(b"RIFF")
    if left_out:
        (folder / left_out).unlink()
    return folder


def _step(text: str, at: float, to: str = "bot") -> dict[str, Any]:
    return {"step": "say", "text": text, "said": text, "to": to, "started_at": BEGUN + at, "ended_at": BEGUN + at + 2}


CALLER: dict[str, Any] = {
    "answered": True,
    "steps": [{**_step("", 0), "step": "listen"}, _step("one two", 4), _step("yes please", 10)],
    "voice_to_voice_ms": {"p50": 400.0, "p95": 500.0},
    "problems": [],
    "received_audio": "",
}


def test_a_good_call(tmp_path: Path) -> None:
    report = judge(_script("{outcome: contained, says: [on its way]}"), CALLER, _record(tmp_path / "c"), ())
    assert report.problems == ()
    assert (report.outcome, report.turns, report.word_error_rate) == ("contained", 4, 0.25)
    assert report.heard == (HeardLine("one two", "one two"), HeardLine("yes please", "yes"))
    data = report.as_json()
    assert data["passed"] is True
    assert data["both_heard"] is None
    assert data["voice_to_voice_ms"] == {"p50": 400.0, "p95": 500.0}
    assert {"scenario", "language", "outcome", "turns", "heard", "word_error_rate", "voice_to_voice_ms", "summary",
            "recording"} <= set(data)  # fmt: skip


@pytest.mark.parametrize(
    ("expect", "left_out", "problem"),
    [
        ("{outcome: handed_off}", "", "The call came out as contained, not as handed_off."),
        ("{outcome: handed_off}", "", "No agent talked with the caller."),
        ("{says: [on its way, tomorrow]}", "", "The bot never said: tomorrow."),
        ("{}", "recording.wav", "The bot left no recording.wav."),
        ("{}", "summary.json", "The bot left no summary.json."),
        ("{}", "transcript.json", "The bot left no transcript of this call."),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, expect: str, left_out: str, problem: str) -> None:
    report = judge(_script(expect), CALLER, _record(tmp_path / "c", left_out=left_out), ())
    assert problem in report.problems
    assert report.as_json()["passed"] is False


def test_a_call_that_never_reached_the_bot() -> None:
    report = judge(_script("{}"), {"problems": ["Nobody answered."]}, None, ())
    assert (report.outcome, report.problems[0]) == ("not_answered", "Nobody answered.")
    assert report.word_error_rate is None


def test_lines_for_the_agent_are_not_the_recognisers() -> None:
    steps = [_step("one", 4), _step("hello agent", 10, to="agent")]
    transcript = {
        "started_at": "2027-01-15T08:00:00+00:00",
        "turns": [{"who": "caller", "text": "one", "at_s": 5.0}],
    }
    assert heard_lines(steps, transcript) == [HeardLine("one", "one")]
    assert heard_lines(steps, {}) == [HeardLine("one", "")]


def test_word_error_rate_counts_wrong_missing_and_invented_words() -> None:
    assert word_error_rate([HeardLine("Tak, proszę!", "tak proszę")]) == 0
    assert word_error_rate([HeardLine("a b c d", "a x d e")]) == 0.75
    assert word_error_rate([HeardLine("a b", ""), HeardLine("c d", "c d")]) == 0.5
    assert word_error_rate([]) is None


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_word_error_rate_is_bounded(said: list[str], recognised: list[str]) -> None:
    rate = word_error_rate([HeardLine(" ".join(said), " ".join(recognised))])
    assert rate is not None
    assert 0 <= rate <= max(len(said), len(recognised)) / len(said) + 1e-3
    assert (rate == 0) == (said == recognised)


def _telephone(tmp_path: Path, name: str, sent: Samples, received: Samples) -> dict[str, Any]:
    for what, samples in (("sent", sent), ("received", received)):
        save_wav(tmp_path / f"{name}-{what}.wav", samples.tobytes())
    return {
        "sent_audio": str(tmp_path / f"{name}-sent.wav"),
        "received_audio": str(tmp_path / f"{name}-received.wav"),
        "sent_from": BEGUN,
        "received_from": BEGUN,
    }


def _talk(tmp_path: Path, *, agent_connected: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The agent speaks from 5 s to 8 s, the caller from 10 s to 13 s; each hears the other 120 ms later."""
    late = silence(0.12)
    agent_line, caller_line = speech(1, 3, 180), speech(2, 3, 110)
    agent_sent = np.concatenate([silence(5), agent_line, silence(8)])
    caller_sent = np.concatenate([silence(10), caller_line, silence(3)])
    caller_hears = np.concatenate([late, agent_sent]) if agent_connected else speech(9, 16, 140)
    caller = _telephone(tmp_path, "caller", caller_sent, caller_hears)
    agent = _telephone(tmp_path, "agent", agent_sent, np.concatenate([late, caller_sent]))
    caller["steps"] = [{**_step("hello", 10, "agent"), "ended_at": BEGUN + 13}]
    agent["spoken"] = [{"started_at": BEGUN + 5, "ended_at": BEGUN + 8}]
    return caller, agent


def test_both_heard_each_other(tmp_path: Path) -> None:
    proof = both_heard(*(lambda pair: (pair[0], [pair[1]]))(_talk(tmp_path, agent_connected=True)))
    assert proof is not None
    assert proof.proven
    for heard in (proof.agent_heard_caller, proof.caller_heard_agent):
        assert heard.delay_s == pytest.approx(0.12, abs=0.02)


def test_one_sided_talk_is_no_proof(tmp_path: Path) -> None:
    caller, agent = _talk(tmp_path, agent_connected=False)
    proof = both_heard(caller, [agent])
    assert proof is not None
    assert (proof.agent_heard_caller.proven, proof.caller_heard_agent.proven, proof.proven) == (True, False, False)
    transcript = _record(tmp_path / "c", outcome="handed_off")
    report = judge(_script("{outcome: handed_off}"), {**CALLER, **caller}, transcript, [agent])
    assert [problem[:46] for problem in report.problems] == ["It is not proven that the caller heard the age"]


def test_without_audio_nothing_is_proven() -> None:
    assert both_heard(CALLER, []) is None
    assert both_heard(CALLER, [{"spoken": [], "received_audio": ""}]) is None


def test_the_report_passes_only_when_every_call_did(tmp_path: Path) -> None:
    good = judge(_script("{}"), CALLER, _record(tmp_path / "c"), ())
    bad = judge(_script("{}"), {"problems": ["x"]}, None, ())
    assert DemoReport((good,)).passed
    assert not DemoReport((good, bad)).passed
    assert not DemoReport(()).passed


def _printed(reports: list[CallReport], events: list[tuple[str, dict[str, Any]]]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200)
    view = LiveView(console)
    view.call("order_pl")
    for who, event in events:
        view.show(who, event)
    for report in reports:
        view.result(report)
    console.print(table(reports))
    print_files(console, reports)
    return out.getvalue()


def test_the_conversation_is_shown(tmp_path: Path) -> None:
    report = judge(_script("{outcome: failed}"), CALLER, _record(tmp_path / "c"), ())
    text = _printed(
        [report],
        [
            ("caller", {"event": "says", "text": "gdzie [moja] paczka"}),
            ("bot", {"event": "caller_said", "text": "gdzie moja paczka", "confidence": 0.91, "decode_ms": 87.4}),
            ("bot", {"event": "bot_said", "text": "Proszę podać numer.", "interrupted": True}),
            ("bot", {"event": "turn_timed", "stages": {}}),
            ("Anna", {"event": "pressed", "key": "1"}),
            ("bot", {"event": "fault", "stage": "speech", "message": "gone"}),
        ],
    )
    lines = text.splitlines()
    assert "gdzie [moja] paczka" in text
    assert "(heard, 91% sure, 87 ms) gdzie moja paczka" in text
    assert any("Anna" in line and "presses) 1" in line for line in lines)
    assert "Proszę podać numer. (interrupted)" in text
    assert "fault in speech: gone" in text
    assert "problem The call came out as contained, not as failed." in text
    assert "turn_timed" not in text
    assert "25.0%" in text
    assert str(tmp_path / "c" / "summary.json") in text


def test_every_scenario_is_a_correct_script_with_a_number_of_its_own() -> None:
    from voicebot.caller.script import load_script

    scripts = [load_script(path) for path in sorted(SCENARIOS.glob("*.yaml"))]
    assert [script.script for script in scripts] == ["order_pl", "order_en", "human_pl", "human_en", "keys_pl"]
    assert len({script.number for script in scripts}) == len(scripts)
    assert all(script.expect.outcome for script in scripts)
    assert not {script.voice for script in scripts} & {agent.voice for agent in AGENTS}


def test_the_configuration_is_one_that_the_bot_takes(tmp_path: Path) -> None:
    from voicebot.config import load_config

    path = tmp_path / "voicebot.yaml"
    numbers = {"pl": "100", "en": "200"}
    sections = configured_agents(["sip:a@h", "sip:b@h"])
    text = configuration(tmp_path / "data", 5070, 8070, numbers, EXAMPLE_BOT, sections)
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    assert (config.sip.port, config.http.port, config.data) == (5070, 8070, tmp_path / "data")
    number = config.number("200")
    assert number is not None
    assert (number.language, number.bot) == ("en", EXAMPLE_BOT)
    queue = (EXAMPLE_BOT / "bot.yaml").read_text(encoding="utf-8").partition("queue: ")[2].split()[0]
    assert [agent.languages for agent in config.queues[queue].agents] == [("pl",), ("en",)]


def test_free_ports_are_free() -> None:
    import socket

    port = free_port(socket.SOCK_DGRAM)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
