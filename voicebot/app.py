"""Start, serve, stop: everything one worker owns, in the order it is needed and ended in the reverse order."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.activity import ActivityService
from asr.client import RecogniserClient
from telephony.baresip import BaresipEndpoint
from telephony.leg import Endpoint, Leg
from telephony.media import MediaThread
from telephony.music import HoldMusic
from tts.client import SpeechClient
from tts.errors import UnknownVoice
from tts.recordings import RecordedSynthesizer
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.text import spoken
from voicebot import admission, ear_watch
from voicebot.access import Access
from voicebot.api.app import make_app
from voicebot.api.parts import ApiParts, FloorParts
from voicebot.api.server import HttpServer
from voicebot.bots import load_bots, sources
from voicebot.call import Call
from voicebot.config import BotSource, Config, NumberSettings
from voicebot.cut_off import RINGS_AGAIN, CutOff
from voicebot.errors import VoicebotError
from voicebot.events import EventStream, new_call_id
from voicebot.hub import Hub
from voicebot.human_side import HumanSide
from voicebot.live_bots import LiveBots, Make
from voicebot.live_calls import LiveCalls
from voicebot.outbound import Outbound
from voicebot.parts import RunningBot, Services
from voicebot.people import texts
from voicebot.processes import ModelProcess
from voicebot.records import CallRecords, RecordWriter
from voicebot.records.database import Database
from voicebot.records.voicemails import Voicemails

if TYPE_CHECKING:  # imported where one is configured: Pipecat's services take long to import
    from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
    from voicebot.language_model.client import LanguageModel

log = logging.getLogger(__name__)

PROMPT_RATES = (8000, 16000)
STOP_DEADLINE_S = 15.0
OVERLOADED = "overloaded"
"""Why a call goes to people that the bot could not serve well; phrases and routing rules know it by this name."""


class EndpointLost(VoicebotError):
    """The SIP stack died; whoever started this process has to start another."""

    code = "endpoint_lost"


class App:
    """One worker. `start()`, then calls are served until `stop()`; `failed` resolves when it can serve no longer."""

    def __init__(self, config: Config, events: EventStream | None = None, make: Make | None = None) -> None:
        """`make`: what makes a bot ready for calls, for those who put something of theirs into it."""
        self._config = config
        self.events = events or EventStream()
        self.hub = Hub()
        self._stack = AsyncExitStack()
        self.live = LiveCalls()
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._draining = False
        self._admission = admission.Admission()
        self._refused = 0
        self._services: Services | None = None
        self._endpoint: Endpoint | None = None
        self._people: HumanSide | None = None
        self._prompts: PromptStore | None = None
        self._speaking: ConfiguredVoice | None = None
        self._language_model: LanguageModel | None = None
        self._bots = LiveBots(config, self._get_ready, self.events, make)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Bring everything up. Whatever fails, what was started before is stopped again, and the error is raised."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def stop(self) -> None:
        """No new calls; live ones may end within the drain time, then are ended. Idempotent."""
        self._draining = True
        if self._calls:
            log.info("waiting up to %g s for %d calls", self._config.turns.drain_s, len(self._calls))
            await asyncio.wait(self._calls.values(), timeout=self._config.turns.drain_s)
        for task in self._calls.values():
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=STOP_DEADLINE_S)
        await self._stack.aclose()

    async def _start(self) -> None:
        config = self._config
        self._bots.add(load_bots(config).items())
        self._stack.push_async_callback(self._bots.close)
        config.data.mkdir(parents=True, exist_ok=True)

        writer = RecordWriter(config.data)
        writer.start()
        self._stack.push_async_callback(asyncio.to_thread, writer.close)
        self._stack.callback(self.events.attach(writer.submit))

        sockets = Path(tempfile.mkdtemp(prefix="voicebot-"))
        self._stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        hearing, speaking = self._processes(sockets)
        async with asyncio.TaskGroup() as starting:
            for process in (hearing, speaking):
                self._stack.push_async_callback(process.stop)
                starting.create_task(process.start(), name=f"start {process.name}")

        recogniser = RecogniserClient(sockets / "hearing")
        self._stack.push_async_callback(recogniser.close)
        synthesizer = SpeechClient(sockets / "speaking")
        self._stack.push_async_callback(synthesizer.close)
        self._prompts = PromptStore(config.data / "prompts", RecordedSynthesizer(synthesizer))
        hearing_service = self._hearing_service()
        self._speaking = self._speaking_service()
        self._language_model = self._make_language_model()
        for source in sources(config):
            await self._get_ready(source, self._bots[source])

        # Composed once a rate, which takes a moment that no live call should pay for.
        await asyncio.to_thread(lambda: [HoldMusic(rate) for rate in PROMPT_RATES])
        activity = ActivityService()
        activity.start()
        self._stack.push_async_callback(asyncio.to_thread, activity.stop)
        self._keep_watch(ear_watch.watch(activity), "watch voice activity")
        self._keep_watch(self._bots.watch(), "watch for published versions")
        media = MediaThread(asyncio.get_running_loop())
        media.start()
        self._stack.push_async_callback(asyncio.to_thread, media.stop)
        strain = admission.gauge(config.overload, media, activity, recogniser, lambda: hearing.ready)
        self._keep_watch(admission.watch(self._admission, strain, lambda: len(self._calls)), "watch the load")
        endpoint = BaresipEndpoint(config.sip.endpoint())
        outbound = Outbound(endpoint, config)
        self._stack.callback(outbound.close)
        self._services = Services(
            *(config, outbound, media, activity, recogniser, self._prompts, self.events),
            *(hearing_service, self._speaking, self._language_model, await asyncio.to_thread(self._cut_off)),
        )
        await self._open_doors(self._services, endpoint, (hearing, speaking))

    async def _open_doors(self, services: Services, endpoint: Endpoint, processes: tuple[ModelProcess, ...]) -> None:
        """Everything is there that serves: calls and pages may come."""
        self._endpoint = endpoint
        access = Access(self._config.data)
        access.start()
        self._stack.push_async_callback(access.close)
        people = self._people = HumanSide(services, self.live, access, self.hub)
        await people.start(lambda task: task.add_done_callback(self._watch_ended))
        self._stack.push_async_callback(people.close)
        endpoint.on_incoming(self._incoming)
        endpoint.on_dead(self._lost)
        await endpoint.start()
        self._stack.push_async_callback(endpoint.stop)

        http = await self._start_http(access, people, processes)
        log.info("answering at %s, pages at %s, health at %s/health", endpoint.sip_uri, http.url, http.url)

    def _cut_off(self) -> CutOff:
        with closing(CallRecords(self._config.data)) as records:
            return CutOff(records.lost_since(datetime.now(UTC) - RINGS_AGAIN))

    async def _start_http(self, access: Access, people: HumanSide, processes: tuple[ModelProcess, ...]) -> HttpServer:
        records = CallRecords(self._config.data)
        self._stack.callback(records.close)
        database = Database(self._config.data)
        self._stack.callback(database.close)
        parts = ApiParts(
            *(self._config, access, self.hub, records, Voicemails(database, self._config.data), self._bots.answering),
            *(lambda: self._health(processes),),
            url=self._config.http.url or "",
            floor=FloorParts(people.agents, self.live, people.supervision, people.feed),
        )
        server = HttpServer(self._config.http, make_app(parts), self.hub)
        await server.start()
        self._stack.push_async_callback(server.stop)
        return server

    def _processes(self, sockets: Path) -> tuple[ModelProcess, ModelProcess]:
        recognition, speech = self._config.recognition, self._config.speech
        hearing = ModelProcess(
            "recogniser",
            [
                *(sys.executable, "-m", "asr.process", "--socket", str(sockets / "hearing")),
                *("--model", recognition.model, "--models-dir", str(recognition.models_dir)),
                *("--device", recognition.device, "--compute-type", recognition.compute_type),
                *("--threads", str(recognition.threads), "--beam", str(recognition.beam)),
                *("--queue", str(recognition.queue)),
            ],
            sockets / "hearing",
            ready_s=600.0,
        )
        speaking = ModelProcess(
            "speech",
            [
                *(sys.executable, "-m", "tts.process", "--socket", str(sockets / "speaking")),
                *("--voices-dir", str(speech.voices_dir)),
            ],
            sockets / "speaking",
        )
        return hearing, speaking

    def _hearing_service(self) -> ConfiguredHearing | None:
        if self._config.recognition.service is None:
            return None
        from voicebot.engines.configured import ConfiguredHearing

        service = ConfiguredHearing(self._config.recognition.service)
        self._stack.push_async_callback(service.close)
        return service

    def _speaking_service(self) -> ConfiguredVoice | None:
        if self._config.speech.service is None:
            return None
        from voicebot.engines.configured import ConfiguredVoice

        service = ConfiguredVoice(self._config.speech.service, self._config.data / "prompts")
        self._stack.push_async_callback(service.close)
        return service

    def _make_language_model(self) -> LanguageModel | None:
        if self._config.language_model is None:
            return None
        from voicebot.language_model.client import LanguageModel

        model = LanguageModel(self._config.language_model)
        self._stack.push_async_callback(model.aclose)
        return model

    async def _get_ready(self, source: BotSource, bot: RunningBot) -> None:
        """Fixed prompts are there before the first caller is. Raises UnknownVoice: without a voice nobody is served."""
        assert self._prompts is not None
        languages = tuple(dict.fromkeys(entry.language for entry in self._config.numbers if entry.source == source))
        report = await self._prompts.fill(fixed_prompts(bot, languages))
        log.info("prompts: %d kept, %d made in %.1f s", report.kept, report.made, report.seconds)
        for _, error in report.failed:
            if isinstance(error, UnknownVoice):
                raise error
        if report.failed:
            log.error("%d prompts could not be made: %s", len(report.failed), report.failed[0][1])
        if self._speaking is not None:
            await self._speaking.fill(fixed_prompts(bot, languages, self._speaking.voice))

    async def reload(self) -> None:
        """Load every bot anew; live calls keep theirs. Told in log and events, never raised."""
        await self._bots.reload()

    # Calls

    def _incoming(self, leg: Leg) -> None:
        assert self._people is not None
        number, call_id = self._config.number(leg.dialled), new_call_id(self._config.timezone)
        overloaded = self._admission.refusal(len(self._calls)) or ""
        if self._config.is_service_number(leg.dialled) and not self._draining:
            task = asyncio.create_task(self._people.service_number.serve(leg), name=f"service number {call_id}")
        elif number is None or (reason := self._refusal(overloaded)):
            log.warning("refused a call to %s: %s", leg.dialled, "no bot answers it" if number is None else reason)
            self._refused += 1
            task = asyncio.create_task(leg.reject(), name=f"reject {call_id}")
        else:
            people = OVERLOADED if overloaded else ""
            task = asyncio.create_task(self._serve(leg, number, call_id, people), name=f"call {call_id}")
        self._calls[call_id] = task
        task.add_done_callback(lambda done: self._over(call_id, done))

    def _refusal(self, overloaded: str) -> str:
        """Why no call is taken now, in words; "" when one is."""
        if self._draining:
            return "stopping"
        if len(self._calls) >= self._config.sip.max_calls:
            return "all lines are busy"
        return overloaded if self._config.overload.then == "refuse" else ""

    async def _serve(self, leg: Leg, number: NumberSettings, call_id: str, people: str) -> None:
        assert self._services is not None
        assert self._people is not None
        zone = self._config.timezone
        async with self._bots.in_call(number.source) as bot:
            desk = self._people.desk
            call = Call(self._services, desk, bot, number, leg, call_id, lambda: datetime.now(zone), people)
            async with self.live.going_on(call):
                await call.run()

    def _over(self, call_id: str, task: asyncio.Task[None]) -> None:
        del self._calls[call_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s was lost", call_id, exc_info=error)

    # State

    def _keep_watch(self, watch: Coroutine[Any, Any, None], name: str) -> None:
        """Until the worker stops."""
        watching = asyncio.create_task(watch, name=name)
        watching.add_done_callback(self._watch_ended)
        self._stack.callback(watching.cancel)

    def _watch_ended(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and (error := watching.exception()) is not None:
            log.error("the task to %s has ended", watching.get_name(), exc_info=error)

    def _lost(self, reason: str) -> None:
        if not self.failed.done():
            self.failed.set_exception(EndpointLost(f"The SIP stack has died: {reason}.", "Start the process again."))

    def _health(self, processes: tuple[ModelProcess, ...]) -> dict[str, object]:
        ready = all(process.ready for process in processes)
        report: dict[str, object] = {
            "status": "draining" if self._draining else "ok" if ready and not self.failed.done() else "degraded",
            "calls": len(self._calls),
            "refused": self._refused,
            "admission": self._admission.refusal(len(self._calls)) or "open",
            "restarts": {process.name: process.restarts for process in processes},
        }
        registration = self._endpoint.registration if self._endpoint is not None else None
        if registration is not None:
            report["registration"] = "registered" if registration.registered else registration.detail or "refused"
            if not registration.registered and report["status"] == "ok":
                report["status"] = "degraded"
        if self._language_model is not None:
            report["language_model"] = "left_alone" if self._language_model.left_alone else "asked"
        return report


async def serve(
    config: Config, stop: asyncio.Event, events: EventStream | None = None, reload: asyncio.Event | None = None
) -> None:
    """Serve until `stop` is set, then drain; load the bots anew whenever `reload` is set, which clears it.

    Raises what start raises, and EndpointLost.
    """
    app = App(config, events)
    stopping = asyncio.create_task(stop.wait(), name="until stopped")
    starting = asyncio.create_task(app.start(), name="start")
    reloading: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            waited: set[asyncio.Future[Any]] = {stopping, app.failed}
            if reload is not None:
                reloading = asyncio.create_task(_reload(app, reload), name="reload")
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks = {task for task in (starting, stopping, reloading) if task is not None}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await app.stop()
    if app.failed.done():
        app.failed.result()


async def _reload(app: App, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await app.reload()


def fixed_prompts(
    bot: RunningBot, languages: Sequence[str], voice: Callable[[str], str] = lambda language: ""
) -> list[SpeechRequest]:
    """Every text without variables in these languages, as it is played or spoken; `voice`: another than the bot's.

    Those that callers hear while they wait for people are among them.
    """
    prompts = []
    for language in languages:
        spans = [*bot.bot.fixed_texts(language), *texts.ready(language)]
        for text in dict.fromkeys(spoken(each, language) for each in spans):
            for rate in PROMPT_RATES:
                recorded = bot.recordings.request(text, language, rate)
                if recorded is None:
                    prompts.append(bot.speech(text, language, rate, voice(language)))
                elif not voice(language):
                    prompts.append(recorded)
    return prompts
