"""What a call is made of and is handed: the shared services, the bot that answers, and its own context."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from asr.activity import ActivityService
from asr.recogniser import Recogniser
from flows import Bot, Engine, Understanding
from flows.choosing import Spoken
from flows.systems import Systems
from telephony.leg import Leg
from telephony.media import MediaThread
from telephony.port import Reception
from telephony.quality import line_quality
from tts.pronunciation import Pronunciations
from tts.store import PromptStore
from tts.synthesizer import RATES, SpeechRequest
from voicebot.config import Config, SpeechSettings
from voicebot.cut_off import CutOff
from voicebot.events import (
    PASSING,
    REFUSED,
    AgentJoined,
    AgentLeft,
    BotSaid,
    CallClock,
    CallerSaid,
    CallEvent,
    EventStream,
    Fault,
    LanguageModelAsked,
    LineMeasured,
    RecordingStopped,
    StoodIn,
)
from voicebot.outbound import Outbound
from voicebot.recordings import RecordedVoice, Recordings

if TYPE_CHECKING:
    from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
    from voicebot.language_model.client import LanguageModel
    from voicebot.language_model.reteller import Reteller
    from voicebot.language_model.understanding import ChoosingUnderstanding, Decision

log = logging.getLogger(__name__)


class Phrase(Protocol):
    """How a bot says a text, in the voice of that language or in the one that is named; `pace` 1 is as usual."""

    def __call__(
        self, text: str, language: str, sample_rate: int, voice: str = "", *, pace: float = 1.0
    ) -> SpeechRequest: ...


class Voice(Protocol):
    """What a call speaks with. `say` raises TtsError; what was yielded before is good audio.

    `pace` below 1 is slower than the bot's usual way of speaking.
    """

    def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class Speech:
    """Implements Phrase by the settings."""

    settings: SpeechSettings
    pronunciations: Pronunciations = field(default_factory=Pronunciations)

    def __call__(
        self, text: str, language: str, sample_rate: int, voice: str = "", *, pace: float = 1.0
    ) -> SpeechRequest:
        voices: dict[Any, str] = dict(self.settings.voices)
        # `espeak:`: a language that no bot speaks, see `flows.languages`
        voice = voice or voices.get(language, f"espeak:{language}")
        said = self.pronunciations.apply(text, language, voice)
        slowest, fastest = RATES
        rate = min(fastest, max(slowest, self.settings.rate * pace))
        return SpeechRequest(said, language, voice, sample_rate, rate)


@dataclass(frozen=True)
class OwnVoice:
    """Implements Voice with ours alone; what is said in a call is not kept."""

    prompts: PromptStore
    phrase: Phrase

    def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]:
        return self.prompts.speak(self.phrase(text, language, sample_rate, pace=pace), keep=False)


@dataclass(frozen=True)
class Services:
    """Shared by all calls of this worker."""

    config: Config
    outbound: Outbound
    media: MediaThread
    activity: ActivityService
    recogniser: Recogniser
    prompts: PromptStore
    events: EventStream
    hearing_service: ConfiguredHearing | None = None
    speaking_service: ConfiguredVoice | None = None
    language_model: LanguageModel | None = None
    cut_off: CutOff = field(default_factory=CutOff)

    def recogniser_for(self, context: CallContext) -> Recogniser:
        """Who hears in this call: ours, or a configured service with ours behind it."""
        if self.hearing_service is None:
            return self.recogniser
        self.hearing_service.warm(context.language)
        return self.hearing_service.backed_by(
            self.recogniser, context.tell_of("recognition", self.hearing_service.name)
        )

    def second_opinion_for(self, context: CallContext, bot: RunningBot) -> ChoosingUnderstanding | None:
        """What is asked in this call where our own understanding is not sure; to be closed at its end."""
        if self.language_model is None:
            return None
        from voicebot.language_model.understanding import ChoosingUnderstanding

        settings = self.config.language_model
        assert settings is not None
        return ChoosingUnderstanding(
            *(bot.understanding, self.language_model, bot.bot, settings),
            turns=context.turns,
            tell=partial(context.tell_decision, settings.model),
        )

    def reteller_for(self, context: CallContext) -> Reteller | None:
        """Who tells this call in other words when it is handed over; to be closed at its end."""
        if self.language_model is None:
            return None
        from voicebot.language_model.reteller import Reteller

        settings = self.config.language_model
        assert settings is not None
        return Reteller(self.language_model, settings, context.tell_retold)

    def own_voice(self) -> Voice:
        """Who speaks where no bot does."""
        return OwnVoice(self.prompts, Speech(self.config.speech))

    def voice_for(self, context: CallContext, bot: RunningBot) -> Voice:
        """Who speaks in this call: ours, or a configured service with ours behind it."""
        if self.speaking_service is None:
            return self._with_recordings(bot, OwnVoice(self.prompts, bot.speech))
        self.speaking_service.warm(context.language)
        tell = context.tell_of("speech", self.speaking_service.name)
        return self._with_recordings(bot, self.speaking_service.backed_by(self.prompts, bot.speech, tell))

    def _with_recordings(self, bot: RunningBot, voice: Voice) -> Voice:
        return RecordedVoice(bot.recordings, self.prompts, voice) if bot.recordings.by_text else voice


@dataclass(frozen=True)
class RunningBot:
    """A bot that is loaded and checked. Calls keep the one they started with. `version` 0: it is from a folder."""

    bot: Bot
    engine: Engine
    understanding: Understanding
    systems: Systems
    speech_settings: SpeechSettings
    pronunciations: Pronunciations = field(default_factory=Pronunciations)
    recordings: Recordings = field(default_factory=Recordings)
    version: int = 0

    def speech(
        self, text: str, language: str, sample_rate: int, voice: str = "", *, pace: float = 1.0
    ) -> SpeechRequest:
        """See Phrase; `tts.text` has made the text of spans."""
        said = Speech(self.speech_settings, self.pronunciations)
        return said(text, language, sample_rate, voice, pace=pace)


@dataclass
class CallContext:
    """Who calls, and the call's own stream of events. `headers`: what goes on with the caller to whomever is rung."""

    call_id: str
    caller: str
    dialled: str
    language: str
    clock: CallClock
    stream: EventStream
    headers: Mapping[str, str] = field(default_factory=dict)
    discard_recording: Callable[[], None] = lambda: None
    events: list[CallEvent] = field(default_factory=list)

    def publish(self, event_type: type[CallEvent], /, *, ago_s: float = 0.0, **values: Any) -> None:
        """`ago_s`: how long ago it happened. What is told late comes after what happened since."""
        event = event_type(**values, **self.clock.stamp(ago_s))
        if not isinstance(event, PASSING):
            self.events.append(event)
        self.stream.publish(event)

    def tell_of(self, part: str, service: str) -> Callable[[str], None]:
        """What writes on the record that ours stood in for a service. That it is left alone is told once a call."""

        def tell(why: str) -> None:
            told = {(event.part, event.why) for event in self.events if isinstance(event, StoodIn)}
            if why != "left_alone" or (part, why) not in told:
                self.publish(StoodIn, part=part, service=service, why=str(why))

        return tell

    def turns(self) -> list[Spoken]:
        """What was said until the bot spoke last, to it and by it: a talk with people is not of its conversation."""
        said: list[BotSaid | CallerSaid] = []
        with_people = False
        for event in sorted(self.events, key=lambda event: event.offset_s):
            if isinstance(event, AgentJoined | AgentLeft):
                with_people = isinstance(event, AgentJoined)
            elif isinstance(event, BotSaid | CallerSaid) and not with_people:
                said.append(event)
        while said and isinstance(said[-1], CallerSaid):
            said.pop()
        return [
            Spoken("bot", event.heard_text) if isinstance(event, BotSaid) else Spoken("caller", event.text)
            for event in said
        ]

    def tell_decision(self, model: str, decision: Decision) -> None:
        """Write on the record what became of a question to the language model."""
        self.publish(LanguageModelAsked, **decision.as_told())
        if decision.stood_in:
            self.tell_of("understanding", model)(decision.stood_in)

    def tell_retold(self, decision: Decision) -> None:
        """Write on the record what became of the question for a summary. Our own is there in any case."""
        self.publish(LanguageModelAsked, **decision.as_told())

    def tell_sound(self, leg: Leg, reception: Reception | None) -> None:
        """At the end of the caller's leg: write on the record how its sound came, if any did.

        What cannot be measured is told in the log alone: the end of the call has to be told all the same.
        """
        try:
            quality = line_quality(leg.media_stats(), reception)
        except Exception:
            log.exception("the line of %s was not measured", self.call_id)
            return
        if quality is not None:
            self.publish(LineMeasured, **asdict(quality))

    def refuse_recording(self) -> None:
        """What is kept of the call goes by this event: a recording that cannot be deleted now goes at the end."""
        self.publish(RecordingStopped, reason=REFUSED)

    async def delete_recording(self) -> None:
        """Off the loop, the disk may be slow; one that refuses is told as a fault."""
        try:
            await asyncio.to_thread(self.discard_recording)
        except OSError as error:
            self.publish(Fault, stage="recording", message=f"The recording could not be deleted: {error.strerror}.")
