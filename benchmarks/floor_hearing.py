"""The scripted recogniser of the floor benchmark: `python -m benchmarks.floor_hearing --socket PATH`.

Stands in the place of `asr.process` and answers everything with the same word at once: what is measured is the floor,
and not how many calls one recogniser bears.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asr import wire
from asr.process import CLIENT_GONE, end_with_parent
from asr.testing import transcript

ANSWER = "rano"
"""Answers the question of `barge_in_bot`'s flows, after which the next text is said."""


async def transcribe(request: Request) -> Response:
    query = request.query_params
    try:
        asked = wire.read_request(query, query.getlist("hint"), query.getlist("allowed"), await request.body())
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    return JSONResponse(wire.transcript_body(transcript(ANSWER, asked)))


async def health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def main() -> None:
    end_with_parent()
    path = Path(sys.argv[sys.argv.index("--socket") + 1])
    app = Starlette(routes=[Route("/transcribe", transcribe, methods=["POST"]), Route("/health", health)])
    uvicorn.run(app, uds=str(path), log_level="warning", access_log=False, lifespan="off", ws="none")


if __name__ == "__main__":
    main()
