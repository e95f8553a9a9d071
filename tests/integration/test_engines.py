"""A configured service and ours behind it: who answers, how long it takes, and that nothing is left running."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from asr.errors import RecogniserBusy, RecogniserTimeout, RecogniserUnavailable
from asr.recogniser import Recogniser, RecognitionRequest
from asr.testing import ScriptedRecogniser
from tts.errors import SpeechBusy, SpeechUnavailable
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.testing import ToneSynthesizer
from voicebot.config import HearingService, SpeakingService
from voicebot.engines import breaker, pool
from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
from voicebot.engines.hearing import ServiceRecogniser
from voicebot.engines.race import Why
from voicebot.engines.speaking import ServiceSynthesizer
from voicebot.engines.testing import ContextVoice, FakeVendor, SegmentEars, StreamEars, WholeVoice
from voicebot.parts import Voice

ASK = RecognitionRequest(b"\1\0" * 8000, 8000, "pl", "call")
FIRST, SECOND = "Paczka jest w drodze.", "Dotrze jutro."
SAY = SpeechRequest(f"{FIRST} {SECOND}", "pl", "tone:1", 8000)
EARS = pytest.mark.parametrize("kind", [SegmentEars, StreamEars])
VOICES = pytest.mark.parametrize("kind", [WholeVoice, ContextVoice])


@pytest.fixture(autouse=True)
async def in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(30):
        yield


def heard(vendor: FakeVendor) -> FakeVendor:
    vendor.text_of = lambda audio: "to ja"
    return vendor


# Services in the pool


@contextlib.asynccontextmanager
async def ears(kind: Any, vendor: FakeVendor, **options: Any) -> AsyncIterator[ServiceRecogniser]:
    service = ServiceRecogniser(lambda language: kind(vendor=vendor), "fake", sample_rate=8000, **options)
    try:
        yield service
    finally:
        await service.close()
    assert not vendor.open


@contextlib.asynccontextmanager
async def voice(kind: Any, vendor: FakeVendor, **options: Any) -> AsyncIterator[ServiceSynthesizer]:
    service = ServiceSynthesizer(lambda language: kind(vendor=vendor), str, lambda language: True, **options)
    try:
        yield service
    finally:
        await service.close()
    assert not vendor.open


async def said(service: ServiceSynthesizer) -> bytes:
    return b"".join([pcm async for pcm in service.synthesize(replace(SAY, voice="service:pl"))])


@EARS
async def test_a_connection_serves_one_utterance_after_the_other(kind: Any) -> None:
    vendor = heard(FakeVendor())
    async with ears(kind, vendor) as service:
        for _ in range(3):
            assert (await service.transcribe(ASK)).text == "to ja"
        await asyncio.gather(*(service.transcribe(ASK) for _ in range(3)))
        assert vendor.made <= 3


async def test_a_call_that_begins_finds_a_connection() -> None:
    vendor = heard(FakeVendor())
    async with ears(StreamEars, vendor) as service:
        service.warm("pl")
        while not service._pool._resting:
            await asyncio.sleep(0.01)
        await service.transcribe(ASK)
        assert vendor.made == 1


@EARS
async def test_who_gives_up_while_it_is_connected_leaves_nothing_behind(kind: Any) -> None:
    """At whatever moment; that no task is left is looked at after every test."""
    for moment in range(40):
        async with ears(kind, heard(FakeVendor(delay_s=0.02))) as service:
            asked = asyncio.create_task(service.transcribe(ASK))
            await asyncio.sleep(moment * 0.0005)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)


@EARS
async def test_more_than_may_be_connected_are_refused(kind: Any) -> None:
    vendor = heard(FakeVendor(delay_s=0.2))
    async with ears(kind, vendor, connections=1) as service:
        first = asyncio.create_task(service.transcribe(ASK))
        await asyncio.sleep(0.05)
        with pytest.raises(RecogniserBusy):
            await service.transcribe(ASK)
        assert (await first).text == "to ja"
        assert (await service.transcribe(replace(ASK, language="en"))).text == "to ja"
        assert vendor.made == 2, "the one that rested made room"


@EARS
async def test_what_was_given_up_is_not_heard_by_the_next(kind: Any) -> None:
    vendor = FakeVendor(lambda audio: "nowe" if audio[0] else "stare", delay_s=0.1)
    async with ears(kind, vendor) as service:
        old = asyncio.create_task(service.transcribe(replace(ASK, audio=bytes(16000))))
        await asyncio.sleep(0.05)
        old.cancel()
        assert (await service.transcribe(ASK)).text == "nowe"


@EARS
async def test_a_service_that_reports_an_error_is_not_asked_again(kind: Any) -> None:
    vendor = FakeVendor(error="no credit")
    async with ears(kind, vendor) as service:
        with pytest.raises(RecogniserUnavailable, match="no credit"):
            await service.transcribe(ASK)
        vendor.error = ""
        heard(vendor)
        assert (await service.transcribe(ASK)).text == "to ja"


@EARS
async def test_a_service_that_hangs_is_left_at_the_deadline(kind: Any) -> None:
    vendor = FakeVendor(hangs=True)
    async with ears(kind, vendor) as service:
        with pytest.raises(RecogniserTimeout):
            await service.transcribe(replace(ASK, deadline_s=0.1))


async def test_pieces_that_are_not_marked_end_by_quiet() -> None:
    vendor = FakeVendor(lambda audio: "gdzie jest paczka", unmarked=True)
    async with ears(StreamEars, vendor) as service:
        assert (await service.transcribe(ASK)).text == "gdzie jest paczka"


async def test_a_service_that_cannot_be_made_is_unavailable() -> None:
    def make(language: str) -> SegmentEars:
        raise ValueError("no such model")

    service = ServiceRecogniser(make, "fake")
    with pytest.raises(RecogniserUnavailable, match="no such model"):
        await service.transcribe(ASK)
    await service.close()


async def test_a_connection_that_rests_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "REST_S", 0.05)
    vendor = heard(FakeVendor())
    async with ears(StreamEars, vendor) as service:
        await service.transcribe(ASK)
        while vendor.open:
            await asyncio.sleep(0.01)


@VOICES
async def test_speech_that_is_broken_off_costs_no_connection(kind: Any) -> None:
    vendor = FakeVendor()
    async with voice(kind, vendor, connections=1) as service:
        whole = len(await said(service))
        for _ in range(3):
            pieces = service.synthesize(replace(SAY, voice="service:pl"))
            await anext(pieces)
            await pieces.aclose()  # type: ignore[attr-defined]
            while True:  # for a moment it is still at the old sentence
                with contextlib.suppress(SpeechBusy):
                    assert len(await said(service)) == pytest.approx(whole, rel=0.02)
                    break
                await asyncio.sleep(0.01)
        assert vendor.made == 1


@VOICES
async def test_speech_that_fails_says_so(kind: Any) -> None:
    vendor = FakeVendor(error="no credit")
    async with voice(kind, vendor) as service:
        with pytest.raises(SpeechUnavailable, match="no credit"):
            await said(service)


@VOICES
async def test_a_cancelled_text_leaves_nothing(kind: Any) -> None:
    vendor = FakeVendor(hangs=True)
    async with voice(kind, vendor) as service:
        task = asyncio.create_task(said(service))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@VOICES
async def test_loud_and_soft_voices_meet_one_level(kind: Any) -> None:
    peaks = []
    for amplitude in (0.05, 0.5):
        async with voice(kind, FakeVendor(amplitude=amplitude)) as service:
            pcm = memoryview(await said(service)).cast("h")
            peaks.append(max(pcm))
    assert peaks[0] == pytest.approx(peaks[1], rel=0.1)


# Ours behind it


@dataclass
class Backed:
    """One call's ear and voice; `told` is what stood on its record."""

    vendor: FakeVendor
    ours: ScriptedRecogniser
    tones: ToneSynthesizer
    hearing: ConfiguredHearing
    speaking: ConfiguredVoice
    ear: Recogniser
    voice: Voice
    told: list[Why] = field(default_factory=list)

    async def hear(self) -> str:
        return (await self.ear.transcribe(ASK)).text

    async def say(self, language: str = "pl") -> bytes:
        return b"".join([pcm async for pcm in self.voice.say(SAY.text, language, 8000)])


