"""A scripted conversation on the telephone."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from flows.actions import CallSystem
from flows.scripted import Said, Scripted
from flows.scripted.model import ACTS
from voicebot.audio_tests.watched import Watch
from voicebot.errors import ProcessFailed

READY_S = 60.0
ORDER_S = 90.0  # a long line, or one that waits for the bot to speak
HEARD_S = 25.0  # from the caller's last word to the bot's decision
SILENCE_S = 90.0  # the longest that a bot waits for a silent caller
SAID_S = 90.0  # the longest answer
QUIET_S = 0.5  # so long nothing more happens: a line may be heard as two turns
_STOP_S = 10.0

VOICES = {"pl": "espeak:pl+m6", "en": "espeak:en-us+m6"}
"""Of the callers; the demo recognition model knows them."""


class PhoneProcess:
    """`voicebot.audio_tests.phone`. A context manager."""

    def __init__(self, voices_dir: Path, log: Path) -> None:
        self._argv = [sys.executable, "-m", "voicebot.audio_tests.phone", "--voices-dir", str(voices_dir)]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        await self._answer(READY_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def order(self, **order: Any) -> str:
        """Carry out an order; what kept it from being done, or nothing. Raises ProcessFailed when the phone is gone."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        return str((await self._answer(ORDER_S)).get("error", ""))

    async def _answer(self, deadline_s: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(deadline_s):
                line = await self._process.stdout.readline()
            return dict(json.loads(line))
        except (TimeoutError, ValueError, OSError) as error:
            last = self._log.read_text(encoding="utf-8", errors="replace")[-1000:]
            raise ProcessFailed("The telephone of the caller does not answer.", f"Its last words: {last}") from error


class AudioTalk:
    """Implements Talk: the caller's lines are spoken, what the bot said is what was on the wire."""

    def __init__(self, scripted: Scripted, watch: Watch, phone: PhoneProcess, uri: str) -> None:
        self._scripted = scripted
        self._watch = watch
        self._phone = phone
        self._uri = uri
        self._acts = [step.kind for step in scripted.steps if step.kind in ACTS and step.kind != "later"]
        self._done = 0  # acts
        self._told = 0  # sentences that were returned
        self._trouble = ""
        self.shifted = timedelta()

    async def start(self) -> Sequence[Said]:
        trouble = await self._phone.order(dial=self._uri, number=self._scripted.caller or "anonymous")
        return await self._turn(0, trouble, HEARD_S)

    async def say(self, text: str) -> Sequence[Said]:
        return await self._speak("say", text)

    async def interrupt(self, text: str) -> Sequence[Said]:
        return await self._speak("interrupt", text)

    async def press(self, keys: str) -> Sequence[Said]:
        self._done += 1
        before = self._watch.steps
        return await self._turn(before, await self._phone.order(keys=keys), HEARD_S)

    async def silence(self) -> Sequence[Said]:
        self._done += 1
        return await self._turn(self._watch.steps, "", SILENCE_S)

    async def nobody_answers(self) -> Sequence[Said]:
        self._done += 1
        self._watch.handoff = None
        watch = self._watch
        await self._until(lambda: watch.refused_at is not None, HEARD_S, "the handoff did not fail")
        self._told, watch.refused_at = watch.refused_at or 0, None
        return await self._turn(0, self._trouble, HEARD_S)

    async def later(self, time: timedelta) -> Sequence[Said]:
        self.shifted += time
        return ()

    async def end(self) -> None:
        """Hang up, whatever is going on."""
        await self._phone.order(hang_up=True)

    @property
    def slots(self) -> Mapping[str, Any]:
        return self._watch.state.slots if self._watch.state else {}

    @property
    def flow(self) -> str:
        return self._watch.state.flow if self._watch.state else ""

    @property
    def over(self) -> str:
        if self._trouble:
            return self._trouble
        if self._watch.outcome:
            return "The call was over."
        if self._watch.handoff is not None:
            return f"The call was given to people ({self._watch.handoff.reason})."
        return ""

    @property
    def outcome(self) -> tuple[str, str]:
        watch = self._watch
        return ("handoff", watch.handoff.reason) if watch.handoff else (watch.outcome, "")

    @property
    def asked(self) -> Sequence[CallSystem]:
        return self._watch.systems.asked

    async def _speak(self, how: str, text: str) -> Sequence[Said]:
        self._done += 1
        before = self._watch.steps
        language = self._scripted.language
        trouble = await self._phone.order(**{how: text, "language": language, "voice": VOICES[language]})
        return await self._turn(before, trouble, HEARD_S)

    async def _turn(self, steps_before: int, trouble: str, deadline_s: float) -> Sequence[Said]:
        """What the bot says until it waits for the caller; up to its last sentence, when that is talked into next."""
        watch = self._watch
        if trouble:
            self._trouble = trouble
            return ()
        await self._until(lambda: watch.steps > steps_before, deadline_s, "the bot did not react")
        if self._acts[self._done : self._done + 1] == ["interrupts"]:
            await self._until(lambda: watch.waits and watch.to_be_said <= 1, SAID_S, "the bot did not come to an end")
        else:
            await self._settled()
        end = watch.refused_at if watch.refused_at is not None and watch.handoff else len(watch.said)
        said = watch.said[self._told : end]
        self._told = end
        return said

    async def _settled(self) -> None:
        """Until the bot has said all and nothing more happens; when the call is given away, at once."""
        watch = self._watch
        while not self._trouble:
            await self._until(
                lambda: (watch.waits and watch.to_be_said <= 0) or (watch.handoff and watch.refused_at is not None),
                SAID_S,
                "the bot did not come to an end",
            )
            if watch.handoff and watch.refused_at is not None:
                return
            watch.changed.clear()
            try:
                async with asyncio.timeout(QUIET_S):
                    await watch.changed.wait()
            except TimeoutError:
                return

    async def _until(self, true: Any, deadline_s: float, otherwise: str) -> None:
        """Wait for it; what did not come in time is the trouble that ends the conversation."""
        try:
            async with asyncio.timeout(deadline_s):
                while not true():
                    self._watch.changed.clear()
                    await self._watch.changed.wait()
        except TimeoutError:
            self._trouble = f"On the telephone {otherwise} within {deadline_s:.0f} s."
