"""A language model behind OpenAI's protocol: a cloud, vLLM, Ollama, llama.cpp. It is trusted with nothing.

What it sends is cut off after _LARGEST bytes on the wire, nothing is unpacked, no redirect is followed (the key would
go along), nothing is asked twice, and all of it ends within one deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai

from flows.choosing import Question, response_format, tool
from voicebot.config import LanguageModelSettings
from voicebot.engines.breaker import Verdict
from voicebot.engines.race import Trust
from voicebot.errors import ServiceFailed
from voicebot.language_model.answer import Answer, Failure

log = logging.getLogger(__name__)

_MOST_TOKENS = 300  # six moves with long quotations, or sixty Polish words
_LARGEST = 128 * 1024  # bytes; a server sends 200 to 300 around each token
_LADDER = ("structured", "tools", "json")
_WRONG_MODE = frozenset({400, 404, 422})  # how servers say that they do not know a parameter
_STATUSES = {401: Failure.UNAUTHORISED, 403: Failure.UNAUTHORISED, 429: Failure.BUSY}


class _TooLong(Exception):
    """The server has sent more than can be an answer."""


class _Packed(Exception):
    """The server has packed its answer, which was not asked for: it may unfold to any size."""


class LanguageModel:
    """One for all calls of a process. Raises ServiceFailed for an address or key that can not be used."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self.name = settings.model
        self._settings = settings
        self._ladder = _LADDER if settings.mode == "auto" else (settings.mode,)
        self._refused: set[str] = set()
        self._trust = Trust(f"The language model {settings.model}", settings.deadline_s)
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            raise ServiceFailed("language_model.api_key is not one line of plain letters, digits and signs.")
        http = httpx2.AsyncClient(
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_limit]},
            timeout=max(settings.deadline_s, settings.summary_deadline_s),
            follow_redirects=False,
        )
        try:
            self._client = openai.AsyncOpenAI(
                base_url=settings.url,
                api_key=settings.api_key or "none",  # never one that lies in the environment for another server
                max_retries=0,
                timeout=max(settings.deadline_s, settings.summary_deadline_s),  # each question has its own deadline
                http_client=http,
            )
        except httpx2.InvalidURL as error:
            raise ServiceFailed(f"language_model.url is not a web address: {error}.") from None

    @property
    def mode(self) -> str:
        """How it is asked now: the first way that it has not refused."""
        return next(mode for mode in self._ladder if mode not in self._refused)

    @property
    def left_alone(self) -> bool:
        """Whether it failed several times in a row, so that calls do without it for the moment."""
        return self._trust.left_alone

    async def ask(self, question: Question, deadline_s: float | None = None) -> Answer:
        """What it answers, or why not, within the deadline (None: the settings'). Raises nothing but CancelledError."""
        if not self._trust.ask():
            return Answer(self.mode, failure=Failure.LEFT_ALONE)
        verdict = Verdict.NONE
        try:
            answer = await self._within(deadline_s or self._settings.deadline_s, question)
            verdict = Verdict.BAD if answer.failure else Verdict.GOOD
            return answer
        finally:
            self._trust.ended(verdict)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _within(self, deadline_s: float, question: Question) -> Answer:
        received = _Received()
        try:
            async with asyncio.timeout(deadline_s):
                await self._ask_down_the_ladder(question, received)
        except TimeoutError:
            return received.answer(Failure.TIMEOUT)
        except Exception as error:  # whatever a library makes of what a server sends
            return received.answer(_failure(error), _detail(error))
        if received.cut_off:
            return received.answer(Failure.TOO_LONG)
        if not received.text:
            return received.answer(Failure.GARBAGE, "empty")
        return received.answer() if received.ended else received.answer(Failure.UNREACHABLE, "unfinished")

    async def _ask_down_the_ladder(self, question: Question, received: _Received) -> None:
        while True:
            received.mode = self.mode
            try:
                return await self._receive(question, received)
            except openai.APIStatusError as error:
                if error.status_code not in _WRONG_MODE or not self._step_down(received.mode, error.status_code):
                    raise

    def _step_down(self, mode: str, status: int) -> bool:
        """Whether there is another way to ask. Where all are refused, it is not the way that is wrong."""
        self._refused.add(mode)
        if self._refused.issuperset(self._ladder):
            self._refused.clear()
            return False
        log.warning("%s refuses the mode %s (status %d) and is asked by %s", self.name, mode, status, self.mode)
        return True

    async def _receive(self, question: Question, received: _Received) -> None:
        arguments: dict[str, Any] = {}
        if received.mode == "structured":
            arguments = {"response_format": response_format(dict(question.schema), question.name)}
        elif received.mode == "tools":
            arguments = tool(dict(question.schema), question.name, question.description)
        messages: Any = question.messages(with_schema=received.mode == "json")
        stream = await self._client.chat.completions.create(
            model=self._settings.model,
            messages=messages,
            temperature=0,
            max_tokens=_MOST_TOKENS,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=self._settings.extra or None,
            **arguments,
        )
        async with stream:
            async for chunk in stream:
                received.take(chunk)


