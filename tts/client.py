"""The voices of the speech process, reached over its Unix socket.

The text is sent sentence by sentence and a sentence is handed on only when it is whole. So a process that dies costs no
more than the sentence it was at: that one is asked for again and nothing is heard twice or cut, whatever the voice. A
Piper voice computes for as long as its sentence is, so its long sentences are sent by clauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx

from tts.audio import pause_after
from tts.errors import SpeechBusy, SpeechUnavailable, UnknownVoice, VoiceMissing
from tts.synthesizer import SpeechRequest
from tts.text import clauses, sentences

_CONNECTIONS = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=60.0)
_COMPUTING = "piper:"  # voices whose sentences take long to make
_LOOK_AGAIN_S = 0.05
_DYING_S = 1.0
"""So long after a loss the old process may still take connections and drop them: that is not a second loss."""


class SpeechClient:
    """Implements Synthesizer. One per event loop; any number of texts at once.

    A sentence may take `sentence_timeout_s` with everything that happens on the way. A process that is away is awaited
    for `replacement_timeout_s`; a sentence lost with it is asked for once more.
    """

    def __init__(
        self, socket_path: Path, *, sentence_timeout_s: float = 15.0, replacement_timeout_s: float = 5.0
    ) -> None:
        self._socket_path = socket_path
        self._sentence_timeout_s = sentence_timeout_s
        self._replacement_timeout_s = replacement_timeout_s
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket_path), limits=_CONNECTIONS),
            base_url="http://speech",
            timeout=None,  # every call runs under our own deadline
        )

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """See Synthesizer. A full queue refuses a text at its first sentence; later ones wait while audio plays."""
        split = clauses if request.voice.startswith(_COMPUTING) else sentences
        said = ""
        for piece in split(request.text):
            body = asdict(replace(request, text=piece))
            pcm = (await self._call("POST", "/synthesize", patient=bool(said), json=body)).content
            yield pause_after(said, request.sample_rate) + pcm if said else pcm
            said = piece

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer."""
        reply = await self._call("GET", "/voice", patient=True, params={"name": voice})
        return str(reply.json()["fingerprint"])

    async def close(self) -> None:
        """See Synthesizer."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, *, patient: bool, **content: Any) -> httpx.Response:
        if self._http.is_closed:
            raise SpeechUnavailable("The speech client is closed.")
        try:
            async with asyncio.timeout(self._sentence_timeout_s):
                return await self._persevere(method, path, patient, content)
        except TimeoutError as error:
            raise SpeechUnavailable(
                f"The speech process gave no answer within {self._sentence_timeout_s:g} s.",
                "Look at its health and at the load of the machine.",
            ) from error

    async def _persevere(self, method: str, path: str, patient: bool, content: dict[str, Any]) -> httpx.Response:
        now = asyncio.get_running_loop().time
        lost_at: float | None = None
        away_since: float | None = None
        while True:
            try:
                reply = await self._http.request(method, path, **content)
                _raise_for(reply)
                return reply
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
