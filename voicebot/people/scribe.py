"""Pieces of speech in, their text out: one after the other by the time of their end, behind every caller of the bot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from asr.errors import AsrError, RequestRefused
from asr.recogniser import Recogniser, RecognitionRequest, Transcript
from voicebot import events
from voicebot.parts import CallContext
from voicebot.people.ears import Said, Speaker
from voicebot.records.privacy import is_refusal

log = logging.getLogger(__name__)

WAITING = 16  # pieces that may wait; the oldest is lost to a newcomer
REQUEST_S = 15.0
AGAIN_S = 1.0
KEPT_S = 30.0  # a piece so old is given up
LAST_WORDS_S = 5.0
DOUBTED = 0.35  # of the words on average: hold music of another exchange reaches 0.25, words in loud noise 0.4


def believable(heard: Transcript) -> bool:
    """Whether somebody has said that. Long texts are seldom right as a whole: what counts is each word."""
    sure = [word.confidence for word in heard.words] or [heard.confidence]
    return bool(heard.text) and sum(sure) / len(sure) >= DOUBTED


class Scribe:
    """Publishes the words of one call's people (CallerSaid, AgentSaid) as of the time at which they ended.

    Silent once the caller has refused to be recorded.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        context: CallContext,
        sample_rate: int,
        on_text: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._recogniser = recogniser
        self._context = context
        self._rate = sample_rate
        self._on_text = on_text
        self._loop = asyncio.get_running_loop()
        self.lost_some = False
        self._waiting: asyncio.Queue[Said] = asyncio.Queue(WAITING)
        self._work = asyncio.create_task(self._write_down(), name=f"write down {context.call_id}")
        self._work.add_done_callback(self._ended)

    @property
    def refused(self) -> bool:
        return any(is_refusal(event) for event in self._context.events)

    def take(self, said: Said) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
            self._lost("too much waits for the recogniser")
        self._waiting.put_nowait(said)

    async def ask(self, speaker: Speaker, audio: bytes, *, final: bool, deadline_s: float = REQUEST_S) -> Transcript:
        """Ask once. Raises AsrError."""
        whose = f"{self._context.call_id}/{speaker.agent or 'caller'}"
        return await self._recogniser.transcribe(
            RecognitionRequest(
                *(audio, self._rate, self._context.language, whose, final), deadline_s=deadline_s, background=True
            )
        )

    async def close(self, last_words_s: float = LAST_WORDS_S) -> None:
        """Write down what waits within that time. Idempotent; cancelled, it ends at once."""
        try:
            async with asyncio.timeout(last_words_s):
                await self._waiting.join()
        except TimeoutError:
            self._lost("the last words could not be written down in time")
        finally:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _write_down(self) -> None:
        while True:
            said = await self._waiting.get()
            try:
                heard = await self._recognise(said)
                if heard is None or not believable(heard) or self.refused:
                    continue
                if text := said.piece.text(heard, self._rate):
                    self._publish(said, heard, text)
                    self._on_text(text)
            finally:
                self._waiting.task_done()

    async def _recognise(self, said: Said) -> Transcript | None:
        """None when it is lost, or not to be heard."""
        while not self.refused:
            left_s = said.at + KEPT_S - self._loop.time()
            if left_s <= 0:
                self._lost("the recogniser did not answer in time")
                break
            try:
                deadline_s = min(REQUEST_S, left_s)
                return await self.ask(said.speaker, said.piece.audio, final=True, deadline_s=deadline_s)
            except RequestRefused as error:
                self._lost(str(error))
                break
            except AsrError as error:
                log.info("call %s: a piece of speech is tried again: %s", self._context.call_id, error)
                await asyncio.sleep(AGAIN_S)
        return None

    def _publish(self, said: Said, heard: Transcript, text: str) -> None:
        speaker, piece = said.speaker, said.piece
        who = {} if speaker.is_caller else {"agent": speaker.agent, "name": speaker.name}
        self._context.publish(
            events.CallerSaid if speaker.is_caller else events.AgentSaid,
            ago_s=self._loop.time() - said.at,
            text=text,
            confidence=heard.confidence,
            decode_ms=round(heard.decode_s * 1000, 1),
            audio_s=round((piece.last - piece.first) / self._rate, 3),
            **who,
        )

    def _lost(self, why: str) -> None:
        """All goes on, and so does the transcript; that it has a hole is told once."""
        log.warning("call %s: some words are not written down: %s", self._context.call_id, why)
        if not self.lost_some:
            self.lost_some = True
            self._context.publish(events.Fault, stage="transcript", message=f"Some words are missing: {why}.")

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s: writing down failed", self._context.call_id, exc_info=error)
            self._lost(str(error))
