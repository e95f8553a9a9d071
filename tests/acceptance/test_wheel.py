"""The built wheel alone, in an empty environment: everything it needs is inside or declared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, timeout_s: float = 600) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(1200)
def test_the_wheel_installs_and_its_doctor_finds_nothing_wrong(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("voicebot-*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    binaries = tmp_path / "env" / "bin"
    run(binaries / "pip", "install", "--quiet", "--constraint", ROOT / "requirements.lock", wheel, cwd=tmp_path)

    said = run(binaries / "voicebot", "doctor", cwd=tmp_path)
    assert "problem" not in said
    where = run(binaries / "python", "-c", "import flows; print(flows.__path__[0])", cwd=tmp_path).strip()
    assert str(tmp_path) in where
    checked = run(binaries / "voicebot", "check", Path(where) / "examples" / "shop", cwd=tmp_path)
    assert "is correct" in " ".join(checked.split())
