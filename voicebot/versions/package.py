"""The files of a bot that make up a version, taken from a folder and put into one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from voicebot.errors import VoicebotError

_PATTERNS = ("*.yaml", "tests/*.yaml", "evaluation/*.yaml", "examples/*.txt", "knowledge/*/*.md")
LARGEST = 200_000_000  # bytes, all files together: hours of recordings


class CannotPack(VoicebotError):
    """A folder cannot become a version, or a version cannot become a folder."""

    code = "cannot_pack"


@dataclass(frozen=True)
class Package:
    """Bytes by path, as seen from the bot's folder, with slashes."""

    files: Mapping[str, bytes]

    @classmethod
    def of_folder(cls, folder: Path, recordings: tuple[str, ...] = ()) -> Package:
        """What matters of a bot: its files, and the recordings that it names.

        Raises CannotPack for a file that cannot be read, or when they are too large.
        """
        paths = [path for pattern in _PATTERNS for path in folder.glob(pattern)]
        paths += [folder / name for name in recordings]
        files: dict[str, bytes] = {}
        size = 0
        for path in sorted(set(paths)):
            try:
                content = path.read_bytes()
            except OSError as error:
                raise CannotPack(f"{path} cannot be read: {error.strerror}.", "Look at its permissions.") from error
            size += len(content)
            if size > LARGEST:
                most = f"{LARGEST // 1_000_000} MB"
                raise CannotPack(f"The files of {folder} are larger than {most}.", "Make the recordings shorter.")
            files[path.relative_to(folder).as_posix()] = content
        return cls(files)

    @property
    def sha256(self) -> str:
        """Of all files: the same for the same contents under the same paths."""
        lines = (f"{digest(content)}  {path}\n" for path, content in sorted(self.files.items()))
        return digest("".join(lines).encode())

    def unpack(self, parent: Path) -> Path:
        """The folder `parent/<sha256>` with these files, whole or not at all. Raises CannotPack."""
        target = parent / self.sha256
        try:
            if _holds(target, self.files):
                return target
            parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=".", dir=parent))
            try:
                for name, content in self.files.items():
                    path = aside / PurePosixPath(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                shutil.rmtree(target, ignore_errors=True)
                with contextlib.suppress(FileExistsError):  # another process was as quick
                    os.rename(aside, target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise CannotPack(
                f"The version cannot be laid out in {parent}: {error.strerror}.", "Make room on the disk."
            ) from error
        return target


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether exactly these files are there, as they were published."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return there == set(files) and all((folder / name).read_bytes() == content for name, content in files.items())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
