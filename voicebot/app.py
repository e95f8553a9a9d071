"""Start, serve, stop: everything one worker owns, in the order it is needed and ended in the reverse order."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.activity import ActivityService
from asr.client import RecogniserClient
from telephony.baresip import BaresipEndpoint
from telephony.browser.endpoint import BrowserEndpoint
from telephony.leg import Endpoint, Leg
from telephony.media import MediaThread
from telephony.music import HoldMusic
from telephony.sip_names import first_dialled
from tts.client import SpeechClient
from tts.recordings import RecordedSynthesizer
from tts.store import PromptStore
from voicebot import admission, ear_watch
from voicebot.access import Access
from voicebot.api.app import make_app
from voicebot.api.live_view import CallsHere
from voicebot.api.parts import ApiParts, FloorParts, PeopleParts
from voicebot.api.server import HttpServer
from voicebot.background import tell_watch_ended
from voicebot.bots import load_bots, sources
from voicebot.call import Call
from voicebot.config import BotSource, Config, NumberSettings
from voicebot.cut_off import CutOff, read_cut_off
from voicebot.errors import VoicebotError
from voicebot.events import EventStream, new_call_id
from voicebot.fixed_prompts import PROMPT_RATES, fixed_prompts, languages_of, make_prompts
from voicebot.hub import Hub
from voicebot.human_side import HumanSide
from voicebot.live_bots import LiveBots, Make
from voicebot.live_calls import LiveCalls
from voicebot.model_processes import BROWSERS, browser_process, model_processes
from voicebot.outbound import Outbound
from voicebot.parts import RunningBot, Services
from voicebot.processes import ChildProcess
from voicebot.records import CallRecords, RecordWriter
from voicebot.records.database import Database
from voicebot.records.voicemails import Voicemails

if TYPE_CHECKING:  # imported where one is configured: Pipecat's services take long to import
    from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
    from voicebot.language_model.client import LanguageModel
    from voicebot.people.desk import Desk
    from voicebot.people.service_number import ServiceNumber

log = logging.getLogger(__name__)

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
        self._hurried = asyncio.Event()
        self._admission = admission.Admission()
        self._refused = 0
        self._services: Services | None = None
        self._endpoint: Endpoint | None = None
        self._models: tuple[ChildProcess, ...] = ()
        self._desk: Desk | None = None
        self._service_number: ServiceNumber | None = None
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
            await self._drain()
        for task in self._calls.values():
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=STOP_DEADLINE_S)
        await self._stack.aclose()

    def hurry(self) -> None:
        """Whoever waits for calls to end waits no longer."""
        self._hurried.set()

    async def _drain(self) -> None:
        over = asyncio.gather(*self._calls.values(), return_exceptions=True)
        hurried = asyncio.create_task(self._hurried.wait(), name="until hurried")
        waited: set[asyncio.Future[Any]] = {over, hurried}
        await asyncio.wait(waited, timeout=self._config.turns.drain_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        await asyncio.wait({hurried})

    async def _start(self) -> None:
        config = self._config
        self._bots.add(load_bots(config).items())
        self._stack.push_async_callback(self._bots.close)
        config.data.mkdir(parents=True, exist_ok=True)

        await self._keep_records()
        sockets = await self._start_models()
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
        strain = admission.gauge(config.overload, media, activity, recogniser, self._hears)
        self._keep_watch(admission.watch(self._admission, strain, lambda: len(self._calls)), "watch the load")
        endpoint = BaresipEndpoint(config.sip.endpoint())
        outbound = Outbound(endpoint, config)
        self._stack.callback(outbound.close)
        self._services = Services(
            *(config, outbound, media, activity, recogniser, self._prompts, self.events),
            *(hearing_service, self._speaking, self._language_model, await asyncio.to_thread(self._cut_off)),
        )
        self._endpoint = endpoint
        await self._open_doors(self._services, sockets)

    async def _keep_records(self) -> None:
        writer = RecordWriter(self._config.data)
        writer.start()
        self._stack.push_async_callback(asyncio.to_thread, writer.close)
        self._stack.callback(self.events.attach(writer.submit))

    async def _start_models(self) -> Path:
        """The folder of their sockets."""
        sockets = Path(tempfile.mkdtemp(prefix="voicebot-"))
        self._stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        self._models = self._processes(sockets)
        async with asyncio.TaskGroup() as starting:
            for process in self._models:
                self._stack.push_async_callback(process.stop)
                starting.create_task(process.start(), name=f"start {process.name}")
        return sockets

    def _processes(self, sockets: Path) -> tuple[ChildProcess, ...]:
        """The recogniser is the first."""
        return *model_processes(self._config, sockets), browser_process(self._config, sockets)

    def _hears(self) -> bool:
        """Whether the recogniser is there; one that is being replaced is no sign of too many calls."""
        return self._models[0].ready

    async def _open_doors(self, services: Services, sockets: Path) -> None:
        """Everything is there that serves: calls and pages may come."""
        access = Access(self._config.data)
        access.start()
        self._stack.push_async_callback(access.close)
        browsers = BrowserEndpoint(sockets / BROWSERS)
        self._stack.push_async_callback(browsers.stop)
        people = HumanSide(services, self.live, access, self.hub, browsers)
        await people.start(lambda task: task.add_done_callback(tell_watch_ended))
        self._stack.push_async_callback(people.close)
        self._desk, self._service_number = people.desk, people.service_number
        sip_uri = await self._take_calls()

        http = await self._start_http(access, people)
        log.info("answering at %s, pages at %s, health at %s/health", sip_uri, http.url, http.url)

    async def _take_calls(self) -> str:
        """Returns where calls are taken."""
        assert self._endpoint is not None
        self._endpoint.on_incoming(self._incoming)
        self._endpoint.on_dead(self._lost)
        await self._endpoint.start()
        self._stack.push_async_callback(self._endpoint.stop)
        return self._endpoint.sip_uri

    def _cut_off(self) -> CutOff:
        return read_cut_off(self._config.data)

    async def _start_http(self, access: Access, people: HumanSide) -> HttpServer:
        records = CallRecords(self._config.data)
        self._stack.callback(records.close)
        database = Database(self._config.data)
        self._stack.callback(database.close)
        parts = ApiParts(
            *(self._config, access, self.hub, records, Voicemails(database, self._config.data), self._bots.answering),
            self.health,
            url=self._config.http.url or "",
            floor=FloorParts(
                people.desk, CallsHere(self.live), people.feed, PeopleParts(people.agents, people.supervision)
            ),
        )
        server = HttpServer(self._config.http, make_app(parts), self.hub)
        await server.start()
        self._stack.push_async_callback(server.stop)
        return server

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
        assert self._prompts is not None
        await make_prompts(self._prompts, self._config, source, bot)
        if self._speaking is not None:
            languages = languages_of(self._config, source)
            await self._speaking.fill(fixed_prompts(bot, languages, self._speaking.voice))

    async def reload(self) -> None:
        """Load every bot anew; live calls keep theirs. Told in log and events, never raised."""
        await self._bots.reload()

    # Calls

    def _incoming(self, leg: Leg) -> None:
        number = self._config.number(leg.dialled, first_dialled(leg.headers))
        call_id = new_call_id(self._config.timezone)
        overloaded = self._admission.refusal(len(self._calls)) or ""
        if self._service_number and self._config.is_service_number(leg.dialled) and not self._draining:
            task = asyncio.create_task(self._service_number.serve(leg), name=f"service number {call_id}")
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
        assert self._desk is not None
        zone = self._config.timezone
        async with self._bots.in_call(number.source) as bot:
            call = Call(self._services, self._desk, bot, number, leg, call_id, lambda: datetime.now(zone), people)
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
        watching.add_done_callback(tell_watch_ended)
        self._stack.callback(watching.cancel)

    def _lost(self, reason: str) -> None:
        if not self.failed.done():
            self.failed.set_exception(EndpointLost(f"The SIP stack has died: {reason}.", "Start the process again."))

    def health(self) -> dict[str, object]:
        """What /health tells."""
        ready = all(process.ready for process in self._models)
        report: dict[str, object] = {
            "status": "draining" if self._draining else "ok" if ready and not self.failed.done() else "degraded",
            "calls": len(self._calls),
            "refused": self._refused,
            "admission": self._admission.refusal(len(self._calls)) or "open",
            "restarts": {process.name: process.restarts for process in self._models},
        }
        registration = self._endpoint.registration if self._endpoint is not None else None
        if registration is not None:
            report["registration"] = "registered" if registration.registered else registration.detail or "refused"
            if not registration.registered and report["status"] == "ok":
                report["status"] = "degraded"
        if self._language_model is not None:
            report["language_model"] = "left_alone" if self._language_model.left_alone else "asked"
        return report
