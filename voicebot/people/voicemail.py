"""A caller whom nobody can serve leaves a message: told how, a tone, recorded, written down, kept."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from enum import StrEnum

from telephony.errors import RecordingFailed
from telephony.member import Member
from telephony.recorder import Recorder
from telephony.room import Room
from telephony.tones import tone
from voicebot import events
from voicebot.announce import announce, play
from voicebot.parts import CallContext, Services, Voice
from voicebot.people import texts
from voicebot.people.ears import LOOK_S, Ear, Said, Speaker
from voicebot.people.scribe import Scribe
from voicebot.records import CallFolder

LONGEST_S = 120.0
SILENCE_S = 5.0
END_KEY = "#"
SPEECH_S = 1.5  # so much of it is kept though the recogniser made no words of it
TONE_S, _TONE_HZ, _TONE_PEAK = 0.4, 1000.0, 8000


class Left(StrEnum):
    """What became of it. CALLBACK: no message can be taken; the caller has been told so, and is to be called back."""

    MESSAGE = "message"
    NOTHING = "nothing"
    CALLBACK = "callback"


class _Ending(StrEnum):
    KEY = "key"
    SILENCE = "silence"
    LONGEST = "longest"
    FAILED = "failed"  # the disk is full, or the caller has refused to be recorded


class TakingMessage:
    """One caller's message for a queue. `member` is the caller in `room`; the music must be off."""

    def __init__(
        self, services: Services, context: CallContext, room: Room, member: Member, voice: Voice, queue: str
    ) -> None:
        self._services = services
        self._context = context
        self._room = room
        self._member = member
        self._voice = voice
        self._queue = queue
        self._id = uuid.uuid4().hex
        self._folder = CallFolder(services.config.data / "calls" / context.call_id)
        self._loop = asyncio.get_running_loop()
        self._key = asyncio.Event()
        self._texts: list[str] = []
        self._heard_at = 0.0  # loop time of the last words
        self._speech_s = 0.0
        self._deaf = False
        self._scribe: Scribe

    def key(self, key: str) -> None:
        """A key of the caller's phone."""
        if key == END_KEY:
            self._key.set()

    async def run(self) -> Left:
        """Until the message ends: by key #, five seconds of silence, or the longest time there is.

        Cancelled when the caller hangs up, which ends a message like any other way; it takes up to some seconds then.
        """
        self._scribe = Scribe(
            self._services.recogniser, self._context, self._room.sample_rate, on_text=self._texts.append
        )
        recorder = None if self._scribe.refused else self._begin()
        ending = _Ending.FAILED
        try:
            if recorder is not None:
                await self._say("voicemail")
                await play(self._room, _once(tone(_TONE_HZ, TONE_S, _TONE_PEAK, self._room.sample_rate)))
                ending = await self._record(recorder)
        finally:
            left = await asyncio.shield(self._finish(recorder))
        await self._tell(left, ending)
        return left

    def _begin(self) -> Recorder | None:
        """None when the disk takes nothing: that is told before somebody speaks for nothing."""
        path = self._folder.voicemail(self._id)
        try:
            self._folder.make()
            return Recorder(path, self._room.sample_rate)
        except (OSError, RecordingFailed) as error:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            self._context.publish(events.Fault, stage="voicemail", message=str(error))
            return None

    async def _record(self, recorder: Recorder) -> _Ending:
        ear = Ear(self._services.activity, self._member, self._room.sample_rate, Speaker(), self)
        untap = self._member.tap(lambda first_sample, pcm: recorder.push(pcm, pcm))
        ear.open()
        began = self._heard_at = self._loop.time()
        try:
            while (ending := self._ending(recorder, ear, began)) is None:
                await asyncio.sleep(LOOK_S)
                ear.look()
            return ending
        finally:
            untap()
            ear.shut()

    def _ending(self, recorder: Recorder, ear: Ear, began: float) -> _Ending | None:
        now = self._loop.time()
        if self._scribe.refused or recorder.error is not None:
            return _Ending.FAILED
        if self._key.is_set():
            return _Ending.KEY
        if now - began >= LONGEST_S:
            return _Ending.LONGEST
        silent = not ear.busy and not self._deaf and now - self._heard_at >= SILENCE_S
        return _Ending.SILENCE if silent else None

    async def _finish(self, recorder: Recorder | None) -> Left:
        """Write down the last words, and keep the message or nothing of it."""
        if recorder is None:
            await self._scribe.close(0.0)
            return Left.CALLBACK
        recorded = await asyncio.to_thread(recorder.close)
        await self._scribe.close()
        if self._scribe.refused or recorded.error is not None:
            left = Left.CALLBACK
        elif self._texts or self._speech_s >= SPEECH_S or self._scribe.lost_some or self._deaf:
            left = Left.MESSAGE
        else:
            left = Left.NOTHING
        if recorded.error is not None:
            self._context.publish(events.Fault, stage="voicemail", message=recorded.error)
        if left is not Left.MESSAGE:
            await asyncio.to_thread(recorder.discard)
            return left
        self._context.publish(
            events.VoicemailLeft,
            voicemail=self._id,
            queue=self._queue,
            number=self._context.caller,
            duration_s=round(recorded.seconds, 2),
            text=" ".join(self._texts),
        )
        return left

    async def _tell(self, left: Left, ending: _Ending) -> None:
        match left:
            case Left.MESSAGE:
                await self._say("voicemail_full" if ending is _Ending.LONGEST else "voicemail_kept")
            case Left.NOTHING:
                await self._say("voicemail_empty")
            case Left.CALLBACK:
                await self._say("voicemail_refused" if self._scribe.refused else "voicemail_failed")

    async def _say(self, name: str) -> None:
        language = self._context.language
        await announce(self._room, self._voice, texts.fixed(name, language), language)

    # What the ear tells (ears.Mind)

    def speech_began(self) -> None:
        """It is looked at all the time."""

    def said(self, said: Said) -> None:
        self._heard_at = said.at
        self._speech_s += (said.piece.last - said.piece.first) / self._room.sample_rate
        self._scribe.take(said)

    def deaf(self, reason: str) -> None:
        """Neither silence nor emptiness can be told any more."""
        self._deaf = True
        self._context.publish(events.Fault, stage="voice activity", message=reason)


async def _once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm
