"""What `voicebot edge` does: write the files, have Kamailio check them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from voicebot.config import Config
from voicebot.edge.render import RenderedFile, render
from voicebot.errors import ConfigError

_CHECK_TIMEOUT_S = 30.0


def write(config: Config, folder: Path) -> list[Path]:
    """Render into `folder`, whose owner gets the files; what is secret nobody else reads. Raises ConfigError.

    Each file is replaced as a whole, so that a server never reads half of one.
    """
    files = render(config, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = folder.stat()
        for name, file in files.items():
            _replace(folder / name, file, owner)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}.",
            "Name another folder with --output, or run this as its owner.",
        ) from error
    return [folder / name for name in files]


def _replace(path: Path, file: RenderedFile, owner: os.stat_result) -> None:
    path.parent.mkdir(exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(file.text)
            if not file.secret:
                os.fchmod(out.fileno(), 0o644)
            if os.geteuid() == 0:
                os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def check(config: Config) -> None:
    """Have Kamailio read what would be rendered. Raises ConfigError with its words when it cannot use it."""
    kamailio = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if kamailio is None:
        raise ConfigError(
            "Kamailio is not installed here.", "apt-get install kamailio kamailio-tls-modules rtpengine-daemon"
        )
    with tempfile.TemporaryDirectory(prefix="edge-") as folder:
        write(config, Path(folder))
        try:
            done = subprocess.run(
                [kamailio, "-c", "-f", f"{folder}/kamailio.cfg"],
                capture_output=True,
                text=True,
                timeout=_CHECK_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ConfigError(f"Kamailio did not say within {_CHECK_TIMEOUT_S:g} s whether it is right.") from error
    if done.returncode != 0:
        told = [line for line in done.stderr.splitlines() if "ERROR" in line or "CRITICAL" in line]
        raise ConfigError("Kamailio cannot use it:\n" + "\n".join(told or done.stderr.splitlines()))
