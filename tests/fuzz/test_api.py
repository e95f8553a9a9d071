"""Whatever comes in over HTTP, the API refuses it in its own words or does it; it never breaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from argon2 import PasswordHasher
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from asr.activity import ActivityService
from asr.testing import ScriptedRecogniser
from telephony.browser.testing import browser_endpoint
from telephony.leg import EndpointSettings
from telephony.media import MediaThread
from telephony.testing import MemoryEndpoint, MemoryNetwork
from tts.store import PromptStore
from tts.testing import ToneSynthesizer
from voicebot.access import Access, Author, NewUser, Who, passwords
from voicebot.api.app import make_app
from voicebot.api.auth import COOKIE, CSRF_HEADER
from voicebot.api.live_view import CallsHere
from voicebot.api.parts import FloorParts, PeopleParts
from voicebot.api.server import HttpServer
from voicebot.api.testing import PASSWORD, parts_over
from voicebot.config import Config
from voicebot.events import EventStream
from voicebot.hub import Hub
from voicebot.human_side import HumanSide
from voicebot.live_calls import LiveCalls
from voicebot.outbound import Outbound
from voicebot.parts import Services
from voicebot.people_settings import HttpSettings

TRIES = 15
"""Of each endpoint, with what fits its description, and as many with what does not."""

DEADLINE_S = 30.0


class Stage:
    """A server on a thread of its own, so that the generator of requests may block."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stack = AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage")
        self._thread.start()
        self.app, self._access, self._server = self._run(self._start())
        self.url = self._server.url

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def sign_in(self, session: requests.Session) -> None:
        """As an administrator, who is made again if the requests before removed or changed them."""
        who, secret = self._run(self._make_session())
        session.cookies.clear()
        session.cookies.set(COOKIE, secret)
        session.headers[CSRF_HEADER] = who.csrf

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    async def _start(self) -> tuple[FastAPI, Access, HttpServer]:
        access, hub = Access(self._data), Hub()
        hub.close()  # streams end at once
        config = parts_over(self._data, access, hub).config
        calls = LiveCalls()
        browsers = await self._stack.enter_async_context(browser_endpoint())
        self._people = HumanSide(self._services(config), calls, access, hub, browsers)
        await self._people.start(lambda task: None)
        people = self._people
        served = PeopleParts(people.agents, people.supervision)
        floor = FloorParts(people.desk, CallsHere(calls), people.feed, served)
        self._parts = parts_over(self._data, access, hub, floor=floor)
        app = make_app(self._parts)
        server = HttpServer(HttpSettings(port=0), app, hub)
        await server.start()
        return app, access, server

    def _services(self, config: Config) -> Services:
        """Of a worker that no call comes to."""
        endpoint = MemoryEndpoint(EndpointSettings("127.0.0.1", 5060, codecs=("pcma",)), MemoryNetwork())
        prompts = PromptStore(self._data / "prompts", ToneSynthesizer())
        media = MediaThread(self._loop)
        return Services(
            config, Outbound(endpoint, config), media, ActivityService(), ScriptedRecogniser(), prompts, EventStream()
        )

    async def _stop(self) -> None:
        await self._server.stop()
        await self._people.close()
        await self._stack.aclose()
        await self._access.close()
        self._parts.records.close()
        await self._loop.shutdown_default_executor()

    async def _make_session(self) -> tuple[Who, str]:
        if "boss" not in {user.login for user in await self._access.users()}:
            await self._access.add_user(NewUser("boss", "Boss", PASSWORD, ["administrator"]), Author("test"))
        return await self._access.sign_in("boss", PASSWORD, "stage")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stage = Stage(tmp_path)
    yield stage
    stage.close()
    passwords._nobody.cache_clear()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fits", "does_not_fit"])
def test_nothing_that_comes_in_breaks_the_server(stage: Stage, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(stage.app.openapi())
    played = 0
    with requests.Session() as session:
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            stage.sign_in(session)
            operation = result.ok()
            if mode == GenerationMode.NEGATIVE and not (operation.body or operation.query):
                continue  # nothing of it can be wrong
            _play(operation.as_strategy(generation_mode=mode), session, stage.url)
            played += 1
    assert played > 5


def _play(cases: Any, session: requests.Session, url: str) -> None:
    @settings(max_examples=TRIES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def play(case: Case) -> None:
        answer = case.call(base_url=url, session=session, timeout=DEADLINE_S)
        case.validate_response(
            answer, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
        )
        if answer.status_code >= 400:
            assert set(answer.json()) == {"code", "message", "remedy"}

    call: Callable[[], None] = play
    call()
