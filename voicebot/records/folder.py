"""The files of one call: `transcript.json`, `.txt`, `summary.json`, `.txt`, `recording.wav`, `voicemail-ID.wav`."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicebot.events import CallEvent
from voicebot.records.privacy import is_refusal, redact_events
from voicebot.records.transcript import transcribe

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

    def write_transcript(self, events: Sequence[CallEvent]) -> Path | None:
        """`transcript.json` and `.txt`, redacted. Returns the JSON file, or None when the caller refused recording.

        Then nothing is written and what of the call's words is here already, is deleted.
        """
        if any(is_refusal(event) for event in events):
            self.keep_nothing()
            return None
        transcript = transcribe(redact_events(events))
        self._write("transcript.txt", transcript.as_text())
        return self._write_json("transcript.json", transcript.as_json())

    def write_summary(self, summary: Summary) -> Path | None:
        """`summary.json` and `.txt`. Returns the JSON file, or None when the caller refused recording."""
        if summary.refused_recording:
            self.keep_nothing()
            return None
        self._write("summary.txt", summary.as_text())
        return self._write_json("summary.json", summary.as_json())

    def read_summary(self) -> dict[str, Any] | None:
        """What `write_summary` wrote, now or in an earlier release; None where there is none."""
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

    def _write_json(self, name: str, data: dict[str, Any]) -> Path:
        return self._write(name, json.dumps(data, ensure_ascii=False, indent=2) + "\n")

    def _write(self, name: str, text: str) -> Path:
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
        return target
