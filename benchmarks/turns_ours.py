"""The product's own ear in audio time: `Listener`, `Turns`, `Dialog` and decoder as in a call, on an event loop whose
clock is the caller's audio.

All that `benchmarks.turns` knows of them stands here. Whatever takes computing time in a call takes a stated time here:
recognition `DECODE_S`. Nothing may run in a thread, the clock would not wait for it.
"""

from __future__ import annotations

import asyncio
import selectors
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from asr.activity import ActivityService
from asr.decoder import Decoder
from asr.device import choose_device
from asr.errors import RecogniserBusy
from asr.models import find
from asr.recogniser import RecognitionRequest, Transcript
from benchmarks.turns_corpus import Turn
from benchmarks.turns_rivals import FRAME
from benchmarks.turns_sound import RATE, Spoken
from flows import CallStarted, EmbeddedUnderstanding, Engine, Heard, Listen, Understanding, Understood, load_bot
from flows.commands import Command, SetSlot, StartFlow
from voicebot.dialog import Dialog
from voicebot.listener import Listener, Utterance, Words
from voicebot.patience import patience_for
from voicebot.signals import EndTurn, Resume, StopBot

BOT = Path(__file__).with_name("turns_bot")
DECODE_S = 0.06  # from the request to its transcript
LONGEST_MS = 30_000
NOW = datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("Europe/Warsaw"))
# The flow that asks each question of the corpus, and what has been answered before.
ASKED_BY = {
    "order_number": "order_status", "confirm": "order_status", "phone": "phone_number", "pesel": "registration",
    "name": "contact", "description": "complaint", "day": "appointment", "choice": "invoice", "yes_no": "contract",
}  # fmt: skip
ANSWERED: Mapping[str, tuple[Command, ...]] = {"confirm": (SetSlot("order_number", "481516"),)}


@dataclass(frozen=True)
class Ended:
    """at: the sample at which the turn was taken to be over, None: it was not. text: what was heard by then."""

    at: int | None
    text: str


class Ours:
    """One at a time: `activity` must not have been started."""

    def __init__(self, activity: ActivityService) -> None:
        self._activity = activity
        self._decoder = Decoder(find("demo", Path(tempfile.gettempdir())), choose_device(), threads=1)
        bot = load_bot(BOT)
        self._engine, self._understanding = Engine(bot), EmbeddedUnderstanding(bot)

    def end(self, spoken: Spoken) -> Ended:
        with asyncio.Runner(loop_factory=AudioTimeLoop) as runner:
            return runner.run(self._listen(spoken))

    async def _listen(self, spoken: Spoken) -> Ended:
        mind = _Mind(self._decoder, spoken.turn.language, asked(spoken.turn, self._engine, self._understanding))
        listener = Listener(self._activity, RATE, _Mute(), mind)
        listener.expect(patience_for(mind.dialog.expect, longest_ms=LONGEST_MS))
        began = asyncio.get_running_loop().time()
        for start in range(0, len(spoken.audio) // 2, FRAME):
            await asyncio.sleep(FRAME / RATE)
            listener.feed(start, spoken.audio[2 * start : 2 * (start + FRAME)])
            self._activity.step()
            if mind.ended is not None or mind.faults:
                break
        ended = Ended(None, "")
        if mind.ended is not None:
            words = await mind.ended.words
            ended = Ended(round((mind.ended.ended_at - began) * RATE), words.transcript.text)
        await listener.close()
        if mind.faults:
            raise RuntimeError(mind.faults[0])
        return ended


class _Mind:
    """The conversation, as far as the ear needs one: it takes the first turn that ends."""

    def __init__(self, decoder: Decoder, language: str, dialog: Dialog) -> None:
        self._decoder, self._language = decoder, language
        self.dialog = dialog
        self.ended: Utterance | None = None
        self.faults: list[str] = []  # told on the loop, which would swallow an exception

    async def recognise(self, audio: bytes, *, final: bool) -> Transcript:
        if not final:  # such texts decide only whether the bot is interrupted, and it is not speaking
            raise RecogniserBusy("Partial texts are left out.")
        await asyncio.sleep(DECODE_S)
        hints = self.dialog.expect.hints
        return self._decoder.transcribe(RecognitionRequest(audio, RATE, self._language, "turns", hints=hints))

    async def consider(self, transcript: Transcript, *, paused: bool = False) -> Words:
        return await self.dialog.consider(transcript)

    def turn_ended(self, utterance: Utterance) -> None:
        self.ended = self.ended or utterance

    def no_input(self) -> None:
        pass

    def saying(self, text: str) -> None:
        pass

    def decided(self, effect: Resume | StopBot | EndTurn) -> None:
        pass

    def was_deaf(self, reason: str) -> None:
        raise RuntimeError(reason)

    def fault(self, message: str) -> None:
        self.faults.append(message)


def asked(turn: Turn, engine: Engine, understanding: Understanding) -> Dialog:
    """A dialog in which the turn's question is the open one."""
    dialog = Dialog(engine, understanding, lambda: NOW)
    actions = dialog.begin(CallStarted("turns", "", "100", turn.language))
    if turn.question in ASKED_BY:
        commands = (StartFlow(ASKED_BY[turn.question]), *ANSWERED.get(turn.question, ()))
        actions = dialog.apply(Heard(Understood(commands, "benchmark", 1.0, "")))
    (dialog.expect,) = [action.expect for action in actions if isinstance(action, Listen)]
    return dialog


class _Mute:
    """The bot does not speak here."""

    def duck(self, gain_db: float) -> None:
        raise AssertionError("nothing is being said")

    def hold(self) -> None:
        raise AssertionError("nothing is being said")

    def resume(self) -> None:
        raise AssertionError("nothing is being said")

    def interrupt(self) -> None:
        raise AssertionError("nothing is being said")


class AudioTimeLoop(asyncio.SelectorEventLoop):
    """Its time stands still while there is something to do, and else jumps to the next timer."""

    def __init__(self) -> None:
        self._waits = _Waits()
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.now


class _Waits(selectors.DefaultSelector):
    """Waiting takes no time but the loop's."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)
