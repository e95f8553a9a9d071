"""A language model's server for tests and benchmarks, on loopback: it answers by a script, and fails in every way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn

_STOP_S = 3.0
_PIECE = 4  # characters of a token
_WORDS = re.compile(r'^The caller\'s last words: (".*")$', re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """A request: `mode` is how the answer is wanted, `words` are the caller's."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def mode(self) -> str:
        if "response_format" in self.body:
            return "structured"
        return "tools" if "tools" in self.body else "json"

    @property
    def tool(self) -> str:
        """The name of the tool that has to be called, or of the schema; in the mode `json` there is none."""
        if self.mode == "structured":
            return str(self.body["response_format"]["json_schema"]["name"])
        return str(self.body["tools"][0]["function"]["name"]) if self.mode == "tools" else ""

    @property
    def words(self) -> str:
        found = _WORDS.findall(self.body["messages"][-1]["content"])
        return str(json.loads(found[-1])) if found else ""


@dataclass(frozen=True)
class Reply:
    """What the server does. `text` comes as tokens, `times` over, as the answer or the arguments of the tool.

    `first_s`: seconds before the first token. `tokens_per_s`: None is as fast as it goes. `stalls_after` and
    `breaks_after`: so many tokens, then nothing comes any more, or the connection is closed. `raw`: this body in place
    of a stream of tokens.
    """

    text: str = ""
    status: int = 200
    first_s: float = 0.0
    tokens_per_s: float | None = None
    times: int = 1
    stalls_after: int | None = None
    breaks_after: int | None = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"


Script = Callable[[Asked], Reply]


def choosing(commands: Mapping[str, Sequence[Mapping[str, str]]], reply: Reply | None = None) -> Script:
    """A script that knows what some utterances mean and finds no match in others; `reply` is how it says so."""
    like = reply or Reply()

    def script(asked: Asked) -> Reply:
        chosen = commands.get(asked.words, [{"command": "no_match"}])
        text = json.dumps({"commands": list(chosen)}, ensure_ascii=False)
        return Reply(**{**vars(like), "text": text})

    return script


def refusing(modes: Sequence[str], script: Script, status: int = 400) -> Script:
    """A script of a server that does not know these modes."""
    return lambda asked: Reply(status=status) if asked.mode in modes else script(asked)


class FakeLanguageServer:
    """`async with FakeLanguageServer(script) as server`: it listens at `server.url` and keeps what it was asked."""

    def __init__(self, script: Script | Reply) -> None:
        self.script: Script = (lambda asked: script) if isinstance(script, Reply) else script
        self.asked: list[Asked] = []
        self.url = ""

    async def __aenter__(self) -> FakeLanguageServer:
        # Named TCP, or asyncio leaves Nagle's algorithm on, and every answer is 40 ms late.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="language server")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await asyncio.wait_for(self._task, _STOP_S)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(json.loads(body), headers)
        self.asked.append(asked)
        reply = self.script(asked)
        answering = asyncio.create_task(_answer(reply, asked, send), name="answer")
        gone = asyncio.create_task(_gone(receive), name="notice that the client has gone")
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, gone):
                task.cancel()
            await asyncio.gather(answering, gone, return_exceptions=True)


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs it."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(reply: Reply, asked: Asked, send: Any) -> None:
    """Where it returns without the last piece, uvicorn closes the connection."""
    headers = {"content-type": "text/event-stream" if reply.raw is None else "text/plain", **reply.headers}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    if reply.raw is not None or reply.status != 200:
        body = b'{"error": {"message": "no"}}' if reply.raw is None else reply.raw
        await send({"type": "http.response.body", "body": body})
        return
    async for piece in _events(reply, asked):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if reply.breaks_after is None:
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _events(reply: Reply, asked: Asked) -> AsyncIterator[bytes]:
    await asyncio.sleep(reply.first_s)
    tokens = [reply.text[start : start + _PIECE] for start in range(0, len(reply.text), _PIECE)]
    for number in range(len(tokens) * reply.times):
        if number == reply.stalls_after:
            await asyncio.Event().wait()
        if number == reply.breaks_after:
            return
        yield _event(asked, tokens[number % len(tokens)])
        if reply.tokens_per_s is not None:
            await asyncio.sleep(1 / reply.tokens_per_s)
    if reply.stalls_after is not None:
        await asyncio.Event().wait()
    yield _event(asked, None, reply.finish_reason)
    yield _usage(asked, len(tokens) * reply.times)


def _event(asked: Asked, token: str | None, finish_reason: str | None = None) -> bytes:
    delta: dict[str, Any] = {}
    if token is not None and asked.mode == "tools":
        delta = {"tool_calls": [{"index": 0, "function": {"name": asked.tool, "arguments": token}}]}
    elif token is not None:
        delta = {"content": token}
    return _chunk(asked, {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def _usage(asked: Asked, tokens: int) -> bytes:
    read = sum(len(message["content"]) for message in asked.body["messages"]) // _PIECE
    return _chunk(asked, {"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": tokens}})


def _chunk(asked: Asked, content: Mapping[str, Any]) -> bytes:
    told = {"id": "chat-1", "object": "chat.completion.chunk", "created": 0, "model": asked.body["model"], **content}
    return b"data: " + json.dumps(told).encode() + b"\n\n"
