"""Sounds that are made once: in a child process, since the synthesiser is GPL-3, and kept under what was asked for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RENDER_S = 900


def rendered(module: str, name: str, specification: Mapping[str, Any]) -> Path:
    """The file that `python -m MODULE SPEC OUT` makes of the specification (JSON), or made of it in an earlier run."""
    document = json.dumps(specification, ensure_ascii=False)
    digest = hashlib.sha256(document.encode()).hexdigest()[:20]
    kept = Path(tempfile.gettempdir()) / "voicebot-benchmarks" / f"{name}-{digest}.npz"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            asked, made = Path(folder) / "spec.json", Path(folder) / "made.npz"
            asked.write_text(document, encoding="utf-8")
            subprocess.run([sys.executable, "-m", module, str(asked), str(made)], check=True, timeout=RENDER_S)
            made.replace(kept)
    return kept