@pytest.fixture
async def backed(tmp_path: Path) -> AsyncIterator[Callable[..., Backed]]:
    """`backed(ears, voice, **settings)`."""
    made: list[Backed] = []

    def make(kind: type = SegmentEars, spoken_by: type = WholeVoice, **settings: Any) -> Backed:
        vendor = heard(FakeVendor())
        told: list[Why] = []
        common = {"arguments": {"vendor": vendor}, "slow_s": 1.0, **settings}
        hearing = ConfiguredHearing(HearingService.model_validate({"class": path(kind), **common}))
        speaking = ConfiguredVoice(SpeakingService.model_validate({"class": path(spoken_by), **common}), tmp_path)
        ours, tones = ScriptedRecogniser(lambda request: "nasz"), ToneSynthesizer(character_s=0.02)
        ear = hearing.backed_by(ours, told.append)
        mouth = speaking.backed_by(PromptStore(tmp_path, tones), phrase, told.append)
        made.append(Backed(vendor, ours, tones, hearing, speaking, ear, mouth, told))
        return made[-1]

    yield make
    for each in made:
        await each.hearing.close()
        await each.speaking.close()
        assert not each.vendor.open


def phrase(text: str, language: str, sample_rate: int, voice: str = "", *, pace: float = 1.0) -> SpeechRequest:
    return SpeechRequest(text, language, voice or "tone:1", sample_rate)


