"""How soon does a caller hear something? Time from asking for a sentence to its first audio, at 1 and at 20 calls.

Three ways, each through the code that calls use (PromptStore, SpeechClient, the speech process):

- cached: a sentence that was stored before; read from disk the first time, from memory afterwards
- offline: the espeak-ng voice
- piper: Piper's own medium model, randomly initialised and exported to its file format (benchmarks.speech_export, needs
  PyTorch), or without PyTorch a graph of that cost (benchmarks.speech_voice)

    python -m benchmarks.speech [--sentences N] [--json] [--plot FILE.svg]

Times are in milliseconds; `..._ms` is the 95th percentile at one call, `..._ms_20_calls` that of twenty that ask at the
same moment, `piper_first_audio_ms_20_conversations` that of twenty which ask for a sentence every 8 to 10 s each.
`piper_stutter_ms...` is how long callers then heard nothing because the next chunk was late, 95th percentile.
`piper_long_first_audio_ms` is a sentence of 190 characters, beside `..._whole`, the same without cutting it at clauses.
The last line of `--json` is {"figures": {...}, "machine": {...}}; a figure that could not be measured is null.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.machine import machine
from tts.client import SpeechClient
from tts.errors import TtsError
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest, Synthesizer

SAMPLE_RATE = 8000
MANY = 20
PAUSE_S = (8.0, 10.0)
"""From one sentence of a call to its next."""
CONVERSATIONS_S = 40.0
GOALS = {"cached_first_audio_ms": 5.0, "offline_first_audio_ms": 150.0, "piper_first_audio_ms": 150.0}
SENTENCES = (
    "Dzień dobry, w czym mogę pomóc?",
    "Proszę podać numer zamówienia.",
    "Państwa zamówienie jest już w drodze.",
    "Chwileczkę, sprawdzam to w systemie.",
    "Kurier przyjedzie jutro przed południem.",
    "Łączę z konsultantem, proszę czekać.",
    "Nie zrozumiałem, proszę powtórzyć.",
    "Czy mogę jeszcze w czymś pomóc?",
    "Dziękuję za telefon, do widzenia.",
    "Paczka czeka w punkcie odbioru.",
)
LONG = (
    "Państwa zamówienie zostało wysłane wczoraj po południu, a kurier dostarczy je jutro między dziesiątą a dwunastą "
    "pod podany adres, chyba że wcześniej zmienią Państwo termin dostawy w aplikacji."
)

Ask = Callable[[SpeechRequest], AsyncIterator[bytes]]


@dataclass(frozen=True)
class Heard:
    """From asking to the first audio, and how long a caller then heard nothing because the next chunk was late."""

    first_ms: float
    stutter_ms: float


async def heard(ask: Ask, request: SpeechRequest) -> Heard:
    """All of it is taken as it comes, as a call would, and played from the moment of the first chunk."""
    started = time.perf_counter()
    first: float | None = None
    dry_at = stutter = 0.0
    async for chunk in ask(request):
        now = time.perf_counter()
        if first is None and chunk:
            first = dry_at = now
        stutter += max(0.0, now - dry_at) if chunk else 0.0
        dry_at = max(now, dry_at) + len(chunk) / 2 / request.sample_rate
    if first is None:
        raise ValueError(f"no audio for {request.text!r}")
    return Heard((first - started) * 1000, stutter * 1000)


async def at_calls(ask: Ask, requests: Sequence[SpeechRequest], calls: int) -> list[Heard]:
    """Each round, `calls` ask at the same time."""
    took: list[Heard] = []
    for start in range(0, len(requests), calls):
        took += await asyncio.gather(*(heard(ask, request) for request in requests[start : start + calls]))
    return took


async def in_conversation(ask: Ask, requests: Iterable[SpeechRequest], calls: int, seconds: float) -> list[Heard]:
    """`calls` calls for `seconds`, each asking for a sentence every 8 to 10 s, in no step with the others."""
    chance = random.Random(1)
    left = iter(requests)

    async def call() -> list[Heard]:
        took = []
        await asyncio.sleep(chance.uniform(0, PAUSE_S[1]))
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            due = time.perf_counter() + chance.uniform(*PAUSE_S)
            took.append(await heard(ask, next(left)))
            await asyncio.sleep(due - time.perf_counter())
        return took

    return [one for took in await asyncio.gather(*(call() for _ in range(calls))) for one in took]


def p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


@contextlib.asynccontextmanager
async def speech_process(folder: Path) -> AsyncIterator[SpeechClient]:
    """The process on a socket in `folder`, and a client of it."""
    socket = folder / "speech.sock"
    argv = [sys.executable, "-m", "tts.process", "--socket", str(socket), "--voices-dir", str(folder / "voices")]
    process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = SpeechClient(socket, sentence_timeout_s=120, replacement_timeout_s=60)
    try:
        await client.fingerprint("espeak:pl")
        yield client
    finally:
        await client.close()
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)


def requests_for(voice: str, count: int) -> list[SpeechRequest]:
    """`count` requests, all different, so that nothing is stored by chance."""
    texts = [f"{'Tak, ' * (at // len(SENTENCES))}{SENTENCES[at % len(SENTENCES)]}" for at in range(count)]
    return [SpeechRequest(text, "pl", voice, SAMPLE_RATE) for text in texts]


async def cached(folder: Path, client: Synthesizer, figures: dict[str, Any]) -> None:
    requests = requests_for("espeak:pl", MANY)
    await PromptStore(folder / "prompts", client).fill(requests)
    for calls, suffix in ((1, ""), (MANY, f"_{MANY}_calls")):
        from_disk = PromptStore(folder / "prompts", client)  # a new one has nothing in memory
        took = await at_calls(from_disk.speak, requests, calls)
        note(figures, "cached_first_audio_ms", suffix, took)
        again = await at_calls(from_disk.speak, requests, calls)
        figures[f"cached_memory_first_audio_ms{suffix}"] = round(p95([one.first_ms for one in again]), 2)


async def synthesised(name: str, voice: str, client: SpeechClient, count: int, figures: dict[str, Any]) -> None:
    await heard(client.synthesize, SpeechRequest("Próba.", "pl", voice, SAMPLE_RATE))  # loads the voice
    for calls, suffix in ((1, ""), (MANY, f"_{MANY}_calls")):
        took = await at_calls(client.synthesize, requests_for(voice, max(count, calls)), calls)
        note(figures, f"{name}_first_audio_ms", suffix, took)


async def conversations(voice: str, client: SpeechClient, seconds: float, figures: dict[str, Any]) -> None:
    requests = [SpeechRequest(text, "pl", voice, SAMPLE_RATE) for text in SENTENCES]
    took = await in_conversation(client.synthesize, itertools.cycle(requests), MANY, seconds)
    figures["piper_conversation_sentences"] = len(took)
    note(figures, "piper_first_audio_ms", f"_{MANY}_conversations", took)


async def long_sentence(voice: str, client: SpeechClient, folder: Path, figures: dict[str, Any]) -> None:
    """By clauses, as calls have it, and whole, as the process gives it when it is asked for all at once."""
    request = SpeechRequest(LONG, "pl", voice, SAMPLE_RATE)
    took = [(await heard(client.synthesize, request)).first_ms for _ in range(5)]
    figures["piper_long_first_audio_ms"] = round(statistics.median(took), 1)
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "speech.sock"))
    async with httpx.AsyncClient(transport=transport, timeout=120) as raw:
        body = {"text": LONG, "language": "pl", "voice": voice, "sample_rate": SAMPLE_RATE}
        whole = []
        for _ in range(5):
            started = time.perf_counter()
            async with raw.stream("POST", "http://speech/synthesize", json=body) as answer:
                answer.raise_for_status()
                await anext(answer.aiter_bytes())
                whole.append((time.perf_counter() - started) * 1000)
    figures["piper_long_first_audio_ms_whole"] = round(statistics.median(whole), 1)


def note(figures: dict[str, Any], name: str, suffix: str, took: Sequence[Heard]) -> None:
    firsts = [one.first_ms for one in took]
    figures[f"{name}{suffix}"] = round(p95(firsts), 2)
    figures[f"{name}{suffix}_median"] = round(statistics.median(firsts), 2)
    if name.startswith("piper"):
        figures[f"piper_stutter_ms{suffix}"] = round(p95([one.stutter_ms for one in took]), 1)


async def piper_voice(folder: Path, figures: dict[str, Any]) -> str | None:
    """Its name, when one can be made here."""
    name = "pl_PL-random-medium"
    exporter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.speech_export", str(folder), "--name", name), stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    figures["piper_voice"] = "exported by PyTorch"
    if await exporter.wait() != 0:
        try:
            from benchmarks.speech_voice import MEDIUM, write_voice
        except ImportError as error:
            print(f"no figures for Piper: {error}", file=sys.stderr)
            return None
        write_voice(folder, name, MEDIUM)
        figures["piper_voice"] = "built by hand"
    figures["piper_voice_mb"] = round((folder / f"{name}.onnx").stat().st_size / 1e6, 1)
    return f"piper:{name}"


async def measure(folder: Path, count: int) -> dict[str, Any]:
    """All figures; those of Piper are null, with a line that says why, when its voice cannot be made or run."""
    figures: dict[str, Any] = {}
    voice = await piper_voice(folder / "voices", figures)
    async with speech_process(folder) as client:
        await cached(folder, client, figures)
        await synthesised("offline", "espeak:pl", client, count, figures)
        try:
            if voice is not None:
                await synthesised("piper", voice, client, count, figures)
                await conversations(voice, client, CONVERSATIONS_S, figures)
                await long_sentence(voice, client, folder, figures)
        except TtsError as error:
            print(f"no figures for Piper: {error}", file=sys.stderr)
    for name in GOALS:
        for suffix in ("", f"_{MANY}_calls"):
            figures.setdefault(f"{name}{suffix}", None)
    return figures


def table(figures: dict[str, Any]) -> str:
    columns = {"": "1 call", f"_{MANY}_conversations": f"{MANY} conversations", f"_{MANY}_calls": f"{MANY} at once"}
    heads = [cell for column in columns.values() for cell in (column, "median")]
    rows: list[tuple[str, ...]] = [("first audio, ms", *heads, "goal")]
    for name, goal in GOALS.items():
        cells = [figures.get(f"{name}{suffix}{of}") for suffix in columns for of in ("", "_median")]
        rows.append((name.partition("_")[0], *("-" if cell is None else f"{cell:g}" for cell in cells), f"<= {goal:g}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def picture(figures: dict[str, Any]) -> str:
    """Bars on a logarithmic scale from 0.1 ms to 10 s, the goals as strokes; SVG."""

    def x(value: float) -> float:
        return 150 + 110 * (math.log10(max(0.1, value)) + 1)

    parts = [
        f'<text x="{x(10.0**power):.0f}" y="20" text-anchor="middle">{10.0**power:g} ms</text>'
        for power in range(-1, 5)
    ]
    y = 35
    for name, goal in GOALS.items():
        for suffix, colour in (("", "#4878a8"), (f"_{MANY}_calls", "#c87840")):
            value = figures.get(f"{name}{suffix}")
            label = f"{name.partition('_')[0]}, {MANY if suffix else 1}"
            parts.append(f'<text x="140" y="{y + 14}" text-anchor="end">{label}</text>')
            if value is not None:
                parts.append(f'<rect x="150" y="{y}" width="{x(value) - 150:.1f}" height="18" fill="{colour}"/>')
            y += 24
        parts.append(f'<line x1="{x(goal):.1f}" x2="{x(goal):.1f}" y1="{y - 50}" y2="{y - 4}" stroke="black"/>')
        y += 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{y}" font-family="sans-serif" font-size="12">\n'
        + "\n".join(parts) + "\n</svg>\n"
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=20, help="sentences for each figure at one call")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    parser.add_argument("--plot", type=Path, help="write a picture of the figures (SVG)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        figures = asyncio.run(measure(Path(folder), options.sentences))
    described = machine()
    print(f"{table(figures)}\non {described}")
    if options.plot:
        options.plot.write_text(picture(figures), encoding="utf-8")
    if options.json:
        print(json.dumps({"figures": figures, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
