"""The voices themselves and the engine around them, without a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tts.audio import Samples
from tts.engine import SpeechEngine, Voice
from tts.errors import SpeechBusy, SpeechUnavailable, UnknownVoice, VoiceMissing
from tts.espeak import EspeakVoices
from tts.piper import PiperVoices
from tts.synthesizer import SpeechRequest
from tts.testing import write_piper_voice

QUIET = threading.Event()
REQUEST = SpeechRequest("Raz. Dwa. Trzy.", "pl", "held:1", 8000)


def whole(voice: Voice, sentence: str, rate: float = 1.0, cancelled: threading.Event = QUIET) -> Samples:
    return np.concatenate(list(voice.say(sentence, rate, cancelled)))


def test_only_the_process_imports_the_gpl_libraries() -> None:
    program = (
        "import sys, tts.client, tts.store, tts.engine, tts.testing, tts.text, tts.voices\n"
        "apart = ('piper', 'espeakng_loader', 'onnxruntime', 'onnx')\n"
        "print([name for name in sys.modules if name.partition('.')[0] in apart])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


class TestEspeak:
    def test_variants_and_languages_sound_different(self) -> None:
        family = EspeakVoices()
        said = [whole(family.voice(name), "Dzień dobry") for name in ("pl", "pl+f3", "en", "en-us")]
        assert all(family.voice("pl").sample_rate == 22050 and len(samples) > 5000 for samples in said)
        assert len({len(samples) for samples in said}) == 4

    @pytest.mark.parametrize("name", ["xx", "pl+nobody", "../../etc/passwd", "pl+../f1", "", "pl+", "PL", "pl\0"])
    def test_names_that_are_none(self, name: str) -> None:
        with pytest.raises(UnknownVoice):
            EspeakVoices().voice(name)

    def test_british_english_has_its_usual_name(self) -> None:
        assert len(whole(EspeakVoices().voice("en-gb"), "Hello")) > 5000

    def test_cancelling_stops_in_the_middle(self) -> None:
        voice = EspeakVoices().voice("pl")
        cancelled = threading.Event()
        cancelled.set()
        assert len(whole(voice, "To zdanie nie zostanie dokończone, bo nikt nie słucha.", 1.0, cancelled)) < 22050
        assert len(whole(voice, "Następne zdanie jest już całe.")) > 22050


class TestPiper:
    def test_a_voice_by_name_and_by_path(self, tmp_path: Path) -> None:
        path = write_piper_voice(tmp_path)
        family = PiperVoices(tmp_path)
        by_name, by_path = (whole(family.voice(name), "Dzień dobry.") for name in ("pl_PL-ton-x_low", str(path)))
        assert by_name.size > 8000
        np.testing.assert_array_equal(by_name, by_path)

    def test_the_rate_scales_the_length(self, tmp_path: Path) -> None:
        write_piper_voice(tmp_path)
        voice = PiperVoices(tmp_path).voice("pl_PL-ton-x_low")
        usual, fast = (whole(voice, "Dzień dobry.", rate) for rate in (1.0, 2.0))
        assert len(usual) == pytest.approx(2 * len(fast), abs=2)

    def test_only_the_last_used_stay_loaded(self, tmp_path: Path) -> None:
        for letter in "abc":
            write_piper_voice(tmp_path, letter)
        family = PiperVoices(tmp_path, kept=2)
        first, second = family.voice("a"), family.voice("b")
        assert family.voice("a") is first
        family.voice("c")
        assert family.voice("a") is first
        assert family.voice("b") is not second

    @pytest.mark.parametrize("suffix", [".onnx", ".onnx.json"])
    def test_a_damaged_file_is_said_to_be_damaged(self, tmp_path: Path, suffix: str) -> None:
        write_piper_voice(tmp_path)
        (tmp_path / f"pl_PL-ton-x_low{suffix}").write_bytes(b"{")
        with pytest.raises(VoiceMissing, match="cannot be read"):
            PiperVoices(tmp_path).voice("pl_PL-ton-x_low")

    def test_the_fingerprint_follows_the_content(self, tmp_path: Path) -> None:
        write_piper_voice(tmp_path / "a")
        write_piper_voice(tmp_path / "b")
        family = PiperVoices(tmp_path / "a")
        before = family.fingerprint("pl_PL-ton-x_low")
        assert before == PiperVoices(tmp_path / "b").fingerprint("pl_PL-ton-x_low")
        write_piper_voice(tmp_path / "a", hertz=300.0)
        assert family.fingerprint("pl_PL-ton-x_low") != before
        with pytest.raises(VoiceMissing):
            family.fingerprint("none")


class HeldVoices:
    """A family whose sentences wait for `go`."""

    threads = 1
    sample_rate = 8000
    gain: float | None = None

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.said: list[str] = []

    def voice(self, name: str) -> HeldVoices:
        if name == "broken":
            raise SpeechUnavailable("broken")
        return self

    def fingerprint(self, name: str) -> str:
        return name

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Iterator[Samples]:
        self.begun.release()
        assert self.go.acquire(timeout=30)
        self.said.append(sentence)
        yield np.full(800, 0.5, np.float32)


@pytest.fixture
async def held() -> AsyncIterator[tuple[SpeechEngine, HeldVoices]]:
    voices = HeldVoices()
    engine = SpeechEngine({"held": voices}, queue_limit=3)
    yield engine, voices
    voices.go.release(100)
    engine.close()


async def speak(engine: SpeechEngine, text: str) -> list[bytes]:
    return [piece.pcm async for piece in engine.speak(replace(REQUEST, text=text))]


async def test_calls_take_turns_sentence_by_sentence(held: tuple[SpeechEngine, HeldVoices]) -> None:
    engine, voices = held
    speaking = [asyncio.create_task(speak(engine, f"{name} raz. {name} dwa. {name} trzy.")) for name in ("A", "B")]
    for _ in range(6):
        await asyncio.to_thread(voices.begun.acquire, timeout=30)
        voices.go.release()
    await asyncio.gather(*speaking)
    assert [sentence[0] for sentence in voices.said] == list("ABABAB")


class StreamedVoices(HeldVoices):
    """Says each sentence in three chunks of a second."""

    gain = 1.0

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Iterator[Samples]:
        for at in range(3):
            self.said.append(f"{sentence}{at}")
            yield np.full(8000, 0.1, np.float32)


async def test_first_chunks_come_before_the_rest_of_what_is_already_heard() -> None:
    voices = StreamedVoices()
    engine = SpeechEngine({"held": voices})
    speaking = [asyncio.create_task(speak(engine, name)) for name in "AB"]
    async with asyncio.timeout(30):
        first, second = await asyncio.gather(*speaking)
    assert voices.said == ["A0", "B0", "A1", "B1", "A2", "B2"]
    assert first == second
    assert len(first) == 3
    engine.close()


async def test_too_many_are_refused_and_the_place_is_free_again(held: tuple[SpeechEngine, HeldVoices]) -> None:
    engine, voices = held
    speaking = [asyncio.create_task(speak(engine, "Raz.")) for _ in range(3)]
    await asyncio.to_thread(voices.begun.acquire, timeout=30)
    assert engine.waiting() == {"held": 3}
    assert engine.oldest_s() >= 0
    with pytest.raises(SpeechBusy):
        await speak(engine, "Raz.")
    voices.go.release(3)
    await asyncio.gather(*speaking)
    voices.go.release()
    assert await speak(engine, "Dwa.")


async def test_what_was_cancelled_while_it_waited_is_never_said(held: tuple[SpeechEngine, HeldVoices]) -> None:
    engine, voices = held
    first = asyncio.create_task(speak(engine, "Pierwsze."))
    await asyncio.to_thread(voices.begun.acquire, timeout=30)
    second = asyncio.create_task(speak(engine, "Drugie. Trzecie."))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    voices.go.release(2)
    await first
    assert await speak(engine, "Czwarte.")
    assert voices.said == ["Pierwsze.", "Czwarte."]


async def test_an_error_of_a_voice_reaches_the_caller_and_frees_the_place(
    held: tuple[SpeechEngine, HeldVoices],
) -> None:
    engine, _ = held
    for _ in range(5):
        with pytest.raises(SpeechUnavailable):
            await anext(engine.speak(replace(REQUEST, voice="held:broken")))
        await asyncio.sleep(0)
