"""The files of one call: `transcript.json`, `.txt`, `summary.json`, `.txt`, `recording.wav`, `voicemail-ID.wav`."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a summary holds a transcript, which lives in this package
    from voicebot.summary import Summary

_WORDS = ("transcript.json", "transcript.txt", "summary.json", "summary.txt", "recording.wav")


class CallFolder:
    """One call's folder, `<data>/calls/<call-id>`. Files appear whole or not at all. Methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def recording(self) -> Path:
        """Stereo: the caller left, what the caller hears right."""
        return self.path / "recording.wav"

    def voicemail(self, id: str) -> Path:
        """A message that the caller left; the same sound on both sides."""
        return self.path / f"voicemail-{id}.wav"

    def make(self) -> Path:
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path

    def write(self, summary: Summary) -> None:
        """Summary and transcript, as JSON and as text.

        Of a caller who refused recording nothing is written, and what of the call's words is here already, is deleted.
        """
        if summary.refused_recording:
            self.keep_nothing()
            return
        for name, part in (("transcript", summary.transcript), ("summary", summary)):
            self._write(f"{name}.txt", part.as_text())
            self._write(f"{name}.json", json.dumps(part.as_json(), ensure_ascii=False, indent=2) + "\n")

    def read_summary(self) -> dict[str, Any] | None:
        """What `write` wrote, now or in an earlier release; None where there is none."""
        try:
            data = json.loads((self.path / "summary.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return data if isinstance(data, dict) else None

    def keep_nothing(self) -> None:
        """Delete everything that holds words of the call."""
        for name in _WORDS:
            (self.path / name).unlink(missing_ok=True)
        for message in self.path.glob("voicemail-*.wav"):
            message.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other files are here, or it never was
            self.path.rmdir()

    def _write(self, name: str, text: str) -> None:
        """Beside its place first, on disk, then moved there."""
        target = self.make() / name
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