def path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


@EARS
async def test_the_service_hears_and_ours_is_not_asked(backed: Callable[..., Backed], kind: type) -> None:
    call = backed(kind)
    assert await call.hear() == "to ja"
    assert call.ours.requests == []
    assert call.told == []


@EARS
async def test_ours_hears_when_the_service_fails_or_is_slow(backed: Callable[..., Backed], kind: type) -> None:
    call = backed(kind)
    call.vendor.error = "no credit"
    assert await call.hear() == "nasz"
    call.vendor.error, call.vendor.hangs = "", True
    assert await call.hear() == "nasz"
    assert call.told == [Why.FAILED, Why.SLOW]


async def test_ours_hears_when_all_connections_are_in_use(backed: Callable[..., Backed]) -> None:
    call = backed(connections=1, slow_s=10.0)
    call.vendor.delay_s = 0.5
    texts = await asyncio.gather(*(call.hear() for _ in range(breaker.PATIENCE + 2)))
    assert sorted(texts) == ["nasz"] * (breaker.PATIENCE + 1) + ["to ja"]
    assert call.told == [Why.BUSY] * (breaker.PATIENCE + 1)
    assert await call.hear() == "to ja", "to be busy is no fault"


async def test_a_slow_service_that_answers_before_ours_is_taken(backed: Callable[..., Backed]) -> None:
    call = backed(slow_s=0.05)
    call.vendor.delay_s, call.ours.delay_s = 0.3, 5.0
    assert await call.hear() == "to ja"
    assert len(call.ours.cancelled) == 1
    assert call.told == []


async def test_when_ours_fails_too_the_service_is_waited_for(backed: Callable[..., Backed]) -> None:
    call = backed(slow_s=0.05)
    call.vendor.delay_s = 0.3
    call.ours = ScriptedRecogniser([RecogniserBusy("full")])
    call.ear = call.hearing.backed_by(call.ours, call.told.append)
    assert await call.hear() == "to ja"


async def test_when_both_fail_the_error_is_ours(backed: Callable[..., Backed]) -> None:
    call = backed()
    call.vendor.error = "no credit"
    call.ear = call.hearing.backed_by(ScriptedRecogniser([RecogniserBusy("full")]), call.told.append)
    with pytest.raises(RecogniserBusy, match="full"):
        await call.hear()


async def test_silence_is_no_fault_of_a_service_that_says_nothing(backed: Callable[..., Backed]) -> None:
    call = backed(StreamEars, slow_s=0.05)
    call.vendor.text_of = lambda audio: ""
    call.ear = call.hearing.backed_by(ScriptedRecogniser(), call.told.append)  # ours hears silence as well
    for _ in range(breaker.PATIENCE + 1):
        assert await call.hear() == ""
    assert call.told == []


