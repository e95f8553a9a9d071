"""What runs on the company's machine tells nobody else that it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["asr.silero", "tts.piper"])
def test_no_library_reports_to_its_maker(tmp_path: Path, module: str) -> None:
    """onnxruntime, when it reports, begins a session in the folder for temporary files as soon as it is loaded."""
    # Nothing of the test run itself: in what looks like CI the library keeps quiet by itself.
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    environment["TMPDIR"] = str(tmp_path)

    def load(code: str) -> list[str]:
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=100, capture_output=True)
        return [path.name for path in tmp_path.iterdir()]

    assert load(f"import {module}") == []
    if load("import onnxruntime") == []:
        pytest.fail("this onnxruntime leaves no such trace any more: look for another proof, or drop the switch")
