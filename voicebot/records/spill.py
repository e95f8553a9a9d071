"""Where events go while the database cannot take them: a file of JSON lines beside it, read back when it can."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from voicebot.errors import UnreadableEvent
from voicebot.events import from_json, to_json
from voicebot.records.store import NumberedEvent

log = logging.getLogger(__name__)


class SpillFile:
    """Holds redacted events only. Methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, batch: Sequence[NumberedEvent]) -> None:
        """All of the batch or, as far as the file goes, nothing: a torn end is cut off again."""
        lines = "".join(
            json.dumps({"number": item.number, **to_json(item.event)}, ensure_ascii=False) + "\n" for item in batch
        )
        with self.path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                view = memoryview(lines.encode())
                while view:
                    view = view[file.write(view) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise

    def waiting(self) -> bool:
        """Whether there is anything to read back."""
        try:
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def batches(self, size: int) -> Iterator[list[NumberedEvent]]:
        """What was spilled, oldest first. A line that cannot be read (a crash tore it) is logged and left out."""
        batch: list[NumberedEvent] = []
        with self.path.open("rb") as file:
            for line in file:
                try:
                    data = json.loads(line)
                    batch.append(NumberedEvent(int(data.pop("number")), from_json(data)))
                except (ValueError, AttributeError, KeyError, TypeError, UnreadableEvent):
                    log.warning("a spilled event of %s cannot be read and is left out", self.path)
                if len(batch) >= size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
