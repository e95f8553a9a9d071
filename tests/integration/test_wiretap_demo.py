"""The demo's machinery on real telephones, with a stand-in for the bot: processes, taps, proof, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from voicebot.demo.runner import DemoReport, run_demo
from voicebot.demo.stage import Commands, Stage
from voicebot.errors import ProcessFailed

COMMANDS = Commands(bot=(sys.executable, "-m", "tests.integration.fake_bot"))

SCRIPT = """
script: handoff
language: pl
voice: espeak:pl+m6
number: "+48601234567"
steps:
  - listen: 500
  - say: gdzie jest moja paczka
  - listen: {silence_ms: 2500, deadline_s: 40}
  - say: {text: "Czekam na paczkę już dwa tygodnie, proszę to sprawdzić.", to: agent}
  - listen: {deadline_s: 20}
expect: {outcome: handed_off, ended_by: bot}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "handoff.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def _descendants() -> set[int]:
    """Processes below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_caller_and_agent_hear_each_other_and_nothing_is_left(script: Path, tmp_path: Path) -> None:
    before = _descendants()
    report = await run_demo(tmp_path / "out", scenarios=[script], commands=COMMANDS)
    assert _descendants() == before
    (call,) = report.calls
    assert call.problems == ()
    assert report.passed
    assert call.both_heard is not None
    assert call.both_heard.proven
    # The way between the two telephones takes tens of milliseconds, and is the same for both.
    for heard in (call.both_heard.agent_heard_caller, call.both_heard.caller_heard_agent):
        assert 0 < heard.delay_s < 0.5
    assert [(line.said, line.recognised) for line in call.heard] == [("gdzie jest moja paczka", "gdzie jest paczka")]
    assert call.word_error_rate == 0.25
    assert 200 < (call.voice_to_voice_ms["p50"] or 0) < 3000
    data = json.loads(json.dumps(report.as_json()))
    assert data["passed"] is True
    files = {path.name for path in _files(tmp_path / "out")}
    assert {"recording.wav", "summary.json", "transcript.json", "received.wav", "agent-received.wav"} <= files
    assert data["calls"][0]["recording"].endswith("recording.wav")


async def test_everything_still_runs_when_the_last_call_is_over(script: Path, tmp_path: Path) -> None:
    """That is when a newcomer is told where the pages are."""
    before, during = _descendants(), set[int]()

    async def afterwards(stage: Stage, report: DemoReport) -> None:
        during.update(_descendants() - before)
        assert len(report.calls) == 1
        assert f'"port": {stage.pages.rpartition(":")[2]}' in (tmp_path / "out" / "voicebot.yaml").read_text()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await stage.bot.until_ended()

    await run_demo(tmp_path / "out", scenarios=[script], commands=COMMANDS, afterwards=afterwards)
    assert len(during) >= 4, "shop, two agents and the bot"
    assert _descendants() == before


async def test_a_handoff_without_a_connection_fails(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot claims a handoff, the agent talks into nothing: the received audio tells."""
    monkeypatch.setenv("FAKE_BOT_DEAF", "1")
    # The caller takes the bot's last tone for the agent, and says its line to nobody.
    report = await run_demo(tmp_path / "out", scenarios=[script], commands=COMMANDS)
    (call,) = report.calls
    assert not report.passed
    assert any("not proven that the caller heard the agent" in problem for problem in call.problems)


async def test_a_bot_that_does_not_start_is_told_with_its_last_words(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BOT_BROKEN", "1")
    before = _descendants()
    with pytest.raises(ProcessFailed, match="The bot process ended") as caught:
        await run_demo(tmp_path / "out", scenarios=[script], commands=COMMANDS)
    assert "the flow file is wrong" in caught.value.remedy
    assert _descendants() == before
