"""What people say to each other in a talk, written down while they talk: the bot is silent and only overhears.

Voice activity finds what is said (`ears`), it is cut (`pieces`) and decoded by the shared recogniser in the background
(`scribe`): no caller of the bot waits for a talk. What is told late carries the time at which it was said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from asr.errors import AsrError
from asr.partials import PartialText
from telephony.member import Member
from voicebot import events
from voicebot.parts import CallContext, Services
from voicebot.people.ears import LOOK_S, Ear, Said, Speaker
from voicebot.people.scribe import LAST_WORDS_S, Scribe

log = logging.getLogger(__name__)


class Overhearing:
    """The talk of one call, whoever comes and goes in it. Belongs to the event loop.

    Silent after `RecordingStopped` with reason refused, and while `hold` holds.
    """

    def __init__(
        self, services: Services, context: CallContext, sample_rate: int, followed: Callable[[], bool] = lambda: True
    ) -> None:
        """`sample_rate`: the room's. `followed`: whether anybody looks at the call; else no partial texts are made."""
        self._activity = services.activity
        self._context = context
        self._rate = sample_rate
        self._followed = followed
        self._scribe = Scribe(services.recogniser, context, sample_rate)
        self._ears: dict[Member, Ear] = {}
        self._held = self._closed = False
        self._speech = asyncio.Event()
        self._looking = self._task(self._look(), "overhear")
        self._saying: asyncio.Task[None] | None = None

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
        tasks = [task for task in (self._looking, self._saying) if task is not None]
        for task in tasks:
            task.cancel()
        try:
            await self._scribe.close(last_words_s)
        finally:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, member: Member, speaker: Speaker) -> None:
        self.stop_hearing(member)
        ear = self._ears[member] = Ear(self._activity, member, self._rate, speaker, self)
        self._open(ear)

    def _open(self, ear: Ear) -> None:
        if not (self._held or self._closed or self._scribe.refused):
            ear.open()

    # What an ear tells (ears.Mind)

    def speech_began(self) -> None:
        self._speech.set()

    def said(self, said: Said) -> None:
        self._scribe.take(said)

    def deaf(self, reason: str) -> None:
        self._context.publish(events.Fault, stage="voice activity", message=reason)

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

    # The caller's words so far

    def _follow(self, ear: Ear) -> None:
        """One request at a time."""
        if (self._saying is not None and not self._saying.done()) or self._scribe.refused or not self._followed():
            return
        due = ear.partial()
        if due is not None:
            self._saying = self._task(self._tell_words_so_far(ear, *due), "follow")

    async def _tell_words_so_far(self, ear: Ear, partial: PartialText, audio: bytes) -> None:
        try:
            heard = await self._scribe.ask(ear.speaker, audio, final=False)
        except AsrError as error:
            log.debug("no partial text: %s", error)
            partial.missed()
            return
        if partial.heard(heard.words) and ear.follows(partial) and not self._scribe.refused:
            self._context.publish(events.CallerSaying, text=partial.text)

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{name} {self._context.call_id}")
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
            self._context.publish(events.Fault, stage="transcript", message=str(error))
