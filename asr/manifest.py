"""Sizes and checksums of a model's files, kept beside them in `manifest.json`.

`{"source": ..., "files": {name: {"size": bytes, "sha256": hex, "mtime_ns": int or absent}}}`. A file whose time of
change is still the recorded one is taken by its size; any other is read and compared, which for 1.5 GB takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from asr.errors import ModelDamaged

MANIFEST = "manifest.json"


def write_manifest(folder: Path, source: str, *, remember_times: bool = True) -> None:
    """Records every file of the folder, atomically. Without times (a folder that will be packed) loading reads all."""
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name == MANIFEST or path.name.startswith(".") or path.suffix == ".part":
            continue
        status = path.stat()
        files[path.name] = {"size": status.st_size, "sha256": sha256_of(path)}
        if remember_times:
            files[path.name]["mtime_ns"] = status.st_mtime_ns
    draft = folder / f".{MANIFEST}.{os.getpid()}"
    draft.write_text(json.dumps({"source": source, "files": files}, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / MANIFEST)


def verify(folder: Path, *, thorough: bool = False) -> None:
    """Compares the folder with its manifest; a folder without one is taken as it is.

    thorough: read every file, whatever its time of change. Raises ModelDamaged naming the file.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        for name, expected in files.items():
            _verify_file(folder / name, expected, thorough)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "it cannot be read") from error


def _verify_file(path: Path, expected: dict[str, Any], thorough: bool) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise _damaged(path, "it is missing") from None
    if status.st_size != expected["size"]:
        raise _damaged(path, f"it has {status.st_size} bytes instead of {expected['size']}")
    if not thorough and status.st_mtime_ns == expected.get("mtime_ns"):
        return
    if sha256_of(path) != expected["sha256"]:
        raise _damaged(path, "its checksum is wrong")


def _damaged(path: Path, what: str) -> ModelDamaged:
    return ModelDamaged(
        f"The model file {path} is damaged: {what}.",
        "Delete the model's folder so that it is fetched again, or copy a complete one there.",
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
