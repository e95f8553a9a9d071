"""A telephone that nobody here wrote, Debian's `baresip`, calls `voicebot serve` and is served."""

from __future__ import annotations

import asyncio
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.acceptance.bot import Bot, CallRecord
from tests.contract.telephony.debian_phone import DebianPhone
from tests.support import require_program

pytestmark = pytest.mark.timeout(300)

RATE = 8000
VOICE = "pl+m6"  # the recognition model was not trained on it


def speak(text: str, file: Path) -> None:
    """What a caller says and the silence in which it then listens, as a WAV file."""
    program = require_program("espeak-ng", package="espeak-ng")
    raw = file.with_suffix(".espeak")
    subprocess.run([program, "-v", VOICE, "-s", "150", "-w", str(raw), text], check=True, timeout=30)
    with wave.open(str(raw)) as spoken:
        samples = np.frombuffer(spoken.readframes(spoken.getnframes()), "<i2")
        speech = soxr.resample(samples, spoken.getframerate(), RATE)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.concatenate([quiet(0.3), speech, quiet(90)]).astype("<i2").tobytes())


def quiet(seconds: float) -> NDArray[np.int16]:
    return np.zeros(int(seconds * RATE), np.int16)


async def told(record: CallRecord, text: str) -> None:
    """The bot has said it to the end."""
    await asyncio.to_thread(record.until, "bot_said", 45, text=text)


async def test_a_call_from_debians_baresip_is_served(bot: Bot, tmp_path: Path) -> None:
    lines: dict[str, Path] = {}
    for text in ("gdzie jest moja paczka", "jeden dwa trzy cztery pięć sześć", "tak", "nie, dziękuję"):
        lines[text] = tmp_path / f"line-{len(lines)}.wav"
        await asyncio.to_thread(speak, text, lines[text])

    async with DebianPhone(tmp_path, quiet(60)) as phone:

        async def say(text: str) -> None:
            await phone.command("ausrc", f"aufile,{lines[text]}")

        await phone.command("dial", bot.address())
        record = await asyncio.to_thread(bot.call_from, "phone")
        await told(record, "W czym mogę pomóc?")
        await say("gdzie jest moja paczka")
        await told(record, "numer zamówienia")
        await say("jeden dwa trzy cztery pięć sześć")
        await told(record, "Zgadza się?")
        await say("tak")
        await told(record, "jeszcze w czymś pomóc?")
        await say("nie, dziękuję")
        ended = await asyncio.to_thread(record.ended, 45)
        await _until_hung_up(phone)
        heard, rate = phone.heard()

    assert ended["outcome"] == "contained", record.story()
    assert "Zamówienie jeden dwa trzy, cztery pięć sześć jest w drodze." in record.said()
    assert [event["interrupted"] for event in record.events("bot_said")].count(True) == 0
    assert record.faults() == []
    assert record.file("transcript.json")["outcome"] == "contained"
    assert record.file("summary.json")
    _assert_both_on_the_recording(record.folder / "recording.wav")
    _assert_greeted(heard, rate)


async def _until_hung_up(phone: DebianPhone) -> None:
    await _until(lambda: "session closed" in phone.log().lower() or "terminate" in phone.log().lower(), phone.log)


async def _until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(15):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what()) from None


def _loud_s(samples: NDArray[Any], rate: int) -> float:
    """Seconds of audible sound."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    return float((np.sqrt(np.square(frames).mean(axis=1)) > 200).sum() * 160 / rate)


def _assert_greeted(heard: bytes, rate: int) -> None:
    """The first ten seconds of what the phone received have speech in them, and the whole call has more."""
    samples = np.frombuffer(heard, "<i2")
    assert _loud_s(samples[: 10 * rate], rate) > 2
    assert _loud_s(samples, rate) > 8


def _assert_both_on_the_recording(path: Path) -> None:
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        rate = file.getframerate()
    caller, bot = (_loud_s(samples[:, side], rate) for side in (0, 1))
    assert caller > 2
    assert bot > 8
