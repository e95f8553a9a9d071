"""A call in one process: memory legs, the real media thread, rooms and flow engine; scripted hearing, tones for speech.

What the caller says is scripted as text; voice activity is told by the test, so nothing here depends on acoustics.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from loguru import logger

from asr.activity import ActivityEvent, ActivityFailed, SpeechPaused, SpeechStarted
from asr.testing import ScriptedRecogniser
from flows import EmbeddedUnderstanding, Engine, load_bot
from flows.testing import FakeSystemClient
from telephony.leg import Digit, Ended, Endpoint, EndpointSettings, Leg
from telephony.media import MediaThread
from telephony.testing import MemoryEndpoint, MemoryNetwork
from tts.store import PromptStore
from tts.testing import ToneSynthesizer
from voicebot.call import Call
from voicebot.config import Config, LanguageModelSettings, NumberSettings, SpeechSettings
from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
from voicebot.events import CallEvent, EventStream
from voicebot.language_model.client import LanguageModel
from voicebot.live_calls import LiveCalls
from voicebot.outbound import Outbound
from voicebot.parts import RunningBot, Services
from voicebot.people.desk import Desk
from voicebot.people.lines import BrowserLines, LineState
from voicebot.people_settings import AgentSettings, PeopleSettings, QueueSettings
from voicebot.queueing.floor import Floor
from voicebot.queueing.happenings import Effect, Event, Tick

logger.disable("pipecat")

SHOP = Path(__file__).parents[2] / "flows" / "examples" / "shop"
ZONE = ZoneInfo("Europe/Warsaw")
PATIENCE_S = 30.0


class ToldActivity:
    """Stands in for `ActivityService`: the test says when the caller speaks."""

    def __init__(self) -> None:
        self.streams: list[ToldStream] = []

    def open(self, sample_rate: int, on_event: Callable[[ActivityEvent], None]) -> ToldStream:
        stream = ToldStream(sample_rate, on_event)
        self.streams.append(stream)
        return stream


class ToldStream:
    def __init__(self, sample_rate: int, on_event: Callable[[ActivityEvent], None]) -> None:
        self._rate = sample_rate
        self._on_event = on_event
        self.position = 0
        self.closed = False

    def feed(self, first_sample: int, pcm: bytes) -> None:
        self.position = first_sample + len(pcm) // 2

    def played(self, first_sample: int, pcm: bytes) -> None:
        """Nothing comes back here."""

    def audio(self, start_sample: int, end_sample: int) -> bytes:
        return bytes(2 * max(0, end_sample - start_sample))

    def close(self) -> None:
        self.closed = True

    async def speak(self, seconds: float) -> None:
        """The caller is heard for so long, then pauses."""
        await self.start()
        await self.until(self.position + int(seconds * self._rate))
        self.pause()

    def pause(self) -> None:
        self._on_event(SpeechPaused(self.position))

    def fail(self, reason: str) -> None:
        self.close()
        self._on_event(ActivityFailed(self.position, reason))

    async def start(self) -> None:
        self._on_event(SpeechStarted(self.position))

    async def until(self, position: int) -> None:
        while self.position < position:
            await asyncio.sleep(0.01)


@dataclass
class Line:
    """The bot's side, ready for calls, with handles to all that is scripted."""

    services: Services
    bot: RunningBot
    endpoint: Endpoint
    network: MemoryNetwork
    activity: ToldActivity
    recogniser: ScriptedRecogniser
    voice: ToneSynthesizer
    systems: FakeSystemClient
    desk: Desk
    browsers: Browsers
    calls: list[asyncio.Task[None]] = field(default_factory=list)
    live: list[Call] = field(default_factory=list)
    others: LiveCalls = field(default_factory=LiveCalls)  # those that we call back
    told: list[CallEvent] = field(default_factory=list)

    @property
    def stream(self) -> ToldStream:
        return self.activity.streams[-1]

    def events(self, kind: type[CallEvent]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, event_type: type[CallEvent], /, count: int = 1, **values: Any) -> Any:
        """The `count`-th event of that kind with those values."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [
                    event
                    for event in self.events(event_type)
                    if all(getattr(event, name) == value for name, value in values.items())
                ]
                if len(found) >= count:
                    return found[count - 1]
                await asyncio.sleep(0.01)

    async def say(self, *texts: str) -> None:
        """The caller says something; the recogniser will understand it as `texts`, one utterance each."""
        for text in texts:
            self.recogniser.add(text)
            await self.stream.speak(0.4)

    async def over(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.calls)


class MemoryQueue:
    """A floor that forgets everything with the test."""

    def __init__(self, config: Config) -> None:
        back_s = config.people.line_back_s
        self.floor = Floor(config.queues, config.timezone, datetime.now(UTC), line_back_s=back_s)
        self.carry_out: Callable[[Iterable[Effect]], None] = lambda effects: None

    async def apply(self, event: Event) -> None:
        self.carry_out(self.floor.apply(event, datetime.now(UTC)))

    async def keep_time(self) -> None:
        while True:
            await self.apply(Tick())
            await asyncio.sleep(0.05)


class Browsers:
    """Agents' browsers: telephones on the same network, whose call stands for the audio line."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.endpoint = MemoryEndpoint(EndpointSettings("127.0.0.1", 7000, codecs=("pcma",)), network)
        self._incoming: asyncio.Queue[Leg] = asyncio.Queue()
        self.endpoint.on_incoming(self._incoming.put_nowait)
        self.desk: Desk | None = None

    async def answer(self, offer_sdp: str) -> tuple[Leg, str]:
        return await self._incoming.get(), "answer"

    def changed(self, login: str) -> None:
        assert self.desk is not None
        self._told = asyncio.create_task(self.desk.line_changed(login), name=f"line of {login}")

    async def connect(self, login: str, phone: Phone) -> Leg:
        """The line of an agent, up: what their browser hears and says."""
        assert self.desk is not None
        connecting = asyncio.create_task(self.desk.lines.connect(login, "offer"), name="connect")
        leg = phone.leg = await phone.endpoint.dial("sip:line@127.0.0.1:7000", caller=login, timeout_s=5.0)
        await connecting
        async with asyncio.timeout(PATIENCE_S):
            while self.desk.lines.state(login) is not LineState.UP:
                await asyncio.sleep(0.01)
        return leg


