"""What the confidence of a model is worth: fitted on one half of the texts, measured on the other half.

    python -m benchmarks.recognition_calibration [--model demo] [--texts 60] [--plot curve.svg] [--write] [--json]

Speech is synthetic (voices that the demo model was not trained on), clean and in noise down to 0 dB: the figures and
the weights hold for such speech only. `--write` puts the weights into the model's `recognition.json`. The last line of
`--json` is {"figures": {...}, "machine": {...}}; ECE is the expected calibration error over ten bins.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from asr.confidence import (
    Calibration,
    calibration_error,
    fit,
    reliability,
    text_features,
    word_features,
)
from asr.decoder import Decoder
from asr.device import choose_device
from asr.fetch import default_models_dir
from asr.guard import plain
from asr.manifest import write_manifest
from asr.models import ModelFiles, find
from asr.recogniser import RecognitionRequest
from benchmarks.machine import machine
from benchmarks.recognition_speech import RATE, Saying, render, sayings, with_noise
from voicebot import charts

NOISES_DB = (None, -20.0, -12.0, -6.0, 0.0)


@dataclass(frozen=True)
class Judged:
    """One text as it was heard, with what the model believed and what was right."""

    mean: float
    words: tuple[float, ...]
    words_right: tuple[bool, ...]
    right: bool


def hear(decoder: Decoder, wanted: Sequence[Saying]) -> list[Judged]:
    judged = []
    for spoken in render(wanted):
        request = RecognitionRequest(spoken.audio, RATE, spoken.saying.language, "calibration")
        heard = decoder.transcribe(request)
        if heard.text and heard.words:
            said, found = plain(spoken.saying.text).split(), [plain(word.text) for word in heard.words]
            right = [False] * len(found)
            for step in Levenshtein.opcodes(said, found):
                for index in range(step.dest_start, step.dest_end) if step.tag == "equal" else ():
                    right[index] = True
            believed = tuple(word.confidence for word in heard.words)
            judged.append(Judged(heard.confidence, believed, tuple(right), said == plain(heard.text).split()))
    return judged


def fitted(judged: Sequence[Judged]) -> Calibration:
    texts = np.array([text_features(one.mean, one.words) for one in judged])
    words = np.array([row for one in judged for row in word_features(one.mean, one.words)])
    text = fit(texts, np.array([one.right for one in judged]))
    word = fit(words, np.array([right for one in judged for right in one.words_right]))
    a, b = [round(float(weight), 4) for weight in text], [round(float(weight), 4) for weight in word]
    return Calibration(text=(a[0], a[1], a[2], a[3]), word=(b[0], b[1], b[2], b[3]))


def measure(judged: Sequence[Judged], calibration: Calibration) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures, and the curves for the plot."""
    texts_right = np.array([one.right for one in judged])
    words_right = np.array([right for one in judged for right in one.words_right])
    told: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]] = {
        "text before": (np.array([one.mean for one in judged]), texts_right),
        "text after": (np.array([calibration.of_text(one.mean, one.words) for one in judged]), texts_right),
        "word before": (np.array([word for one in judged for word in one.words]), words_right),
        "word after": (
            np.array([sure for one in judged for sure in calibration.of_words(one.mean, one.words)]),
            words_right,
        ),
    }
    figures: dict[str, Any] = {"texts": len(judged), "words": len(words_right)}
    curves: dict[str, Any] = {}
    for name, (confidence, right) in told.items():
        bins = reliability(confidence, right)
        figures[f"ece_{name.replace(' ', '_')}"] = round(calibration_error(bins), 4)
        curves[name] = [(one.confidence, one.right) for one in bins]
    figures["texts_right"], figures["words_right"] = float(texts_right.mean()), float(words_right.mean())
    return figures, curves


def write(files: ModelFiles, calibration: Calibration) -> None:
    path = files.folder / "recognition.json"
    card = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    card["calibration"] = {"text": list(calibration.text), "word": list(calibration.word)}
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    manifest = files.folder / "manifest.json"
    if manifest.exists():
        source = json.loads(manifest.read_text(encoding="utf-8"))["source"]
        write_manifest(files.folder, source, remember_times=files.name != "demo")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo", help="as for the recogniser")
    parser.add_argument("--texts", type=int, default=60, help="for each of three kinds and two languages")
    parser.add_argument("--plot", type=Path, help="draws the reliability curve (SVG)")
    parser.add_argument("--write", action="store_true", help="puts the weights into the model's recognition.json")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    files = find(options.model, default_models_dir())
    raw = replace(files, card=replace(files.card, calibration=None))
    decoder = Decoder(raw, choose_device(), threads=1)
    judged: dict[int, list[Judged]] = {0: [], 1: []}
    for kind in ("sentences", "shapes", "phrases"):
        texts = sayings(kind, options.texts, second_half=True)
        for noise_db in NOISES_DB:
            wanted = texts if noise_db is None else with_noise(texts, noise_db)
            for half in (0, 1):  # no text is in both
                judged[half] += hear(decoder, wanted[half::2])
        print(f"{kind}: heard {len(judged[0]) + len(judged[1])} so far", flush=True)
    calibration = fitted(judged[0])
    figures, curves = measure(judged[1], calibration)
    print(f"weights for texts {calibration.text}, for words {calibration.word}")
    for what in ("text", "word"):
        before, after = figures[f"ece_{what}_before"], figures[f"ece_{what}_after"]
        print(f"{what}: expected calibration error {before:.3f} before, {after:.3f} after")
    print("Synthetic voices only: nothing is said about people.")
    if options.plot:
        title = f"Confidence of {files.name}, synthetic speech"
        charts.lines(options.plot, title, "confidence", "share that was right", curves, diagonal=True)
    if options.write:
        write(files, calibration)
    if options.json:
        print(json.dumps({"figures": figures, "machine": machine()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
