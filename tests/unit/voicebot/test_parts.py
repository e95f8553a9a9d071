"""What a call is handed."""

from __future__ import annotations

import pytest

from voicebot.events import CallClock, EventStream, RecordingStopped
from voicebot.parts import CallContext


def test_a_refusal_stands_though_the_recording_cannot_be_deleted_now() -> None:
    def fail() -> None:
        raise OSError("read-only file system")

    context = CallContext("c", "", "100", "pl", CallClock("c"), EventStream(), discard_recording=fail)
    with pytest.raises(OSError, match="read-only"):
        context.refuse_recording()
    assert [type(event) for event in context.events] == [RecordingStopped]
