"""Human recordings instead of speech: what may be written, and what is played."""

from __future__ import annotations

import shutil
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from flows import FlowProblems
from tts.audio import ACTIVE_LEVEL_DB, telephone_pcm
from tts.recordings import RecordedSynthesizer
from tts.store import PromptStore
from tts.testing import ToneSynthesizer
from voicebot.bots import LoadedBot, load_folder
from voicebot.config import Config, NumberSettings
from voicebot.fixed_prompts import fixed_prompts
from voicebot.live_bots import running
from voicebot.recordings import RecordedVoice

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
RECORDED = "Rozmowa jest nagrywana."


def write_wav(path: Path, seconds: float = 0.5, *, rate: int = 44100, channels: int = 2, width: int = 2) -> None:
    """A quiet tone between two silences."""
    count = int(seconds * rate)
    tone = 0.02 * np.sin(2 * np.pi * 440 * np.arange(count) / rate)
    tone[: count // 5] = tone[-count // 5 :] = 0
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.repeat((tone * 32767).astype("<i2"), channels * width // 2).tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


def load(folder: Path, text: str = RECORDED, name: str = "recordings/nagrywana.wav") -> LoadedBot:
    (folder / "recordings.yaml").write_text(f"recordings:\n  pl:\n    {text}: {name}\n", encoding="utf-8")
    return load_folder(folder)


class Behind:
    """A voice that says nothing but tells that it was asked."""

    asked = ""

    async def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]:
        self.asked = text
        yield b"spoken"


async def heard(voice: RecordedVoice, text: str) -> bytes:
    return b"".join([pcm async for pcm in voice.say(text, "pl", 8000)])


async def test_a_recorded_text_is_played_at_the_rate_and_level_of_speech(folder: Path, tmp_path: Path) -> None:
    write_wav(folder / "recordings" / "nagrywana.wav")
    tones = ToneSynthesizer()
    prompts = PromptStore(tmp_path / "prompts", RecordedSynthesizer(tones))
    recordings = load(folder).recordings
    assert recordings.names == ("recordings/nagrywana.wav",)
    behind = Behind()
    voice = RecordedVoice(recordings, prompts, behind)
    pcm = await heard(voice, RECORDED)
    samples = np.frombuffer(pcm, "<i2") / 32768
    assert len(samples) == pytest.approx(8000 * (0.3 + 2 * 0.02), rel=0.05), "silence at the edges is cut"
    assert 20 * np.log10(np.sqrt(np.mean(np.square(samples)))) == pytest.approx(ACTIVE_LEVEL_DB, abs=1.0)
    assert (behind.asked, tones.requests) == ("", [])
    assert await heard(voice, "Do widzenia.") == b"spoken"
    assert behind.asked == "Do widzenia."


async def test_it_is_read_once_and_kept(folder: Path, tmp_path: Path) -> None:
    path = folder / "recordings" / "nagrywana.wav"
    write_wav(path)
    loaded = load(folder)
    config = Config(data=tmp_path, numbers=(NumberSettings(number="*", bot=folder, language="pl"),))
    bot = running(loaded, config)
    prompts = PromptStore(tmp_path / "prompts", RecordedSynthesizer(ToneSynthesizer(character_s=0.001)))
    report = await prompts.fill(fixed_prompts(bot, ("pl",)))
    assert report.failed == ()
    path.unlink()
    behind = Behind()
    assert len(await heard(RecordedVoice(loaded.recordings, prompts, behind), RECORDED)) > 1000
    assert behind.asked == ""
    await bot.systems.close()


async def test_a_recording_that_is_gone_or_another_is_spoken(folder: Path, tmp_path: Path) -> None:
    path = folder / "recordings" / "nagrywana.wav"
    write_wav(path)
    recordings = load(folder).recordings
    write_wav(path, 0.7)
    prompts = PromptStore(tmp_path / "prompts", RecordedSynthesizer(ToneSynthesizer()))
    assert await heard(RecordedVoice(recordings, prompts, Behind()), RECORDED) == b"spoken"
    path.unlink()
    assert await heard(RecordedVoice(recordings, prompts, Behind()), RECORDED) == b"spoken"


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(FlowProblems) as raised:
        load_folder(folder)
    return [str(problem).removeprefix(f"{folder}/") for problem in raised.value.problems]


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    sounds = folder / "sounds"
    write_wav(sounds / "good.wav")
    write_wav(sounds / "long.wav", 61, rate=8000, channels=1)
    write_wav(sounds / "deep.wav", width=4)
    (sounds / "text.wav").write_text("no sound")
    (folder / "recordings.yaml").write_text(
        """\
recordings:
  pl:
    Rozmowa jest nagrana.: sounds/good.wav
    W czym mogę pomóc?: sounds/gone.wav
    Dziękuję za telefon. Do widzenia.: sounds/long.wav
    Nie widzę zamówienia o takim numerze.: sounds/text.wav
    "Dostawa będzie {{ order.delivery | date }}.": sounds/good.wav
    Rozmowa jest nagrywana.: ../outside.wav
  en:
    This call is recorded.: sounds/deep.wav
""",
        encoding="utf-8",
    )
    assert mistakes(folder) == [
        'recordings.yaml:3:5: The bot never says this text. Did you mean "Rozmowa jest nagrywana."?',
        "recordings.yaml:4:25: `sounds/gone.wav` can not be played: gone.wav cannot be read: No such file or "
        "directory. Put the file there.",
        "recordings.yaml:5:40: `sounds/long.wav` can not be played: It lasts 61 seconds. At most 60 can be played.",
        "recordings.yaml:6:44: `sounds/text.wav` can not be played: It is no WAV file that can be played. Save it as "
        "WAV, PCM, 16 bit.",
        "recordings.yaml:7:5: A text with variables can not be recorded. Split it, and record what stays.",
        "recordings.yaml:8:30: `../outside.wav` is not within the bot's folder. Put it there.",
        "recordings.yaml:10:29: `sounds/deep.wav` can not be played: It has 32 bit and 2 channels at 44100 Hz. Save it "
        "with 16 bit, one channel or two.",
    ]


def test_a_key_or_language_that_is_not_known_is_told(folder: Path) -> None:
    (folder / "recordings.yaml").write_text("recording: {}\n")
    told = mistakes(folder)
    assert told[0].startswith("recordings.yaml:1:1: The key `recording` is not known here. Did you mean `recordings`?")


def test_silence_can_not_be_played(folder: Path) -> None:
    (folder / "recordings").mkdir()
    with wave.open(str(folder / "recordings" / "nagrywana.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    assert telephone_pcm(np.zeros(100, np.float32), 8000, 8000) == b""
    with pytest.raises(FlowProblems, match="It is silent"):
        load(folder)
