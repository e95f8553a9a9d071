"""What every Synthesizer must do: tones for tests, the real process with either kind of voice, Pipecat services."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speech_voice import TINY, write_voice
from tests.unit.tts.support import PATIENCE_S, chunks_of, client_of, samples, speech_process
from tts.audio import SENTENCE_PAUSE_S
from tts.errors import SpeechUnavailable, UnknownVoice
from tts.synthesizer import SpeechRequest, Synthesizer
from tts.testing import ToneSynthesizer, write_piper_voice
from voicebot.engines.speaking import ServiceSynthesizer
from voicebot.engines.testing import ContextVoice, FakeVendor, WholeVoice

TWO_SENTENCES = "Dzień dobry, tu automat. W czym mogę pomóc?"


@dataclass
class Case:
    synthesizer: Synthesizer
    voice: str
    other_voice: str
    in_pieces: bool = False  # more than one chunk a sentence
    own_tempo: bool = False

    def request(self, text: str = TWO_SENTENCES, sample_rate: int = 8000, rate: float = 1.0) -> SpeechRequest:
        return SpeechRequest(text, "pl", self.voice, sample_rate, rate)

    async def say(self, *arguments: object, **fields: object) -> list[bytes]:
        async with asyncio.timeout(PATIENCE_S):
            return await chunks_of(self.synthesizer, self.request(*arguments, **fields))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def process_socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # a short path: Unix sockets have 107 bytes
        voices = Path(folder) / "voices"
        write_piper_voice(voices, "pl_PL-ton-x_low")
        write_piper_voice(voices, "pl_PL-inny-x_low", hertz=330.0)
        write_voice(voices, "pl_PL-potok-x_low", TINY, seed=1)
        write_voice(voices, "pl_PL-drugi-x_low", TINY, seed=2)
        with speech_process(Path(folder) / "speech.sock", voices):
            yield Path(folder) / "speech.sock"


SERVICES = {"whole service": WholeVoice, "context service": ContextVoice}


@pytest.fixture(params=["tones", "espeak", "piper, whole sentences", "piper, in chunks", *SERVICES])
async def case(request: pytest.FixtureRequest, process_socket: Path) -> AsyncIterator[Case]:
    if request.param in SERVICES:
        vendor, kind = FakeVendor(), SERVICES[request.param]
        service = ServiceSynthesizer(lambda language: kind(vendor=vendor), str, lambda language: language in "pl en")
        yield Case(service, "service:pl", "service:en", in_pieces=True, own_tempo=True)
        await service.close()
        assert not vendor.open
        return
    if request.param == "tones":
        yield Case(ToneSynthesizer(), "tone:1", "tone:2")
        return
    async with client_of(process_socket) as client:
        voices = {
            "espeak": ("espeak:pl", "espeak:pl+f3"),
            "piper, whole sentences": ("piper:pl_PL-ton-x_low", "piper:pl_PL-inny-x_low"),
            "piper, in chunks": ("piper:pl_PL-potok-x_low", "piper:pl_PL-drugi-x_low"),
        }
        yield Case(client, *voices[request.param], in_pieces=request.param == "piper, in chunks")


async def test_chunks_of_whole_samples_one_a_sentence_or_more(case: Case) -> None:
    chunks = await case.say()
    assert len(chunks) > 2 if case.in_pieces else len(chunks) == 2
    assert all(chunk and len(chunk) % 2 == 0 for chunk in chunks)


async def test_it_can_be_heard_and_does_not_clip(case: Case) -> None:
    pcm = samples(b"".join(await case.say("Dzień dobry, tu automat."))).astype(float) / 32768
    active = np.abs(pcm) > 0.01
    assert -26 < 20 * np.log10(np.sqrt(np.mean(pcm[active] ** 2))) < -8
    assert np.abs(pcm).max() < 0.95
    assert np.abs(pcm[:400]).max() > 0.01, "speech begins within 50 ms"


async def test_sentences_are_parted_by_silence(case: Case) -> None:
    pcm = samples(b"".join(await case.say()))
    pause = round(SENTENCE_PAUSE_S * 8000)
    silent = np.convolve(pcm == 0, np.ones(pause), mode="valid") == pause
    assert silent.any()
    assert pcm[int(silent.argmax()) + pause :].any()
    assert pcm[:800].any()


async def test_longer_text_takes_longer(case: Case) -> None:
    short = len(b"".join(await case.say("Tak.")))
    long = len(b"".join(await case.say("Tak, oczywiście, bardzo chętnie w tym pomogę.")))
    assert long > 3 * short


async def test_the_rate_changes_the_tempo(case: Case) -> None:
    if case.own_tempo:
        pytest.skip("services have settings of their own for it")
    text = "To jest zdanie, którego długość mierzymy w tej próbie."
    usual, fast = [len(b"".join(await case.say(text, rate=rate))) for rate in (1.0, 1.8)]
    assert 1.3 < usual / fast < 2.3


@pytest.mark.parametrize("sample_rate", [16000, 24000])
async def test_the_sample_rate_is_the_one_asked_for(case: Case, sample_rate: int) -> None:
    usual = len(b"".join(await case.say()))
    other = len(b"".join(await case.say(sample_rate=sample_rate)))
    assert other / usual == pytest.approx(sample_rate / 8000, rel=0.03)


async def test_a_voice_keeps_its_pitch_at_any_sample_rate(case: Case) -> None:
    """Resampled, not relabelled: the strongest frequency stays where it is."""
    peaks = []
    for sample_rate in (8000, 16000):
        pcm = samples(b"".join(await case.say("Aaa.", sample_rate=sample_rate))).astype(float)
        spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), 4 * sample_rate))
        peaks.append(np.argmax(spectrum[: 4 * 1000]) / 4)
    assert peaks[0] == pytest.approx(peaks[1], rel=0.1)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_nothing_to_say_is_no_audio(case: Case, text: str) -> None:
    assert b"".join(await case.say(text)) == b""


@pytest.mark.parametrize("text", ["...", "[[x]]", "żółć \x00\x07 <b>ę</b> 日本 🙂", "a" * 600])
async def test_strange_text_is_survived(case: Case, text: str) -> None:
    await case.say(text)
    assert b"".join(await case.say("Nadal mówię."))


@pytest.mark.parametrize("voice", ["gramophone:1", "", "pl"])
async def test_an_unknown_voice_is_said_to_be_unknown(case: Case, voice: str) -> None:
    with pytest.raises(UnknownVoice):
        await chunks_of(case.synthesizer, replace(case.request(), voice=voice))
    with pytest.raises(UnknownVoice):
        await case.synthesizer.fingerprint(voice)


async def test_the_fingerprint_is_of_the_voice(case: Case) -> None:
    mine = await case.synthesizer.fingerprint(case.voice)
    assert mine == await case.synthesizer.fingerprint(case.voice)
    assert mine != await case.synthesizer.fingerprint(case.other_voice)


async def test_many_at_once_get_their_own_words(case: Case) -> None:
    texts = ["Tak.", "To jest trochę dłuższe zdanie.", "Nie, dziękuję. Do widzenia."] * 4
    alone = [len(b"".join(await case.say(text))) for text in texts]
    together = await asyncio.gather(*(case.say(text) for text in texts))
    assert [len(b"".join(chunks)) for chunks in together] == pytest.approx(alone, rel=0.03)


async def test_giving_up_in_the_middle_leaves_it_usable(case: Case) -> None:
    whole = len(b"".join(await case.say()))
    chunks = case.synthesizer.synthesize(case.request())
    assert await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert len(b"".join(await case.say())) == pytest.approx(whole, rel=0.03)


async def test_closing_is_final_and_may_be_repeated(case: Case) -> None:
    await case.synthesizer.close()
    await case.synthesizer.close()
    with pytest.raises(SpeechUnavailable):
        await case.say()
