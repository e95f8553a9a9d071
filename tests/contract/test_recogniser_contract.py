"""What every recogniser keeps to: the fake that tests use, the process that calls use, Pipecat services of any kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from asr.client import RecogniserClient
from asr.errors import RecogniserTimeout, RecogniserUnavailable, RequestRefused
from asr.recogniser import Recogniser, RecognitionRequest
from asr.testing import ScriptedRecogniser
from tests.unit.asr import recogniser_process
from tests.unit.asr.speech import silence, telephone
from voicebot.engines.hearing import ServiceRecogniser
from voicebot.engines.testing import FakeVendor, SegmentEars, StreamEars

TEXTS = {"gdzie jest moja paczka": "pl", "konsultant": "pl", "where is my parcel": "en"}


def spoken(text: str, *, deadline_s: float = 30.0, final: bool = True) -> RecognitionRequest:
    language = TEXTS[text]
    voice = {"pl": "pl+m6", "en": "en-us+m6"}[language]
    return RecognitionRequest(telephone(text, voice), 8000, language, "contract", final, deadline_s)


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    socket = tmp_path_factory.mktemp("recogniser") / "asr.sock"
    with recogniser_process.shared(socket=socket):
        yield socket


SERVICES = {"segments": SegmentEars, "stream": StreamEars}


@pytest.fixture(params=["scripted", "process", *SERVICES])
async def recogniser(request: pytest.FixtureRequest, socket: Path) -> AsyncIterator[Recogniser]:
    known = {spoken(text).audio: text for text in TEXTS}
    if request.param == "scripted":
        yield ScriptedRecogniser(lambda asked: known.get(asked.audio, ""), delay_s=0.02)
        return
    if request.param in SERVICES:
        vendor = FakeVendor(lambda audio: known.get(audio, ""), delay_s=0.02)
        kind = SERVICES[request.param]
        service = ServiceRecogniser(lambda language: kind(vendor=vendor), "fake", sample_rate=8000)
        yield service
        await service.close()
        assert not vendor.open
        return
    client = RecogniserClient(socket)
    yield client
    await client.close()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("final", [True, False])
async def test_speech_becomes_text(recogniser: Recogniser, text: str, final: bool) -> None:
    tells_words = not isinstance(recogniser, ServiceRecogniser)
    request = spoken(text, final=final)
    heard = await recogniser.transcribe(request)
    assert heard.text == text
    assert heard.language == TEXTS[text]
    assert [word.text for word in heard.words] == (text.split() if tells_words else [])
    assert 0 < heard.confidence <= 1
    assert heard.no_speech < 0.5
    assert heard.audio_s == pytest.approx(request.seconds)
    assert heard.model


async def test_silence_is_empty(recogniser: Recogniser, request: pytest.FixtureRequest) -> None:
    nothing = replace(spoken("konsultant"), audio=silence(1.0).tobytes())
    if "[stream" in request.node.name:  # nothing ever comes; ours behind it says that it was silence
        with pytest.raises(RecogniserTimeout):
            await recogniser.transcribe(replace(nothing, deadline_s=0.5))
        return
    heard = await recogniser.transcribe(nothing)
    assert (heard.text, heard.words, heard.confidence) == ("", (), 0.0)
    assert heard.no_speech > 0.5


async def test_requests_at_once_get_their_own_answers(recogniser: Recogniser) -> None:
    answers = await asyncio.gather(*(recogniser.transcribe(spoken(text)) for text in [*TEXTS] * 3))
    assert [answer.text for answer in answers] == [*TEXTS] * 3


async def test_wrong_audio_is_refused(recogniser: Recogniser) -> None:
    for wrong in (replace(spoken("konsultant"), audio=b"\0\0\0"), replace(spoken("konsultant"), sample_rate=4000)):
        with pytest.raises(RequestRefused):
            await recogniser.transcribe(wrong)


async def test_the_deadline_is_kept(recogniser: Recogniser) -> None:
    with pytest.raises(RecogniserTimeout):
        await recogniser.transcribe(spoken("konsultant", deadline_s=0.001))


async def test_a_cancelled_request_leaves_the_recogniser_usable(recogniser: Recogniser) -> None:
    task = asyncio.create_task(recogniser.transcribe(spoken("konsultant")))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await recogniser.transcribe(spoken("konsultant"))).text == "konsultant"


async def test_closing_ends_what_waits_and_what_comes(recogniser: Recogniser) -> None:
    task = asyncio.create_task(recogniser.transcribe(spoken("konsultant")))
    await asyncio.sleep(0)
    await recogniser.close()
    with pytest.raises(RecogniserUnavailable):
        await task
    with pytest.raises(RecogniserUnavailable):
        await recogniser.transcribe(spoken("konsultant"))
    await recogniser.close()
