"""What several test folders share."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import NoReturn

import pytest


def require_program(name: str, *, package: str) -> str:
    """Path of a program from a Debian package; without it the test skips, or fails in CI, where none may be missing."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")  # which ordinary users have not in their path
    return path if path is not None else _missing(name, package)


def require_file(pattern: str, *, package: str) -> None:
    """The same for a file of a package, by a pattern below /usr."""
    if not any(Path("/usr").glob(pattern)):
        _missing(pattern, package)


def _missing(name: str, package: str) -> NoReturn:
    reason = f"needs {name}: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port on 127.0.0.1 that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
