"""A message is told of, recorded, written down and kept; or the caller is told that it cannot be."""

from __future__ import annotations

import asyncio
import errno
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from asr.errors import RecogniserUnavailable
from asr.testing import Answer, ScriptedRecogniser
from telephony import recorder as recorder_module
from tests.integration.call_harness import ToldActivity, ToldStream
from tests.unit.telephony.media_rig import Rig, tone
from voicebot.events import CallClock, CallerSaid, CallEvent, EventStream, Fault, VoicemailLeft
from voicebot.parts import CallContext, Services
from voicebot.people import scribe, voicemail
from voicebot.people.voicemail import Left, TakingMessage

RATE = 8000


class TinyVoice:
    """Says everything in 40 ms, and remembers it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]:
        self.said.append(text)
        yield tone(0.04, sample_rate)


class Caller:
    def __init__(self, data: Path) -> None:
        self.rig = Rig()
        self.room = self.rig.open_room(RATE)
        self.leg = self.rig.leg()
        self.member = self.room.join(self.leg)
        self.activity = ToldActivity()
        self.answer: Answer = "proszę oddzwonić"
        self.recogniser = ScriptedRecogniser(lambda request: self.answer)
        self.voice = TinyVoice()
        self.published: list[CallEvent] = []
        stream = EventStream()
        stream.attach(self.published.append)
        self.context = CallContext("c1", "+48601234567", "100", "pl", CallClock("c1"), stream)
        services = SimpleNamespace(
            activity=self.activity, recogniser=self.recogniser, config=SimpleNamespace(data=data)
        )
        self.folder = data / "calls" / "c1"
        self.message = TakingMessage(
            cast(Services, services), self.context, self.room, self.member, self.voice, "service"
        )

    async def tick(self) -> None:
        while True:
            self.leg.incoming.append(tone(0.02, RATE))
            self.rig.run(1)
            await asyncio.sleep(0.02)

    async def ear(self) -> ToldStream:
        """Recording has begun."""
        async with asyncio.timeout(10):
            while not self.activity.streams or not self.activity.streams[0].position:
                await asyncio.sleep(0.01)
        return self.activity.streams[0]

    async def speak(self, seconds: float) -> None:
        await (await self.ear()).speak(seconds)

    def of(self, kind: type[CallEvent]) -> list[Any]:
        return [event for event in self.published if isinstance(event, kind)]

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.wav"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail, "SILENCE_S", 0.6)
    monkeypatch.setattr(voicemail, "LOOK_S", 0.01)
    monkeypatch.setattr(voicemail, "TONE_S", 0.1)
    monkeypatch.setattr(scribe, "AGAIN_S", 0.01)
    monkeypatch.setattr(scribe, "KEPT_S", 1.5)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    caller = Caller(tmp_path)
    ticking = asyncio.create_task(caller.tick())
    yield caller
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


def loud_s(path: Path) -> float:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert (samples[:, 0] == samples[:, 1]).all()
    return float(np.count_nonzero(np.abs(samples[:, 0].reshape(-1, 160)).max(axis=1) > 5000)) * 0.02


async def test_a_message_is_kept_with_its_words(caller: Caller) -> None:
    running = asyncio.create_task(caller.message.run())
    await caller.speak(1.0)
    assert await running is Left.MESSAGE
    [left] = caller.of(VoicemailLeft)
    assert (left.queue, left.number, left.text) == ("service", "+48601234567", "proszę oddzwonić")
    [path] = caller.files
    assert path.name == f"voicemail-{left.voicemail}.wav"
    assert left.duration_s == pytest.approx(loud_s(path), abs=0.1)
    assert 1.0 < left.duration_s < 3.0
    assert [said.text for said in caller.of(CallerSaid)] == ["proszę oddzwonić"]
    assert "po sygnale" in caller.voice.said[0]
    assert "została nagrana" in caller.voice.said[-1]
    assert all(request.background for request in caller.recogniser.requests)


async def test_the_prompt_and_the_tone_are_not_in_it(caller: Caller) -> None:
    running = asyncio.create_task(caller.message.run())
    stream = await caller.ear()
    assert stream.position < 0.2 * RATE + (0.04 + 0.1) * RATE + 0.2 * RATE
    caller.message.key("#")
    await running


async def test_the_hash_key_ends_it_at_once(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail, "SILENCE_S", 60.0)
    running = asyncio.create_task(caller.message.run())
    stream = await caller.ear()
    await stream.start()
    await stream.until(stream.position + RATE // 2)
    caller.message.key("5")
    await asyncio.sleep(0.1)
    assert not running.done()
    caller.message.key("#")
    async with asyncio.timeout(5):
        assert await running is Left.MESSAGE
    assert len(caller.of(VoicemailLeft)) == 1


async def test_who_hangs_up_has_left_a_message(caller: Caller) -> None:
    running = asyncio.create_task(caller.message.run())
    stream = await caller.ear()
    await stream.start()
    await stream.until(stream.position + RATE)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [left] = caller.of(VoicemailLeft)
    assert left.text == "proszę oddzwonić"
    assert len(caller.files) == 1


async def test_who_hangs_up_before_the_tone_has_left_none(caller: Caller) -> None:
    running = asyncio.create_task(caller.message.run())
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert caller.of(VoicemailLeft) == []
    assert caller.files == []


async def test_its_length_is_bounded(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail, "LONGEST_S", 0.8)
    running = asyncio.create_task(caller.message.run())
    await (await caller.ear()).start()
    assert await running is Left.MESSAGE
    assert caller.of(VoicemailLeft)[0].duration_s == pytest.approx(0.8, abs=0.3)
    assert "cały czas" in caller.voice.said[-1]


async def test_silence_is_not_kept(caller: Caller) -> None:
    assert await caller.message.run() is Left.NOTHING
    assert caller.of(VoicemailLeft) == []
    assert caller.files == []
    assert "żadnej" in caller.voice.said[-1]


@pytest.mark.parametrize(("seconds", "left"), [(0.4, Left.NOTHING), (1.8, Left.MESSAGE)])
async def test_a_cough_is_not_kept_but_speech_that_was_not_understood_is(
    caller: Caller, seconds: float, left: Left
) -> None:
    caller.answer = ""
    running = asyncio.create_task(caller.message.run())
    await caller.speak(seconds)
    assert await running is left
    assert len(caller.files) == (left is Left.MESSAGE)


async def test_without_the_recogniser_the_sound_is_kept(caller: Caller) -> None:
    caller.answer = RecogniserUnavailable("away")
    running = asyncio.create_task(caller.message.run())
    await caller.speak(0.5)
    assert await running is Left.MESSAGE
    assert [left.text for left in caller.of(VoicemailLeft)] == [""]
    assert [fault.stage for fault in caller.of(Fault)] == ["transcript"]


async def test_who_refused_to_be_recorded_is_called_back(caller: Caller) -> None:
    caller.context.refuse_recording()
    assert await caller.message.run() is Left.CALLBACK
    assert caller.files == []
    assert len(caller.voice.said) == 1
    assert "nie jest nagrywana" in caller.voice.said[0]


async def test_a_refusal_in_the_middle_leaves_nothing(caller: Caller) -> None:
    running = asyncio.create_task(caller.message.run())
    await caller.speak(0.3)
    caller.context.refuse_recording()
    assert await running is Left.CALLBACK
    assert caller.of(VoicemailLeft) == []
    assert caller.files == []


async def test_a_disk_that_takes_nothing_is_told_before_anybody_speaks(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recorder_module, "_create", full)
    assert await caller.message.run() is Left.CALLBACK
    assert ["nie możemy teraz nagrać" in said for said in caller.voice.said] == [True]
    assert [fault.stage for fault in caller.of(Fault)] == ["voicemail"]


async def test_a_disk_that_fills_up_is_told_and_nothing_is_kept(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recorder_module.Recorder, "_write_queued", full)
    running = asyncio.create_task(caller.message.run())
    await (await caller.ear()).start()
    assert await running is Left.CALLBACK
    assert "nie możemy teraz nagrać" in caller.voice.said[-1]
    assert caller.of(VoicemailLeft) == []
    assert caller.files == []


async def test_voice_activity_that_fails_does_not_lose_the_message(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicemail, "LONGEST_S", 1.5)
    running = asyncio.create_task(caller.message.run())
    await caller.ear()
    for _ in range(4):
        caller.activity.streams[-1].fail("broken")
        await asyncio.sleep(0.02)
    assert await running is Left.MESSAGE
    assert len(caller.files) == 1
