"""PromptStore: kept, found again, damaged, crowded out, shared, on a full disk."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tts.errors import SpeechUnavailable, UnknownVoice
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.testing import ToneSynthesizer

GREETING = SpeechRequest("Dzień dobry. W czym mogę pomóc?", "pl", "espeak:pl", 8000)


async def said(store: PromptStore, request: SpeechRequest, *, keep: bool = True) -> bytes:
    return b"".join([chunk async for chunk in store.speak(request, keep=keep)])


def prompt_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.prompt"))


async def test_a_prompt_is_made_once_and_found_by_a_second_store(tmp_path: Path) -> None:
    voice = ToneSynthesizer()
    store = PromptStore(tmp_path, voice)
    assert store.get(GREETING) is None
    report = await store.fill([GREETING, GREETING])
    assert (report.kept, report.made, report.failed) == (0, 1, ())
    pcm = store.get(GREETING)
    assert pcm == b"".join([chunk async for chunk in ToneSynthesizer().synthesize(GREETING)])
    assert (await store.fill([GREETING])).kept == 1
    assert len(voice.requests) == 1

    again = PromptStore(tmp_path, ToneSynthesizer())
    assert again.get(GREETING) == pcm


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Do widzenia."},
        {"language": "en"},
        {"voice": "espeak:pl+m6"},
        {"sample_rate": 16000},
        {"rate": 1.2},
    ],
)
async def test_every_field_of_the_request_counts(tmp_path: Path, other: dict[str, object]) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())
    await store.fill([GREETING, replace(GREETING, voice="espeak:pl+m6", text="x")])
    assert store.get(replace(GREETING, **other)) is None  # type: ignore[arg-type]


async def test_speaking_streams_the_first_time_and_answers_from_disk_the_second(tmp_path: Path) -> None:
    voice = ToneSynthesizer()
    store = PromptStore(tmp_path, voice)
    first = [chunk async for chunk in store.speak(GREETING)]
    second = [chunk async for chunk in store.speak(GREETING)]
    assert len(first) == 2
    assert second == [b"".join(first)]
    assert len(voice.requests) == 1


async def test_what_must_not_be_kept_is_not(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())
    await said(store, GREETING, keep=False)
    assert prompt_files(tmp_path) == []
    assert store.get(GREETING) is None


async def test_a_sentence_given_up_is_not_kept(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())
    chunks = store.speak(GREETING)
    await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert store.get(GREETING) is None
    assert prompt_files(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", b"VBPROMP1", b"\0" * 5000])
async def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())
    await store.fill([GREETING])
    whole = store.get(GREETING)
    (file,) = prompt_files(tmp_path)
    file.write_bytes(damage)

    fresh = PromptStore(tmp_path, ToneSynthesizer())
    assert fresh.get(GREETING) is None
    assert not file.exists()
    assert (await fresh.fill([GREETING])).made == 1
    assert PromptStore(tmp_path, ToneSynthesizer()).get(GREETING) == whole


async def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    await PromptStore(tmp_path, ToneSynthesizer()).fill([GREETING])
    (file,) = prompt_files(tmp_path)
    content = bytearray(file.read_bytes())
    content[-7] ^= 4
    file.write_bytes(content)
    assert PromptStore(tmp_path, ToneSynthesizer()).get(GREETING) is None


class ChangedVoice(ToneSynthesizer):
    async def fingerprint(self, voice: str) -> str:
        return f"{await super().fingerprint(voice)}beef"


async def test_a_voice_that_sounds_otherwise_is_synthesised_anew(tmp_path: Path) -> None:
    await PromptStore(tmp_path, ToneSynthesizer()).fill([GREETING])
    store = PromptStore(tmp_path, ChangedVoice())
    assert (await store.fill([GREETING])).made == 1
    assert len(prompt_files(tmp_path)) == 2


async def test_kept_prompts_play_while_the_voice_is_away(tmp_path: Path) -> None:
    await PromptStore(tmp_path, ToneSynthesizer()).fill([GREETING])

    class Away(ToneSynthesizer):
        asked = 0

        async def fingerprint(self, voice: str) -> str:
            Away.asked += 1
            raise SpeechUnavailable("away")

    store = PromptStore(tmp_path, Away())
    assert store.get(GREETING) is not None
    others = [replace(GREETING, text=f"Zdanie {number}.") for number in "abc"]
    report = await store.fill([*others, GREETING])
    assert (report.kept, report.made, len(report.failed)) == (1, 0, 3)
    assert Away.asked == 1, "a dead voice is waited for once, not once per prompt"


async def test_one_unknown_voice_does_not_stop_the_others(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())
    wrong = replace(GREETING, voice="gramophone:1")
    report = await store.fill([wrong, GREETING])
    assert report.made == 1
    ((request, error),) = report.failed
    assert request == wrong
    assert isinstance(error, UnknownVoice)


async def test_a_full_disk_is_told_once_and_speech_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer())

    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with caplog.at_level(logging.WARNING):
        for text in ("Raz.", "Dwa.", "Trzy."):
            assert await said(store, replace(GREETING, text=text))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No space left" in caplog.text
    assert store.get(replace(GREETING, text="Raz.")) is not None, "memory still serves"
    assert os.listdir(tmp_path) == []

    monkeypatch.undo()
    await said(store, replace(GREETING, text="Cztery."))
    assert len(prompt_files(tmp_path)) == 1


async def test_a_folder_that_is_a_file_does_not_hurt(tmp_path: Path) -> None:
    blocked = tmp_path / "prompts"
    blocked.write_text("in the way")
    store = PromptStore(blocked, ToneSynthesizer())
    assert await said(store, GREETING)
    assert (await store.fill([GREETING])).failed == ()


async def test_the_prompts_used_longest_ago_go_first(tmp_path: Path) -> None:
    seconds = 10 * "a" + "."  # 0.66 s of tone, about 10.6 kB
    requests = [replace(GREETING, text=letter + seconds) for letter in "bcdefgh"]
    await PromptStore(tmp_path, ToneSynthesizer()).fill(requests[:6])
    for age, request in enumerate(reversed(requests[:6])):
        reader = PromptStore(tmp_path, ToneSynthesizer())
        before = {path: path.stat().st_atime_ns for path in prompt_files(tmp_path)}
        assert reader.get(request)
        (touched,) = [path for path in prompt_files(tmp_path) if path.stat().st_atime_ns != before[path]]
        os.utime(touched, (1_000_000 + age, 1_000_000 + age))

    small = PromptStore(tmp_path, ToneSynthesizer(), size_limit_mb=0.045)
    await small.fill([requests[6]])
    left = [request for request in requests if PromptStore(tmp_path, ToneSynthesizer()).get(request) is not None]
    assert left == [requests[0], requests[1], requests[6]]
    assert sum(path.stat().st_size for path in prompt_files(tmp_path)) <= 45_000


async def test_memory_is_bounded(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, ToneSynthesizer(), memory_limit_mb=0)
    await store.fill([GREETING])
    assert store._memory_size == 0
    assert store.get(GREETING) is not None


class Slow(ToneSynthesizer):
    """Two stores are in the middle of the same prompt at once."""

    def __init__(self, meeting: asyncio.Barrier) -> None:
        super().__init__()
        self._meeting = meeting

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        async for chunk in super().synthesize(request):
            await self._meeting.wait()
            yield chunk


async def test_two_stores_on_one_folder(tmp_path: Path) -> None:
    meeting = asyncio.Barrier(2)
    stores = [PromptStore(tmp_path, Slow(meeting)) for _ in range(2)]
    first, second = await asyncio.gather(*(said(store, GREETING) for store in stores))
    assert first == second
    (file,) = prompt_files(tmp_path)
    assert PromptStore(tmp_path, ToneSynthesizer()).get(GREETING) == first
    file.unlink()
    assert stores[0].get(GREETING) == first, "a file taken away by the other one is not missed"


async def test_leftovers_of_a_crash_are_cleared(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".a.prompt.1.0.tmp", tmp_path / ".b.prompt.2.0.tmp"
    old.write_bytes(b"half")
    os.utime(old, (1_000_000, 1_000_000))
    fresh.write_bytes(b"being written")
    await PromptStore(tmp_path, ToneSynthesizer()).fill([])
    assert not old.exists()
    assert fresh.exists()
