"""One way of serving several callers at once, in a process of its own so that its memory can be told.

    python -m benchmarks.recognition_rivals ours|per_call|shared|empty FOLDER SPEECH.json 1,8,32

ours: the engine of the recogniser process, batches as measured at start-up. per_call: a stock `WhisperModel` for each
caller. shared: one stock `WhisperModel` behind a lock. empty: the libraries and nothing else. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from faster_whisper import WhisperModel

from asr import batching
from asr.decoder import Decoder
from asr.device import Device, choose_device
from asr.engine import Engine
from asr.models import find
from asr.process import resident_mib
from asr.recogniser import RecognitionRequest
from asr.whisper import TOKENS_PER_S

RATE = 8000
REPEATED_UNDER_S = 5.0  # what takes longer is measured once

Audio = bytes
Step = Callable[[int], tuple[float, list[str]]]


def ours(folder: Path, device: Device, speech: list[tuple[str, Audio]]) -> tuple[Step, dict[str, Any]]:
    decoder = Decoder(find(str(folder), folder), device)
    decoder.warm_up()
    sizes = batching.CUDA_SIZES if device.kind == "cuda" else batching.CPU_SIZES
    plan = batching.plan(decoder.network.trial_s, sizes)

    async def serve(count: int) -> tuple[float, list[str]]:
        engine = Engine(decoder, batch_limit=plan.limit)
        engine.start()
        requests = [
            RecognitionRequest(audio, RATE, language, f"{index}", deadline_s=600)
            for index, (language, audio) in enumerate(speech[:count])
        ]
        started = time.perf_counter()
        answers = await asyncio.gather(*(engine.transcribe(request) for request in requests))
        last_s = time.perf_counter() - started
        await engine.close()
        return last_s, [answer.text for answer in answers]

    return lambda count: asyncio.run(serve(count)), {"batches": str(plan)}


def stock(folder: Path, device: Device, speech: list[tuple[str, Audio]], models: int) -> tuple[Step, dict[str, Any]]:
    """Every caller in a thread of its own, as many models as there are; with one of them behind a lock."""
    loaded: list[WhisperModel] = [
        WhisperModel(str(folder), device=device.kind, compute_type=device.compute_type) for _ in range(models)
    ]
    locks = [threading.Lock() for _ in loaded]
    sounds = [
        (language, soxr.resample(np.frombuffer(audio, "<i2").astype(np.float32) / 32768, RATE, 16000))
        for language, audio in speech
    ]

    def one(index: int) -> str:
        language, sound = sounds[index]
        with locks[index % models]:
            segments, _ = loaded[index % models].transcribe(
                sound,
                language=language,
                beam_size=5,
                temperature=0.0,
                without_timestamps=True,
                condition_on_previous_text=False,
                max_new_tokens=16 + int(TOKENS_PER_S * len(sound) / 16000),  # as many as our decoder allows
            )
            return " ".join(segment.text.strip() for segment in segments)

    def serve(count: int) -> tuple[float, list[str]]:
        with ThreadPoolExecutor(count) as pool:
            started = time.perf_counter()
            texts = list(pool.map(one, range(count)))
            return time.perf_counter() - started, texts

    return serve, {}


def main() -> None:
    mode, folder, counts = sys.argv[1], Path(sys.argv[2]), [int(part) for part in sys.argv[4].split(",")]
    if mode == "empty":
        print(json.dumps({"memory_mib": resident_mib()}))
        return
    device = choose_device()
    entries = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    speech = [(entry["language"], bytes.fromhex(entry["audio"])) for entry in entries]
    if mode == "ours":
        serve, told = ours(folder, device, speech)
    else:
        serve, told = stock(folder, device, speech, max(counts) if mode == "per_call" else 1)
    serve(1)  # the first is slower
    steps = {}
    for count in counts:
        last_s, texts = serve(count)
        if last_s < REPEATED_UNDER_S:
            last_s = min(last_s, serve(count)[0])
        steps[count] = {"last_s": round(last_s, 4), "texts": texts}
    print(json.dumps({"steps": steps, "memory_mib": resident_mib(), "device": device.kind, **told}, ensure_ascii=False))


if __name__ == "__main__":
    main()
