"""The HTTP application: the API of the console and of programs, the pages, and /health."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from voicebot.api import (
    audit,
    board,
    callbacks,
    calls,
    desk,
    knowledge,
    live,
    pages,
    session,
    settings,
    stream,
    tokens,
    users,
    voicemails,
)
from voicebot.api.auth import SignedIn
from voicebot.api.errors import add_error_handlers
from voicebot.api.parts import ApiParts, Parts
from voicebot.api.security import LimitedBody, SecurityHeaders
from voicebot.api.shapes.base import Problem

ROUTERS: tuple[APIRouter, ...] = (
    *(session.router, users.router, tokens.router, audit.router, stream.router),
    *(calls.router, voicemails.router, knowledge.router, settings.router),
    *(desk.router, callbacks.router, board.router, live.router),
)
"""One for each room. `operationId` is the endpoint's function name, so names are unique among all of them."""

own = APIRouter(include_in_schema=False)


@own.get("/health")
async def health(parts: Parts) -> JSONResponse:
    """For container health checks and balancers: 200 while `status` is "ok", else 503."""
    report = parts.health()
    return JSONResponse(dict(report), status_code=200 if report["status"] == "ok" else 503)


def make_app(parts: ApiParts) -> FastAPI:
    """The application over these parts; it starts and stops none of them."""
    app = FastAPI(
        title="voicebot",
        version=version("voicebot"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"default": {"model": Problem, "description": "Refused, with what to do."}},
    )
    app.state.parts = parts
    add_error_handlers(app)
    app.add_middleware(LimitedBody)
    app.add_middleware(SecurityHeaders)
    for router in (own, *ROUTERS, _schema_of(app), pages.router):  # pages last: they take whatever is left
        app.include_router(router)
    return app


def _schema_of(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/api/openapi.json")
    async def get_openapi(who: SignedIn) -> dict[str, Any]:
        return app.openapi()

    return router


def _operation_id(route: APIRoute) -> str:
    return route.name
