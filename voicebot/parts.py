"""What a call is made of and is handed: the shared services, the bot that answers, and its own context."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asr.activity import ActivityService
from asr.recogniser import Recogniser
from flows import Bot, Engine, Understanding
from flows.systems import Systems
from telephony.leg import Endpoint
from telephony.media import MediaThread
from tts.pronunciation import Pronunciations
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from voicebot.config import Config, SpeechSettings
from voicebot.events import PASSING, REFUSED, CallClock, CallEvent, EventStream, Fault, RecordingStopped


@dataclass(frozen=True)
class Services:
    """Shared by all calls of this worker."""

    config: Config
    endpoint: Endpoint
    media: MediaThread
    activity: ActivityService
    recogniser: Recogniser
    prompts: PromptStore
    events: EventStream


@dataclass(frozen=True)
class RunningBot:
    """A bot that is loaded and checked. Calls keep the one they started with."""

    bot: Bot
    engine: Engine
    understanding: Understanding
    systems: Systems
    speech_settings: SpeechSettings
    pronunciations: Pronunciations = field(default_factory=Pronunciations)

    def speech(self, text: str, language: str, sample_rate: int) -> SpeechRequest:
        """How this bot says `text`, which `tts.text` has made of spans."""
        voices: dict[Any, str] = dict(self.speech_settings.voices)
        voice = voices[language]
        said = self.pronunciations.apply(text, language, voice)
        return SpeechRequest(said, language, voice, sample_rate, self.speech_settings.rate)


@dataclass
class CallContext:
    """Who calls, and the call's own stream of events."""

    call_id: str
    caller: str
    dialled: str
    language: str
    clock: CallClock
    stream: EventStream
    discard_recording: Callable[[], None] = lambda: None
    events: list[CallEvent] = field(default_factory=list)

    def publish(self, event_type: type[CallEvent], /, **values: Any) -> None:
        event = event_type(**values, **self.clock.stamp())
        if not isinstance(event, PASSING):
            self.events.append(event)
        self.stream.publish(event)

    def refuse_recording(self) -> None:
        """What is kept of the call goes by this event: a recording that cannot be deleted now goes at the end."""
        self.publish(RecordingStopped, reason=REFUSED)

    async def delete_recording(self) -> None:
        """Off the loop, the disk may be slow; one that refuses is told as a fault."""
        try:
            await asyncio.to_thread(self.discard_recording)
        except OSError as error:
            self.publish(Fault, stage="recording", message=f"The recording could not be deleted: {error.strerror}.")
