"""What a call is handed."""

from __future__ import annotations

import errno

from flows.choosing import Spoken
from voicebot.events import AgentJoined, AgentLeft, BotSaid, CallClock, CallerSaid, EventStream, Fault, RecordingStopped
from voicebot.parts import CallContext


async def test_a_refusal_stands_though_the_recording_cannot_be_deleted_now() -> None:
    def fail() -> None:
        raise OSError(errno.EROFS, "read-only file system")

    context = CallContext("c", "", "100", "pl", CallClock("c"), EventStream(), discard_recording=fail)
    context.refuse_recording()
    await context.delete_recording()
    assert [type(event) for event in context.events] == [RecordingStopped, Fault]


async def test_what_was_said_to_people_is_not_of_the_bots_conversation_though_it_is_told_late() -> None:
    context = CallContext(
        "c", "", "100", "pl", CallClock("c", monotonic=iter(range(100, 200, 2)).__next__), EventStream()
    )
    said = {"confidence": 0.9, "decode_ms": 1.0, "audio_s": 1.0}
    context.publish(AgentJoined, uri="", agent="anna")
    context.publish(AgentLeft, agent="anna", why="to_bot")
    context.publish(CallerSaid, text="to anna", ago_s=3.0, **said)
    context.publish(CallerSaid, text="to the bot", **said)
    context.publish(BotSaid, text="yes", step="s", heard_text="yes")
    assert context.turns() == [Spoken("caller", "to the bot"), Spoken("bot", "yes")]