@asynccontextmanager
async def line(
    data: Path,
    agents: tuple[AgentSettings, ...] = (),
    folder: Path = SHOP,
    *,
    hearing: ConfiguredHearing | None = None,
    speaking: ConfiguredVoice | None = None,
    language_model: LanguageModelSettings | None = None,
    people: PeopleSettings = PeopleSettings(),  # noqa: B008 (frozen)
    queue: QueueSettings = QueueSettings(ring_s=1.0, decide_s=5.0),  # noqa: B008 (frozen)
    endpoint: Endpoint | None = None,
    **turns: Any,
) -> AsyncIterator[Line]:
    """`endpoint`: a real one, for real telephones."""
    network = MemoryNetwork()
    endpoint = endpoint or MemoryEndpoint(EndpointSettings("127.0.0.1", 5060, codecs=("pcma",)), network)
    config = Config(
        data=data,
        numbers=(NumberSettings(number="*", bot=folder, language="pl"),),
        queues={"service": queue.model_copy(update={"agents": agents})},
        people=people,
        turns=turns or {},
        language_model=language_model,
    )
    model = LanguageModel(language_model) if language_model is not None else None
    voice = ToneSynthesizer(character_s=0.02)
    recogniser, activity, systems = ScriptedRecogniser(), ToldActivity(), FakeSystemClient({})
    events = EventStream()
    media = MediaThread(asyncio.get_running_loop())
    media.start()
    loaded = load_bot(folder)
    bot = RunningBot(loaded, Engine(loaded), EmbeddedUnderstanding(loaded), systems, SpeechSettings(rate=2.0))
    prompts = PromptStore(data / "prompts", voice)
    outbound = Outbound(endpoint, config)
    services = Services(config, outbound, media, activity, recogniser, prompts, events, hearing, speaking, model)  # type: ignore[arg-type]
    floor, browsers, others = MemoryQueue(config), Browsers(network), LiveCalls()
    desk = Desk(services, floor, BrowserLines(browsers.answer, browsers.changed), lambda login: None, others)
    browsers.desk = desk
    ready = Line(
        *(services, bot, endpoint, network, activity, recogniser, voice, systems, desk, browsers), others=others
    )
    events.attach(ready.told.append)
    floor.carry_out = desk.carry_out
    keeping_time = asyncio.create_task(floor.keep_time(), name="time of the queue")

    def incoming(leg: Leg) -> None:
        call = Call(services, desk, bot, config.numbers[0], leg, f"call-{len(ready.calls)}", lambda: datetime.now(ZONE))
        ready.live.append(call)
        ready.calls.append(asyncio.create_task(call.run(), name="call"))

    endpoint.on_incoming(incoming)
    await endpoint.start()
    await browsers.endpoint.start()
    try:
        yield ready
    finally:
        await endpoint.stop()
        await asyncio.gather(*ready.calls, return_exceptions=True)
        await desk.close()
        await desk.lines.close()
        await browsers.endpoint.stop()
        keeping_time.cancel()
        await asyncio.wait({keeping_time})
        media.stop()
        outbound.close()
        if model is not None:
            await model.aclose()


class Phone:
    """A person's telephone on the same network."""

    def __init__(self, network: MemoryNetwork, port: int) -> None:
        told = tuple(f"X-Voicebot-{name}" for name in ("Call", "Reason", "Summary"))
        settings = EndpointSettings("127.0.0.1", port, user="phone", codecs=("pcma",), expose_headers=told)
        self.endpoint = MemoryEndpoint(settings, network)
        self.leg: Leg | None = None
        self._keys = ""
        self._delay_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.endpoint.start()

    async def dial(self, number: str = "100", caller: str = "+48600100200") -> Leg:
        self.leg = await self.endpoint.dial(f"sip:{number}@127.0.0.1:5060", caller=caller, timeout_s=5.0)
        return self.leg

    def answers(self, keys: str, delay_s: float = 0.1) -> None:
        """As an agent: answer what comes in and press `keys` after a while."""
        self._keys, self._delay_s = keys, delay_s
        self.endpoint.on_incoming(lambda leg: self._tasks.append(asyncio.create_task(self._answer(leg), name="agent")))

    async def _answer(self, leg: Leg) -> None:
        self.leg = leg
        await leg.answer()
        await asyncio.sleep(self._delay_s)
        if self._keys:
            await leg.send_digits(self._keys)

    async def stop(self) -> None:
        await self.endpoint.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def ended(leg: Leg) -> Ended:
    async with asyncio.timeout(PATIENCE_S):
        async for event in leg.events():
            if isinstance(event, Ended):
                return event
    raise AssertionError("a leg's events end with Ended")


__all__ = ["Digit", "Line", "Phone", "ended", "line"]
