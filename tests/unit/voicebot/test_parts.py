"""What a call is handed."""

from __future__ import annotations

import errno

from voicebot.events import CallClock, EventStream, Fault, RecordingStopped
from voicebot.parts import CallContext


async def test_a_refusal_stands_though_the_recording_cannot_be_deleted_now() -> None:
    def fail() -> None:
        raise OSError(errno.EROFS, "read-only file system")

    context = CallContext("c", "", "100", "pl", CallClock("c"), EventStream(), discard_recording=fail)
    context.refuse_recording()
    await context.delete_recording()
    assert [type(event) for event in context.events] == [RecordingStopped, Fault]
