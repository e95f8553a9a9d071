"""`voicebot demo --json`, all of it."""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import pytest

from tests.acceptance.programs import Program, tracebacks

LONGEST_S = 480

pytestmark = [pytest.mark.last, pytest.mark.timeout(LONGEST_S + 60)]


def test_the_demo_passes_and_says_so_in_json(tmp_path: Path) -> None:
    output = tmp_path / "calls"
    argv = [sys.executable, "-m", "voicebot", "demo", "--json", "--output", str(output)]
    with Program(argv, tmp_path / "demo") as demo:
        status = demo.wait(LONGEST_S)
        report = json.loads(demo.output().splitlines()[-1])
        assert status == 0, json.dumps(report, ensure_ascii=False, indent=1)
        demo.assert_nothing_left()
    assert tracebacks((output / "logs" / "bot.log").read_text(encoding="utf-8")) == ""

    assert report["passed"] is True
    calls = {(call["scenario"], call["language"]): call for call in report["calls"]}
    assert {language for _, language in calls} == {"pl", "en"}
    assert {(call["language"], call["outcome"]) for call in calls.values()} >= {
        ("pl", "contained"),
        ("en", "contained"),
        ("pl", "handed_off"),
        ("en", "handed_off"),
    }
    for call in calls.values():
        assert call["passed"] is True
        assert call["turns"] >= 1
        assert all(set(line) == {"said", "recognised"} for line in call["heard"])
        if call["heard"]:
            assert 0 <= call["word_error_rate"] < 0.6
            assert 0 < call["voice_to_voice_ms"]["p50"] <= call["voice_to_voice_ms"]["p95"]
        if call["outcome"] == "handed_off":
            assert call["both_heard"] is True
        assert json.loads(Path(call["summary"]).read_text(encoding="utf-8"))
        with wave.open(call["recording"]) as recording:
            assert recording.getnchannels() == 2
            assert recording.getnframes() > recording.getframerate()
