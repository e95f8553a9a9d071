"""A small server that answers the pages as a voicebot would, with a floor that lives by itself.

    python -m tests.console.mock_floor --port 8090 --calls 14

Users: `anna` (agent), `ewa` (supervisor), `admin` (administrator), password `voicebot` for all. It serves the built
pages too; while they are being written, `npm run dev` in console/ passes /api on to it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel

from tests.console import desk, history
from tests.console.simulated import QUEUES, Floor, utc_now
from voicebot.api.shapes.access import Session, User
from voicebot.api.shapes.board import BoardChanges
from voicebot.api.shapes.desk import FloorSettings, FlowInfo, QueueInfo

PAGES = Path(__file__).parents[2] / "voicebot" / "pages"
PASSWORD = "voicebot"
TICK_S = 0.25
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, remedy: str = "", retry_s: int = 0) -> None:
        super().__init__(message)
        self.status, self.retry_s = status, retry_s
        self.body = {"code": code, "message": message, "remedy": remedy}


@dataclass
class State:
    floor: Floor
    sessions: dict[str, Session] = field(default_factory=dict)
    wrong: dict[str, list[datetime]] = field(default_factory=dict)
    streams: dict[asyncio.Queue[tuple[str, str]], str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=lambda: {user.login: user for user in history.users(utc_now())})
    desks: dict[str, desk.Desk] = field(default_factory=dict)
    revision: int = 0

    def desk(self, login: str) -> desk.Desk:
        if login not in self.desks:
            self.desks[login] = desk.Desk(login, self.users[login].name, self.floor)
        return self.desks[login]

    def tell(self, name: str, data: Any, login: str = "", topic: str = "") -> None:
        """To every stream, or to those of one user; a stream that is not read loses its oldest."""
        text = f"event: {name}\ndata: {as_json(data)}\n\n"
        for queue, owner in self.streams.items():
            if login and owner != login:
                continue
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((topic or name, text))


def as_json(data: Any) -> str:
    return data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)


async def live(state: State) -> None:
    """Moves the floor on and tells every page what changed."""
    before: dict[str, dict[str, Any]] = {"calls": {}, "agents": {}, "queues": {}}
    views: dict[str, str] = {}
    while True:
        now = utc_now()
        state.floor.tick(now)
        for each in state.desks.values():
            each.tick(now)
        after: dict[str, dict[str, Any]] = {
            "calls": {call.id: state.floor.row(call) for call in state.floor.calls.values()},
            "agents": {**state.floor.agents, **{d.login: d.board_agent() for d in state.desks.values()}},
            "queues": {name: state.floor.queue(name, now) for name in QUEUES},
        }
        changes = {kind: changed(before[kind], rows) for kind, rows in after.items()}
        before = after
        alerts, state.floor.new_alerts = state.floor.new_alerts, []
        if any(changes.values()) or alerts:
            state.revision += 1
            state.tell("board", BoardChanges(revision=state.revision, alerts={a.id: a for a in alerts}, **changes))
        for alert in alerts:
            state.tell("alert", alert, topic="alerts")
        events, state.floor.events = state.floor.events, []
        for call_id, event in events:
            state.tell("call", {"call_id": call_id, "event": event}, topic=f"call:{call_id}")
        for login, each in state.desks.items():
            view = each.view(now)
            steady = view.model_copy(update={"longest_wait_s": None}).model_dump_json()
            if views.get(login) != steady:
                views[login] = steady
                state.tell("agent", view, login=login)
        await asyncio.sleep(TICK_S)


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    gone: dict[str, Any] = {key: None for key in before if key not in after}
    return gone | {key: row for key, row in after.items() if before.get(key) != row}


def create(calls: int = 14) -> FastAPI:
    state = State(Floor(calls))

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(live(state), name="mock floor")
        yield
        task.cancel()
        for each in state.desks.values():
            await each.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.state.mock = state

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_s)} if error.retry_s else {}
        return JSONResponse(error.body, error.status, headers)

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.url.path
        session = state.sessions.get(request.cookies.get("voicebot_session", ""))
        request.state.session = session
        if path.startswith("/api/") and path != "/api/session":
            if session is None:
                return JSONResponse({"code": "signed_out", "message": "Sign in first.", "remedy": ""}, 401)
            if request.method != "GET" and request.headers.get("x-csrf-token") != session.csrf:
                return JSONResponse({"code": "csrf", "message": "The token is wrong.", "remedy": "Reload."}, 403)
        response = await go_on(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    add_access(app, state)
    add_board(app, state)
    desk.add_routes(app, state)
    history.add_routes(app, state)
    add_pages(app)
    return app


def add_access(app: FastAPI, state: State) -> None:
    @app.post("/api/session")
    async def sign_in(body: dict[str, str], response: Response) -> Session:
        login, now = body["login"], utc_now()
        recent = [at for at in state.wrong.get(login, []) if now - at < timedelta(seconds=30)]
        if len(recent) >= 4:
            raise Refused(429, "throttled", "Too many attempts.", "Wait.", retry_s=30)
        user = state.users.get(login)
        if user is None or body["password"] != PASSWORD:
            state.wrong[login] = [*recent, now]
            raise Refused(401, "wrong_credentials", "This login and password do not belong together.")
        token = secrets.token_hex(16)
        session = Session(
            login=login, name=user.name, roles=user.roles, language=user.language, theme="auto",
            csrf=secrets.token_hex(8), expires_at=now + timedelta(hours=12),
        )  # fmt: skip
        state.sessions[token] = session
        response.set_cookie("voicebot_session", token, httponly=True, samesite="strict")
        return session

    @app.get("/api/session")
    async def session(request: Request) -> Session:
        if request.state.session is None:
            raise Refused(401, "signed_out", "Sign in first.")
        found: Session = request.state.session
        return found

    @app.delete("/api/session", status_code=204)
    async def sign_out(request: Request) -> None:
        state.sessions.pop(request.cookies.get("voicebot_session", ""), None)

    @app.patch("/api/session")
    async def prefer(request: Request, body: dict[str, str]) -> Session:
        token = request.cookies["voicebot_session"]
        state.sessions[token] = state.sessions[token].model_copy(update=body)
        return state.sessions[token]

    @app.put("/api/session/password", status_code=204)
    async def password(body: dict[str, str]) -> None:
        if body["old"] != PASSWORD:
            raise Refused(400, "wrong_password", "The present password is not this one.", "Check it and try again.")

    @app.get("/api/settings")
    async def settings() -> FloorSettings:
        codes = ["solved", "callback", "complaint", "wrong_number"]
        return FloorSettings(
            queues=[QueueInfo(name=n, wrap_up_codes=codes, wrap_up_s=30, service_level_s=20) for n in QUEUES],
            break_reasons=["break", "lunch", "training"],
            flows=[
                FlowInfo(bot="sklep", name="order_status", title={"pl": "Status zamówienia", "en": "Order status"}),
                FlowInfo(bot="sklep", name="return_item", title={"pl": "Zwrot", "en": "Return"}),
                FlowInfo(bot="przychodnia", name="book_visit", title={"pl": "Umówienie wizyty"}),
            ],
            skills=["faktury", "zwroty"], service_number="80", line_back_s=30, company="Sklep",
        )  # fmt: skip


def add_board(app: FastAPI, state: State) -> None:
    @app.get("/api/board")
    async def board() -> Response:
        found = state.floor.board(utc_now(), state.revision)
        ours = [each.board_agent() for each in state.desks.values()]
        found = found.model_copy(update={"agents": [*found.agents, *ours]})
        return Response(found.model_dump_json(), media_type="application/json")

    @app.get("/api/stream")
    async def stream(request: Request, topics: str = "") -> StreamingResponse:
        wanted = set(topics.split(","))

        async def told() -> AsyncIterator[str]:
            queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(500)
            state.streams[queue] = request.state.session.login
            try:
                yield ": welcome\n\n"
                while not await request.is_disconnected():
                    try:
                        topic, text = await asyncio.wait_for(queue.get(), 5)
                    except TimeoutError:
                        yield ": here\n\n"
                        continue
                    if topic in wanted:
                        yield text
            finally:
                del state.streams[queue]

        return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def add_pages(app: FastAPI) -> None:
    @app.get("/{path:path}")
    async def page(path: str) -> FileResponse:
        file = (PAGES / path).resolve()
        return FileResponse(file if path and file.is_file() and PAGES in file.parents else PAGES / "index.html")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8090)
    options.add_argument("--calls", type=int, default=14)
    chosen = options.parse_args()
    uvicorn.run(
        create(chosen.calls), host="127.0.0.1", port=chosen.port, log_level="warning", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
