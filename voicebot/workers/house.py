"""The process that owns several call workers: it starts, watches and replaces them, and has what there is one of.

Models, records, pages, board and alerts, deliveries and promised callbacks are here; SIP and calls are in the workers,
which tell what happens (see `lines`). So a worker that dies takes nothing along but its calls, and those are told as
lost.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tts.client import SpeechClient
from tts.recordings import RecordedSynthesizer
from tts.store import PromptStore
from voicebot.access import Access
from voicebot.access.users import UserStore
from voicebot.api.app import make_app
from voicebot.api.feed import Feed
from voicebot.api.parts import ApiParts, FloorParts
from voicebot.api.server import HttpServer
from voicebot.app import STOP_DEADLINE_S
from voicebot.background import Background, cancelled, tell_watch_ended
from voicebot.bots import load_bots, sources
from voicebot.config import BotSource, Config
from voicebot.cut_off import CutOff, read_cut_off
from voicebot.errors import VoicebotError
from voicebot.events import BotSaid, CallEnded, CallEvent, CallStarted, EventStream, Outcome, from_json
from voicebot.fixed_prompts import make_prompts
from voicebot.hub import Hub
from voicebot.human_side import day_so_far, make_outbox, make_watching
from voicebot.live_bots import LiveBots
from voicebot.model_processes import model_processes
from voicebot.parts import RunningBot
from voicebot.processes import BACK, DEAF, ChildProcess, Probe
from voicebot.queueing.store import StoredFloor
from voicebot.records import CallRecords, RecordWriter
from voicebot.records.database import Database
from voicebot.records.voicemails import Voicemails
from voicebot.watch.outbox import Outbox
from voicebot.watch.payloads import alert_payload
from voicebot.watch.rows import Alert
from voicebot.workers.control import RELOAD_S, RemoteCalls, ask
from voicebot.workers.lines import DELIVERIES, PROMISES, News, WorkerLines
from voicebot.workers.people import CallbackDesk, check_nobody_serves
from voicebot.workers.worker import HURRY, socket_of

log = logging.getLogger(__name__)

READY_S = 180.0  # to import and to speak what is new, on a machine that is busy
PROBE = Probe(every_s=1.0, deadline_s=3.0, tries=3)

DIED, WENT_DEAF = "worker_died", "worker_deaf"
"""Causes of the end of calls that were lost."""


@dataclass(frozen=True)
class _Live:
    caller: str
    began_at: datetime


@dataclass
class _Worker:
    """`state`: what it told last of how it is."""

    number: int
    socket: Path
    process: ChildProcess
    deaf: bool = False
    calls: dict[str, _Live] = field(default_factory=dict)
    state: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.process.name


class House:
    """`start()`, then calls are served until `stop()`. Implements `serving.Served`."""

    def __init__(self, config: Config, path: Path, events: EventStream | None = None) -> None:
        """`path`: the file that `config` was read from."""
        self._config = config
        self._text = path.read_text(encoding="utf-8")
        self._base = path.parent.absolute()
        self.events = events or EventStream()
        self._hub = Hub()
        self._stack = AsyncExitStack()
        self._background = Background()
        self._draining = False
        self._cut_off = CutOff()
        self._models: tuple[ChildProcess, ...] = ()
        self._workers: dict[int, _Worker] = {}
        self._refused_before = 0  # by workers that are no more
        self._prompts: PromptStore | None = None
        self._lines: WorkerLines | None = None
        self._outbox: Outbox | None = None
        self._feed: Feed | None = None
        self._floor: StoredFloor | None = None
        self._desk = CallbackDesk(self._the_floor, self.events)
        self._bots = LiveBots(config, self._get_ready, self.events)
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
        await asyncio.gather(*(worker.process.stop() for worker in self._workers.values()))
        await self._stack.aclose()

    def hurry(self) -> None:
        """Calls are waited for no longer."""
        for worker in self._workers.values():
            worker.process.send(HURRY)

    async def reload(self) -> None:
        """Load every bot anew, here and in all workers; live calls keep theirs. Told in log and events."""
        await self._bots.reload()
        for worker in self._workers.values():
            try:
                await ask(worker.socket, "POST", "/reload", timeout_s=RELOAD_S)
            except VoicebotError as error:
                log.error("the bots of %s could not be loaded anew: %s", worker.name, error)

    def health(self) -> dict[str, object]:
        """What /health tells: of all together, then of each worker."""
        workers = self._workers.values()
        processes = (*self._models, *(worker.process for worker in workers))
        ready = all(process.ready for process in processes)
        admissions = [worker.state.get("admission", "not ready") for worker in workers]
        return {
            "status": "draining" if self._draining else "ok" if ready else "degraded",
            "calls": sum(len(worker.calls) for worker in workers),
            "refused": self._refused_before + sum(_refused(worker) for worker in workers),
            "admission": "open" if "open" in admissions else admissions[0] if admissions else "not ready",
            "restarts": {process.name: process.restarts for process in processes},
            "workers": [self._health_of(worker) for worker in workers],
        }

    def _health_of(self, worker: _Worker) -> dict[str, object]:
        told = dict(worker.state)
        if not worker.process.ready:
            told["status"] = "draining" if self._draining else "not ready"
        return {"name": worker.name, **told, "calls": len(worker.calls)}

    # Start

    async def _start(self) -> None:
        config = self._config
        self._bots.add(load_bots(config).items())
        self._stack.push_async_callback(self._bots.close)
        config.data.mkdir(parents=True, exist_ok=True)
        writer = RecordWriter(config.data)
        writer.start()
        self._stack.push_async_callback(asyncio.to_thread, writer.close)
        self._stack.callback(self.events.attach(writer.submit))
        database = Database(config.data)
        self._stack.callback(database.close)
        check_nobody_serves(config, await asyncio.to_thread(UserStore(database, lambda: datetime.now(UTC)).all))
        self._cut_off = await asyncio.to_thread(read_cut_off, config.data)

        folder = Path(tempfile.mkdtemp(prefix="voicebot-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self._models = model_processes(config, folder)
        await self._start_all(self._models)
        speech = SpeechClient(folder / "speaking")
        self._stack.push_async_callback(speech.close)
        self._prompts = PromptStore(config.data / "prompts", RecordedSynthesizer(speech))
        for source in sources(config):
            await self._get_ready(source, self._bots[source])
        self._keep_watch(self._bots.watch(), "watch for published versions")

        parts = await self._open_floor(database)
        await self._start_workers(folder)
        http = HttpServer(config.http, make_app(parts), self._hub)
        await http.start()
        self._stack.push_async_callback(http.stop)
        where = ", ".join(str(worker.state.get("sip", worker.name)) for worker in self._workers.values())
        log.info("answering at %s, pages at %s, health at %s/health", where, http.url, http.url)

    async def _start_all(self, processes: tuple[ChildProcess, ...]) -> None:
        async with asyncio.TaskGroup() as starting:
            for process in processes:
                self._stack.push_async_callback(process.stop)
                starting.create_task(process.start(), name=f"start {process.name}")

    async def _open_floor(self, database: Database) -> ApiParts:
        """Board, alerts, deliveries, promised callbacks, and the pages that show them."""
        config = self._config
        access = Access(config.data)
        access.start()
        self._stack.push_async_callback(access.close)
        records = CallRecords(config.data)
        self._stack.callback(records.close)
        self._floor = await StoredFloor.open(config.data, config.queues, config.timezone, self._desk.carry_out)
        self._stack.push_async_callback(self._floor.close)
        self._outbox = make_outbox(config)
        watching = make_watching(config, self.events, self._alerted)
        watching.board.restore(await asyncio.to_thread(day_so_far, config))
        self._feed = Feed(self.events, self._hub, self._desk, watching)
        self._feed.start()
        self._stack.push_async_callback(self._feed.close)
        self._stack.push_async_callback(self._background.done)
        self._keep_watch(self._floor.keep_time(), "keep the queue's time")
        self._keep_watch(watching.run(), "watch the floor")
        self._keep_watch(self._outbox.run(), "send summaries and alerts")
        return ApiParts(
            *(config, access, self._hub, records, Voicemails(database, config.data), self._bots.answering),
            self.health,
            url=config.http.url or "",
            floor=FloorParts(self._desk, RemoteCalls(self._whose), self._feed, people=None),
        )

    async def _start_workers(self, folder: Path) -> None:
        copy = folder / "voicebot.yaml"  # a worker that takes another's place is to have the same settings
        copy.write_text(self._text, encoding="utf-8")
        self._lines = WorkerLines(folder, self._told, self._gone)
        self._stack.push_async_callback(self._lines.close)
        await self._lines.start()
        self._lines.tell(self._news())
        self._keep_watch(self._tell_news(), "tell the workers of the recogniser")
        for number in range(1, self._config.workers + 1):
            self._workers[number] = self._worker(number, folder, copy)
        await self._start_all(tuple(worker.process for worker in self._workers.values()))

    def _worker(self, number: int, folder: Path, config: Path) -> _Worker:
        socket = socket_of(folder, number)
        argv = [
            *(sys.executable, "-m", "voicebot.workers.worker", "--folder", str(folder)),
            *("--config", str(config), "--base", str(self._base)),
            *("--number", str(number), "--workers", str(self._config.workers)),
        ]
        process = ChildProcess(
            *(f"worker {number}", argv, socket),
            ready_s=READY_S,
            stop_s=self._config.turns.drain_s + 2 * STOP_DEADLINE_S,
            probe=PROBE,
            on_event=lambda what: self._process_told(number, what),
        )
        return _Worker(number, socket, process)

    async def _get_ready(self, source: BotSource, bot: RunningBot) -> None:
        """What bots say word for word is spoken once, before workers look for it."""
        assert self._prompts is not None
        await make_prompts(self._prompts, self._config, source, bot)

    # What workers tell

    def _told(self, number: int, kind: str, told: Any) -> None:
        worker = self._workers[number]
        match kind:
            case "event":
                self._happened(worker, from_json(told))
            case "state":
                worker.state = told
            case "promise":
                promise = PROMISES.validate_python(told)
                self._background.begin(self._desk.promise(promise), f"promise of {promise.call_id}")
            case "delivery":
                assert self._outbox is not None
                self._outbox.put(DELIVERIES.validate_python(told))

    def _happened(self, worker: _Worker, event: CallEvent) -> None:
        live = worker.calls.get(event.call_id)
        if isinstance(event, CallStarted):
            worker.calls[event.call_id] = _Live(event.caller, event.at)
        elif isinstance(event, CallEnded) and live is not None:
            del worker.calls[event.call_id]
            if event.outcome is Outcome.LOST:
                self._cut_off.add(live.caller, event.at)
        elif isinstance(event, BotSaid) and live is not None and live.caller in self._cut_off.ended:
            self._cut_off.took(live.caller, event.at)  # they have been told of it, by that worker
        self.events.publish(event)
        self._tell()

    def _process_told(self, number: int, what: str) -> None:
        worker = self._workers[number]
        worker.deaf = what == DEAF
        if what != BACK:
            self._refused_before += _refused(worker)
            worker.state = {}

    def _gone(self, number: int) -> None:
        """The process has ended, or will: what it told has been heard to the end, and its calls are over."""
        worker = self._workers[number]
        cause = WENT_DEAF if worker.deaf else DIED
        lost, worker.calls = worker.calls, {}
        now = datetime.now(UTC)
        for call_id, live in lost.items():
            lasted_s = round(max(timedelta(), now - live.began_at).total_seconds(), 2)
            log.error("the call %s was lost with %s", call_id, worker.name)
            self._cut_off.add(live.caller, now)
            self.events.publish(
                CallEnded(
                    outcome=Outcome.LOST, cause=cause, duration_s=lasted_s, call_id=call_id, at=now, offset_s=lasted_s
                )
            )
        self._tell()

    def _whose(self, call_id: str) -> Path | None:
        return next((worker.socket for worker in self._workers.values() if call_id in worker.calls), None)

    # What workers are told

    def _news(self) -> News:
        return News(dict(self._cut_off.ended), self._models[0].ready)

    def _tell(self) -> None:
        assert self._lines is not None
        self._lines.tell(self._news())

    async def _tell_news(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._tell()

    # Inside

    def _the_floor(self) -> StoredFloor:
        assert self._floor is not None
        return self._floor

    def _alerted(self, alert: Alert) -> None:
        assert self._feed is not None
        assert self._outbox is not None
        log.warning("alert: %s (call %s)", alert.text, alert.call_id or "-")
        self._feed.alerted(alert)
        self._outbox.put(alert_payload(alert, self._config.http.url or ""))

    def _keep_watch(self, watch: Coroutine[Any, Any, None], name: str) -> None:
        """Until the house is closed."""
        task = asyncio.create_task(watch, name=name)
        task.add_done_callback(tell_watch_ended)
        self._stack.push_async_callback(cancelled, task)


def _refused(worker: _Worker) -> int:
    refused = worker.state.get("refused", 0)
    assert isinstance(refused, int)
    return refused
