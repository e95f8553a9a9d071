"""The recording of one call: what the caller says and hears, until it is refused or the disk does not take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telephony.errors import TelephonyError
from telephony.member import Member
from telephony.recorder import Recorder
from telephony.room import Room
from voicebot import events
from voicebot.parts import CallContext
from voicebot.records import CallFolder


@asynccontextmanager
async def recorded(context: CallContext, folder: CallFolder, room: Room, member: Member) -> AsyncIterator[None]:
    """While it lasts the caller is recorded. A recording that fails is told as a fault; the call goes on without."""
    try:
        recorder = Recorder(folder.make() / "recording.wav", room.sample_rate)
    except (OSError, TelephonyError) as error:
        context.publish(events.Fault, stage="recording", message=str(error))
        yield
        return
    room.record(member, recorder)
    context.discard_recording = recorder.discard
    try:
        yield
    finally:
        result = await asyncio.shield(asyncio.to_thread(recorder.close))
        if result.error:
            context.publish(events.Fault, stage="recording", message=str(result.error))
