"""The voices of the speech process, reached over its Unix socket.

The text is sent sentence by sentence. A process that dies costs no more than the sentence it was at: that one is asked
for again, and nothing is heard twice or cut. For that, a sentence of a voice that makes other samples each time is
handed on only when it is whole; one that comes in chunks is the same every time, and goes on behind what was handed on
before. What Piper does before the first chunk grows with the sentence, so its long sentences are sent by clauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import httpx

from tts.audio import pause_after
from tts.errors import SpeechBusy, SpeechUnavailable, UnknownVoice, VoiceMissing
from tts.lane import Playback
from tts.synthesizer import SpeechRequest
from tts.text import clauses, sentences

T = TypeVar("T")

_CONNECTIONS = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=60.0)
_COMPUTING = "piper:"  # voices whose sentences take long to make
_LOOK_AGAIN_S = 0.05
_DYING_S = 1.0
"""So long after a loss the old process may still take connections and drop them: that is not a second loss."""


class SpeechClient:
    """Implements Synthesizer. One per event loop; any number of texts at once.

    The next audio may take `sentence_timeout_s` with everything that happens on the way. A process that is away is
    awaited for `replacement_timeout_s`; a sentence lost with it is asked for once more.
    """

    def __init__(
        self, socket_path: Path, *, sentence_timeout_s: float = 15.0, replacement_timeout_s: float = 5.0
    ) -> None:
        self._socket_path = socket_path
        self._sentence_timeout_s = sentence_timeout_s
        self._replacement_timeout_s = replacement_timeout_s
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket_path), limits=_CONNECTIONS, verify=False),
            base_url="http://speech",
            timeout=None,  # every call runs under our own deadline
            trust_env=False,
        )

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """See Synthesizer. A full queue refuses a text at its first sentence; later ones wait while audio plays."""
        split = clauses if request.voice.startswith(_COMPUTING) else sentences
        playback = Playback()
        said = ""
        for text in split(request.text):
            pause = pause_after(said, request.sample_rate) if said else b""
            sentence = _Sentence(self._http, replace(request, text=text), playback)
            try:
                while pcm := await self._call(sentence.more, patient=bool(said) or sentence.begun):
                    playback.heard(len(pause + pcm) / 2 / request.sample_rate)
                    yield pause + pcm
                    pause = b""
            finally:
                await sentence.close()
            said = text

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer."""

        async def ask() -> str:
            reply = await self._http.get("/voice", params={"name": voice})
            _raise_for(reply)
            return str(reply.json()["fingerprint"])

        return await self._call(ask, patient=True)

    async def close(self) -> None:
        """See Synthesizer."""
        await self._http.aclose()

    async def _call(self, ask: Callable[[], Awaitable[T]], *, patient: bool) -> T:
        if self._http.is_closed:
            raise SpeechUnavailable("The speech client is closed.")
        try:
            async with asyncio.timeout(self._sentence_timeout_s):
                return await self._persevere(ask, patient)
        except TimeoutError as error:
            raise SpeechUnavailable(
                f"The speech process gave no answer within {self._sentence_timeout_s:g} s.",
                "Look at its health and at the load of the machine.",
            ) from error

    async def _persevere(self, ask: Callable[[], Awaitable[T]], patient: bool) -> T:
        now = asyncio.get_running_loop().time
        lost_at: float | None = None
        away_since: float | None = None
        while True:
            try:
                return await ask()
            except httpx.ConnectError as error:
                away_since = now() if away_since is None else away_since
                if now() - away_since > self._replacement_timeout_s:
                    raise SpeechUnavailable(
                        f"The speech process is away: nothing answers on {self._socket_path}.",
                        "It is started and replaced by `voicebot serve`; see its log for why it ended.",
                    ) from error
                await asyncio.sleep(_LOOK_AGAIN_S)
            except httpx.HTTPError as error:
                lost_at = now() if lost_at is None else lost_at
                away_since = None
                if now() - lost_at > _DYING_S:
                    raise SpeechUnavailable("The speech process died twice over one sentence.") from error
                await asyncio.sleep(_LOOK_AGAIN_S)
            except SpeechBusy:
                if not patient:
                    raise
                await asyncio.sleep(_LOOK_AGAIN_S)


class _Sentence:
    """One sentence on its way from the process, from however many processes it takes."""

    def __init__(self, http: httpx.AsyncClient, request: SpeechRequest, playback: Playback) -> None:
        self._http = http
        self._request = request
        self._playback = playback
        self._answer: AsyncGenerator[bytes] | None = None
        self._handed_on = 0  # bytes
        self._to_skip = 0

    @property
    def begun(self) -> bool:
        return self._handed_on > 0

    async def more(self) -> bytes:
        """What comes next, nothing at the end. After an error the next call asks for the sentence again."""
        if self._answer is None:
            self._answer, self._to_skip = self._asked(), self._handed_on
        try:
            async for pcm in self._answer:
                fresh = pcm[self._to_skip :]
                self._to_skip -= len(pcm) - len(fresh)
                if fresh:
                    self._handed_on += len(fresh)
                    return fresh
        except BaseException:
            self._answer = None
            raise
        return b""

    async def close(self) -> None:
        if self._answer is not None:
            await self._answer.aclose()

    async def _asked(self) -> AsyncGenerator[bytes]:
        """An answer as it comes, in whole samples."""
        headers = {"x-ahead-s": f"{self._playback.ahead_s():.3f}"}
        async with self._http.stream("POST", "/synthesize", json=asdict(self._request), headers=headers) as reply:
            if not reply.is_success:
                await reply.aread()
                _raise_for(reply)
            if reply.headers.get("x-rendering") != "streamed":
                if self._handed_on:
                    raise SpeechUnavailable("The voice changed in mid-sentence.")
                yield await reply.aread()
                return
            left = b""
            async for data in reply.aiter_bytes():
                left += data
                whole = len(left) // 2 * 2
                yield left[:whole]
                left = left[whole:]


def _raise_for(reply: httpx.Response) -> None:
    """The error that the process reported, as the type it had there."""
    if reply.is_success:
        return
    try:
        told = reply.json()
        code, message, remedy = str(told["code"]), str(told["message"]), str(told["remedy"])
    except (ValueError, KeyError, TypeError):
        raise SpeechUnavailable(f"The speech process answered {reply.status_code}.") from None
    for kind in (SpeechBusy, VoiceMissing, UnknownVoice):
        if code == kind.code:
            raise kind(message, remedy)
    raise SpeechUnavailable(message, remedy)