async def test_a_service_that_goes_on_failing_is_left_alone_and_tried_again(
    backed: Callable[..., Backed], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = backed()
    call.vendor.error = "no credit"
    for _ in range(breaker.PATIENCE + 2):
        assert await call.hear() == "nasz"
    assert len(call.vendor.asked) == breaker.PATIENCE
    assert call.told == [Why.FAILED] * breaker.PATIENCE + [Why.LEFT_ALONE] * 2
    monkeypatch.setattr(breaker, "LEFT_ALONE_S", 0.0)
    call.vendor.error = ""
    assert [await call.hear(), await call.hear()] == ["to ja", "to ja"]


@pytest.mark.parametrize("change", [{"final": False}, {"languages": ("en",)}, {"language": "en"}])
async def test_what_only_ours_can_do_is_left_to_ours(backed: Callable[..., Backed], change: dict[str, Any]) -> None:
    call = backed(languages={"pl": {}})
    assert (await call.ear.transcribe(replace(ASK, **change))).text == "nasz"
    assert call.vendor.asked == []
    assert call.told == []


async def test_a_caller_who_speaks_on_ends_both(backed: Callable[..., Backed]) -> None:
    call = backed(slow_s=0.05)
    call.vendor.hangs, call.ours.delay_s = True, 5.0
    task = asyncio.create_task(call.hear())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(call.ours.cancelled) == 1
    assert call.told == []


# The same for speech. The service's voice takes 60 ms a character, ours 20.


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / 8000


@VOICES
async def test_the_service_speaks(backed: Callable[..., Backed], kind: type) -> None:
    call = backed(spoken_by=kind)
    assert seconds(await call.say()) == pytest.approx(0.06 * len(SAY.text) + 0.2, abs=0.15)
    assert call.vendor.asked == [FIRST, SECOND]
    assert call.tones.requests == []


@VOICES
@pytest.mark.parametrize("trouble", [{"hangs": True}, {"error": "no credit"}])
async def test_ours_speaks_the_whole_text_when_nothing_comes(
    backed: Callable[..., Backed], kind: type, trouble: dict[str, Any]
) -> None:
    call = backed(spoken_by=kind)
    vars(call.vendor).update(trouble)
    await call.say()
    assert [request.text for request in call.tones.requests] == [SAY.text]
    assert [request.voice for request in call.tones.requests] == ["tone:1"]
    assert call.told == [Why.SLOW if "hangs" in trouble else Why.FAILED]


@VOICES
async def test_a_sentence_that_breaks_off_is_said_again_by_ours(backed: Callable[..., Backed], kind: type) -> None:
    call = backed(spoken_by=kind)
    await call.say()  # the level is known: audio goes out as it comes
    call.vendor.error, call.vendor.breaks_after = "no credit", 5
    pcm = await call.say()
    assert kind is ContextVoice or seconds(pcm) > 0.02 * len(SAY.text) + 0.3  # errors may overtake audio
    assert [request.text for request in call.tones.requests] == [SAY.text]
    assert call.told == [Why.FAILED]


async def test_the_second_sentence_alone_is_ours_when_only_it_fails(backed: Callable[..., Backed]) -> None:
    call = backed()
    pieces = call.voice.say(SAY.text, "pl", 8000)
    first = await anext(pieces)
    call.vendor.hangs = True
    rest = b"".join([pcm async for pcm in pieces])
    assert [request.text for request in call.tones.requests] == [SECOND]
    assert seconds(first + rest) == pytest.approx(0.06 * len(FIRST) + 0.22 + 0.02 * len(SECOND), abs=0.15)


async def test_fixed_prompts_are_kept_in_the_voice_of_the_service(backed: Callable[..., Backed]) -> None:
    call = backed()
    await call.speaking.fill([phrase(SAY.text, "pl", 8000, call.speaking.voice("pl"))])
    call.vendor.hangs = True
    assert seconds(await call.say()) > 0.06 * len(SAY.text)
    assert call.told == []


async def test_a_prompt_that_the_service_could_not_say_is_not_kept_as_its_own(backed: Callable[..., Backed]) -> None:
    call = backed()
    call.vendor.error = "no credit"
    await call.speaking.fill([phrase(SAY.text, "pl", 8000, call.speaking.voice("pl"))])
    await call.say()
    call.vendor.error = ""
    assert seconds(await call.say()) > 0.06 * len(SAY.text)


async def test_a_language_without_a_voice_of_the_service_is_ours(backed: Callable[..., Backed]) -> None:
    call = backed(languages={"pl": {}})
    await call.say("en")
    assert len(call.tones.requests) == 1
    assert (call.vendor.asked, call.told) == ([], [])


async def test_a_bot_that_is_interrupted_ends_both(backed: Callable[..., Backed]) -> None:
    call = backed(slow_s=0.05)
    call.vendor.hangs, call.tones.sentence_delay_s = True, 5.0
    task = asyncio.create_task(call.say())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.told == []