class _Received:
    """What has come so far. Chunks are not what their types say: a server may send anything."""

    def __init__(self) -> None:
        self.mode = ""
        self.cut_off = False
        self.ended = False  # a stream that a proxy has lost ends like any other, but for the reason
        self._began = _now()
        self._first: float | None = None
        self._said: list[str] = []
        self._called: list[str] = []
        self._tokens: tuple[int | None, int | None] = (None, None)

    @property
    def text(self) -> str:
        """The arguments of the tool, or else what was said."""
        return "".join(self._called or self._said)

    def take(self, chunk: Any) -> None:
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        choice = _first_of(getattr(chunk, "choices", None))
        reason = getattr(choice, "finish_reason", None)
        self.cut_off = self.cut_off or reason == "length"
        self.ended = self.ended or reason is not None
        delta = getattr(choice, "delta", None)
        call = getattr(_first_of(getattr(delta, "tool_calls", None)), "function", None)
        for piece, pieces in (
            (getattr(delta, "content", None), self._said),
            (getattr(call, "arguments", None), self._called),
        ):
            if isinstance(piece, str) and piece:
                self._first = self._first or _now()
                pieces.append(piece)

    def answer(self, failure: Failure | None = None, detail: str = "") -> Answer:
        return Answer(
            self.mode,
            "" if failure else self.text,
            failure,
            detail,
            *self._tokens,
            first_token_s=None if self._first is None else self._first - self._began,
            total_s=_now() - self._began,
        )


class _Limited(httpx2.AsyncByteStream):
    """A body that breaks off when it is larger than any answer."""

    def __init__(self, body: Any) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._body:
            size += len(piece)
            if size > _LARGEST:
                raise _TooLong
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


async def _limit(response: httpx2.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _Packed
    response.stream = _Limited(response.stream)


def _failure(error: BaseException) -> Failure:
    """What an error says of the server. Libraries may have wrapped ours."""
    match error:
        case _TooLong():
            return Failure.TOO_LONG
        case openai.APITimeoutError():
            return Failure.TIMEOUT
        case openai.APIConnectionError():
            return _failure(error.__cause__) if isinstance(error.__cause__, _TooLong | _Packed) else Failure.UNREACHABLE
        case openai.APIStatusError(status_code=status):
            return _STATUSES.get(status, Failure.SERVER_ERROR if status >= 500 else Failure.REFUSED)
        case openai.APIError():
            return Failure.SERVER_ERROR  # told in the middle of the stream
    return Failure.GARBAGE


def _detail(error: BaseException) -> str:
    return f"status {error.status_code}" if isinstance(error, openai.APIStatusError) else type(error).__name__


def _first_of(items: Any) -> Any:
    return items[0] if isinstance(items, list) and items else None


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


def _now() -> float:
    return asyncio.get_running_loop().time()
