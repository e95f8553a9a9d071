"""What people say to each other in a talk, written down while they talk: the bot is silent and only overhears.

Voice activity finds what is said, `pieces` cuts it, the shared recogniser decodes it in the background: no caller of
the bot waits for a talk. What is told late carries the time at which it was said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from asr.errors import AsrError, RequestRefused
from asr.partials import PartialText
from asr.recogniser import RecognitionRequest, Transcript
from telephony.member import Member
from voicebot import events
from voicebot.parts import CallContext, Services
from voicebot.people.ears import Ear, Said, Speaker
from voicebot.records.privacy import is_refusal

log = logging.getLogger(__name__)

LOOK_S = 0.1  # while somebody speaks
WAITING = 16  # pieces that may wait; the oldest is lost to a newcomer
REQUEST_S = 15.0
AGAIN_S = 1.0
KEPT_S = 30.0  # a piece so old is given up
LAST_WORDS_S = 5.0


class Overhearing:
    """The talk of one call, whoever comes and goes in it. Belongs to the event loop.

    Silent after `RecordingStopped` with reason refused, and while `hold` holds.
    """

    def __init__(
        self,
        services: Services,
        context: CallContext,
        sample_rate: int,
        followed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`sample_rate`: the room's. `followed`: whether anybody looks at the call; else no partial texts are made."""
        self._activity = services.activity
        self._recogniser = services.recogniser
        self._context = context
        self._rate = sample_rate
        self._followed = followed
        self._loop = asyncio.get_running_loop()
        self._ears: dict[Member, Ear] = {}
        self._held = self._closed = False
        self._lost_some = False
        self._speech = asyncio.Event()
        self._waiting: asyncio.Queue[Said] = asyncio.Queue(WAITING)
        self._saying: asyncio.Task[None] | None = None
        self._tasks = [self._task(self._look(), "overhear"), self._task(self._write_down(), "write down")]

    def hear_caller(self, member: Member) -> None:
        self._hear(member, Speaker())

    def hear_agent(self, member: Member, agent: str, name: str = "") -> None:
        """`agent`: a login, or the name of a desk phone."""
        self._hear(member, Speaker(agent, name))

    def stop_hearing(self, member: Member) -> None:
        """That member leaves the talk; what was said until now is written down."""
        ear = self._ears.pop(member, None)
        if ear is not None:
            ear.shut()

    def hold(self) -> None:
        """Caller and agent do not hear each other: nobody is overheard until `resume`. Idempotent."""
        self._held = True
        for ear in self._ears.values():
            ear.shut()

    def resume(self) -> None:
        self._held = False
        for ear in self._ears.values():
            self._open(ear)

    async def close(self, last_words_s: float = LAST_WORDS_S) -> None:
        """Hear nothing more, and write down what waits within that time. Idempotent; cancelled, it ends at once."""
        self._closed = True
        for ear in self._ears.values():
            ear.shut()
        self._ears.clear()
        try:
            async with asyncio.timeout(last_words_s):
                await self._waiting.join()
        except TimeoutError:
            self._lost("the last words could not be written down in time")
        finally:
            tasks = [*self._tasks, *([self._saying] if self._saying is not None else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, member: Member, speaker: Speaker) -> None:
        self.stop_hearing(member)
        ear = self._ears[member] = Ear(self._activity, member, self._rate, speaker, self)
        self._open(ear)

    def _open(self, ear: Ear) -> None:
        if not (self._held or self._closed or self._refused):
            ear.open()

    @property
    def _refused(self) -> bool:
        return any(is_refusal(event) for event in self._context.events)

    # What an ear tells (ears.Mind)

    def speech_began(self) -> None:
        self._speech.set()

    def said(self, said: Said) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
            self._lost("too much waits for the recogniser")
        self._waiting.put_nowait(said)

    def deaf(self, reason: str) -> None:
        self._context.publish(events.Fault, stage="voice activity", message=reason)

    # The tasks

    async def _look(self) -> None:
        while True:
            await self._speech.wait()
            await asyncio.sleep(LOOK_S)
            busy = [ear for ear in self._ears.values() if ear.busy]
            if not busy:
                self._speech.clear()
            for ear in busy:
                ear.look()
                if ear.speaker.is_caller:
                    self._follow(ear)

    async def _write_down(self) -> None:
        while True:
            said = await self._waiting.get()
            try:
                heard = await self._recognise(said)
                text = said.piece.text(heard, self._rate) if heard is not None else ""
                if heard is not None and text and not self._refused:
                    self._publish(said, heard, text)
            finally:
                self._waiting.task_done()

    async def _recognise(self, said: Said) -> Transcript | None:
        """None when it is lost, or not to be heard."""
        while not self._refused:
            left_s = said.at + KEPT_S - self._loop.time()
            if left_s <= 0:
                self._lost("the recogniser did not answer in time")
                break
            try:
                return await self._recogniser.transcribe(
                    self._request(said.speaker, said.piece.audio, final=True, deadline_s=min(REQUEST_S, left_s))
                )
            except RequestRefused as error:
                self._lost(str(error))
                break
            except AsrError as error:
                log.info("call %s: a piece of a talk is tried again: %s", self._context.call_id, error)
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

    def _follow(self, ear: Ear) -> None:
        """The caller's words so far, one request at a time."""
        if (self._saying is not None and not self._saying.done()) or self._refused or not self._followed():
            return
        due = ear.partial()
        if due is not None:
            self._saying = self._task(self._tell_words_so_far(ear, *due), "follow")

    async def _tell_words_so_far(self, ear: Ear, partial: PartialText, audio: bytes) -> None:
        request = self._request(ear.speaker, audio, final=False, deadline_s=REQUEST_S)
        try:
            heard = await self._recogniser.transcribe(request)
        except AsrError as error:
            log.debug("no partial text: %s", error)
            partial.missed()
            return
        if partial.heard(heard.words) and ear.follows(partial) and not self._refused:
            self._context.publish(events.CallerSaying, text=partial.text)

    def _request(self, speaker: Speaker, audio: bytes, *, final: bool, deadline_s: float) -> RecognitionRequest:
        context = self._context
        whose = f"{context.call_id}/{speaker.agent or 'caller'}"
        return RecognitionRequest(
            audio, self._rate, context.language, whose, final, deadline_s=deadline_s, background=True
        )

    def _lost(self, why: str) -> None:
        """The talk goes on and so does the transcript; that it has a hole is told once."""
        log.warning("call %s: part of a talk is not written down: %s", self._context.call_id, why)
        if not self._lost_some:
            self._lost_some = True
            self._context.publish(events.Fault, stage="transcript", message=f"Part of a talk is missing: {why}.")

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{name} {self._context.call_id}")
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
            self._lost(str(error))
