"""How well and how fast the recogniser hears, beside stock faster-whisper.

Word error rates of the demo model on synthetic telephone speech: texts that its training left out, in voices that its
training left out. `wer_clean`, `wer_noise_10db` (noise of four kinds, 10 dB under the speech), `wer_loss_5pct` (frames
lost at random, concealed as in a call), `wer_unseen_shapes` (sentence shapes never trained, clean): shares of words.

Throughput: when the last of N callers who finish together has their text. Ours (one process, the window that the model
stands), a stock `WhisperModel` per call, and one shared behind a lock; the demo model, and OpenAI's `small` shape with
random weights, in a window of 30 s (what OpenAI's models need) and of 10 s (what one trained for it could have).
Random weights have no word error rate: a window of 10 s is no claim about OpenAI's `small`.

    python -m benchmarks.recognition [--texts 50] [--counts 1,2,4,8,16,32] [--small-counts 1,8] [--plot P.svg] [--json]

The last line of `--json` is {"figures": {...}, "machine": {...}}. Without a GPU the figures for one are null.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from asr.decoder import Decoder
from asr.device import choose_device
from asr.guard import plain
from asr.models import demo_folder, find
from asr.recogniser import RecognitionRequest
from benchmarks.machine import machine
from benchmarks.recognition_models import SMALL, TURBO, random_model
from benchmarks.recognition_speech import RATE, Saying, Spoken, render, sayings, with_loss, with_noise
from voicebot import charts

RIVAL_S = 900
LONGEST_S = 4.0
MODES = ("ours", "per_call", "shared")


def error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    errors = sum(
        Levenshtein.distance(plain(one).split(), plain(other).split()) for one, other in zip(said, heard, strict=True)
    )
    return round(errors / max(1, sum(len(plain(one).split()) for one in said)), 4)


def hear(decoder: Decoder, wanted: Sequence[Saying], change: Callable[[Spoken], bytes]) -> float:
    spoken = render(wanted)
    heard = [
        decoder.transcribe(RecognitionRequest(change(one), RATE, one.saying.language, "benchmark")).text
        for one in spoken
    ]
    return error_rate([one.saying.text for one in spoken], heard)


def word_errors(texts: int) -> dict[str, Any]:
    decoder = Decoder(find("demo", Path(tempfile.gettempdir())), choose_device("cpu"))
    sentences, shapes = sayings("sentences", texts), sayings("shapes", texts)
    return {
        "wer_clean": hear(decoder, sentences, lambda one: one.audio),
        "wer_noise_10db": hear(decoder, with_noise(sentences, -10.0), lambda one: one.audio),
        "wer_loss_5pct": hear(decoder, sentences, lambda one: with_loss(one.audio, 0.05, one.saying.seed)),
        "wer_unseen_shapes": hear(decoder, shapes, lambda one: one.audio),
    }


def callers(count: int) -> list[Spoken]:
    """Different sentences of two to four seconds."""
    spoken = [one for one in render(sayings("sentences", 100)) if 2.0 <= len(one.audio) / 2 / RATE <= LONGEST_S]
    return [spoken[index % len(spoken)] for index in range(count)]


def rivals(folder: Path, speech: Sequence[Spoken], counts: Sequence[int], modes: Sequence[str]) -> dict[str, Any]:
    """Answer of each mode's process, with `wer` over its largest number of callers."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "speech.json"
        entries = [{"language": one.saying.language, "audio": one.audio.hex()} for one in speech]
        file.write_text(json.dumps(entries), encoding="utf-8")
        for mode in modes:
            command = [sys.executable, "-m", "benchmarks.recognition_rivals", mode, str(folder), str(file)]
            command.append(",".join(str(count) for count in counts))
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=RIVAL_S)
            found[mode] = json.loads(done.stdout.splitlines()[-1])
            texts = found[mode].get("steps", {}).get(str(max(counts)), {}).get("texts")
            if texts:
                found[mode]["wer"] = error_rate([one.saying.text for one in speech[: len(texts)]], texts)
    return found


def table(name: str, found: dict[str, Any], counts: Sequence[int]) -> str:
    rows = [f"{name}: seconds until the last of N has their text ({found['ours']['batches']})"]
    rows.append("N".rjust(9) + "".join(str(count).rjust(9) for count in counts) + "   MiB")
    for mode in MODES:
        seconds = "".join(f"{found[mode]['steps'][str(count)]['last_s']:9.2f}" for count in counts)
        rows.append(mode.rjust(9) + seconds + f"{found[mode]['memory_mib']:6}")
    return "\n".join(rows)


def speedups(found: dict[str, Any], suffix: str = "") -> dict[str, Any]:
    last = {mode: found[mode]["steps"].get("8", {}).get("last_s") for mode in MODES}
    return {
        f"speedup_last_of_8_vs_{mode}{suffix}": round(last[mode] / last["ours"], 2) if last["ours"] else None
        for mode in ("per_call", "shared")
    }


def throughput(counts: Sequence[int], small_counts: Sequence[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures, and the curves for the plot."""
    speech = callers(max(*counts, *small_counts))
    device = choose_device().kind
    demo = rivals(demo_folder(), speech, counts, MODES)
    print(table(f"demo model on {device}", demo, counts), flush=True)
    empty = rivals(demo_folder(), (), (1,), ["empty"])["empty"]["memory_mib"]
    figures: dict[str, Any] = speedups(demo)
    figures |= {f"wer_{mode}": demo[mode]["wer"] for mode in MODES} | {"batches_demo": demo["ours"]["batches"]}
    for window_s in (30.0, 10.0):
        found = rivals(random_model(SMALL, window_s), speech, small_counts, MODES)
        print(table(f"`small` shape, window of {window_s:g} s", found, small_counts), flush=True)
        figures |= speedups(found, f"_small_{window_s:g}s")
        grown = {mode: found[mode]["memory_mib"] - empty for mode in MODES}
        if max(small_counts) == 8:
            figures |= {"memory_mb_ours_8": grown["ours"], "memory_mb_per_call_8": grown["per_call"]}
    figures["speedup_last_of_8_cuda"] = None
    if device == "cuda":
        turbo = rivals(random_model(TURBO, 30.0), speech, [1, 8], MODES)
        print(table("large-v3-turbo's shape", turbo, [1, 8]), flush=True)
        figures["speedup_last_of_8_cuda"] = speedups(turbo)["speedup_last_of_8_vs_per_call"]
    else:
        print("no GPU here: speedup_last_of_8_cuda is not measured")
    curves = {mode: [(float(count), demo[mode]["steps"][str(count)]["last_s"]) for count in counts] for mode in MODES}
    return figures, curves


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=50, help="for each set and language")
    parser.add_argument("--counts", type=numbers, default=[1, 2, 4, 8, 16, 32], help="callers at once, demo model")
    parser.add_argument("--small-counts", type=numbers, default=[1, 8], help="callers at once, `small` shape")
    parser.add_argument("--plot", type=Path, help="draws the throughput (SVG)")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    figures = word_errors(options.texts)
    for name, value in figures.items():
        print(f"{name}: {value:.3f}", flush=True)
    measured, curves = throughput(options.counts, options.small_counts)
    figures |= measured
    described = machine()
    print("\n".join(f"{name}: {'not measured' if value is None else value}" for name, value in measured.items()))
    print(f"Synthetic voices only; on {described}")
    if options.plot:
        charts.lines(options.plot, "Demo model", "callers at once", "s until the last text", curves)
    if options.json:
        print(json.dumps({"figures": figures, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
