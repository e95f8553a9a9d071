"""Spoken prompts on disk: rendered once, in parallel, in chunks that a later run finds again.

A chunk is two files, `chunk_00012.npy` (bytes [frames, MELS]) and `chunk_00012.json` (what is said where). It depends
on seed and number alone, whoever renders it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import asr
from asr.training import channel, features
from asr.training.corpus import Corpus, Prompt
from asr.training.errors import TrainingError
from asr.training.features import FRAME_MS, MAX_FRAMES, Frames
from asr.training.voices import Espeak, draw_manner

# Bump it when the same seed gives other sounds: folders with older ones are then refused.
FORMAT = 3


@dataclass(frozen=True)
class Recording:
    """One utterance as the model gets it. `ends` are the frames at which its words end."""

    language: str
    text: str
    frames: Frames
    ends: tuple[int, ...]


@dataclass(frozen=True)
class Sound:
    """One utterance before feature extraction: 16 kHz in -1..1, word ends in ms."""

    signal: NDArray[np.float32]
    word_ends_ms: tuple[float, ...]
    voice: str


def speak(espeak: Espeak, prompt: Prompt, random: np.random.Generator, *, held_out: bool = False) -> Sound:
    """A prompt in a drawn voice over a drawn line."""
    if not prompt.text:
        return Sound(channel.silent_line(random), (), "")
    manner = draw_manner(prompt.language, random, held_out=held_out)
    speech = espeak.say(prompt.text, manner)
    signal, lead_ms, stretch = channel.transmit(speech.samples, speech.sample_rate, channel.draw_line(random), random)
    longest = len(signal) / channel.MODEL_RATE * 1000
    ends = tuple(min(lead_ms + end * stretch, longest) for end in speech.word_ends_ms)
    return Sound(signal, ends, manner.voice)


def record(espeak: Espeak, prompt: Prompt, random: np.random.Generator) -> Recording | None:
    """None when it is longer than the model's ten seconds."""
    sound = speak(espeak, prompt, random)
    frames = features.extract(sound.signal)
    if len(frames) > MAX_FRAMES - 5:
        return None
    ends = tuple(min(int(end / FRAME_MS), len(frames)) for end in sound.word_ends_ms)
    return Recording(prompt.language, prompt.text, frames, ends)


def render(folder: Path, corpus: Corpus, hours: float, *, processes: int, say: Callable[[str], None]) -> int:
    """Renders chunks until they hold `hours` of sound; how many chunks that took. Finished ones are not made again.

    Each chunk has a process of its own: the synthesiser's flutter and breath go on from one sentence to the next, and
    nothing but a new process resets them. Raises TrainingError when one fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seconds, chunks = 0.0, 0
    with ThreadPoolExecutor(processes) as pool:
        while seconds < hours * 3600:
            # A wave may render a few chunks more than are used: which ones are used must not depend on `processes`.
            wave = range(chunks, chunks + processes)
            for chunk_seconds in pool.map(lambda index: _render_apart(folder, corpus, index), wave):
                if seconds < hours * 3600:
                    seconds += chunk_seconds
                    chunks += 1
            say(f"speech: {seconds / 3600:.2f} of {hours:g} h")
    return chunks


def load(folder: Path, chunks: int) -> list[Recording]:
    """The first `chunks` chunks. Frames stay on disk until they are used (memory-mapped)."""
    recordings: list[Recording] = []
    for index in range(chunks):
        frames, start = np.load(_frames_path(folder, index), mmap_mode="r"), 0
        for entry in _read_index(folder, index)["recordings"]:
            stop = start + entry["frames"]
            recordings.append(Recording(entry["language"], entry["text"], frames[start:stop], tuple(entry["ends"])))
            start = stop
    return recordings


def _render_apart(folder: Path, corpus: Corpus, index: int) -> float:
    """One chunk, rendered by a new process unless it is there; seconds of sound in it."""
    if not (_frames_path(folder, index).exists() and _index_path(folder, index).exists()):
        root = str(Path(asr.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        arguments = [str(folder), str(corpus.seed), str(corpus.size), str(index)]
        done = subprocess.run(
            [sys.executable, "-m", "asr.training.recordings", *arguments],
            # Two threads for these small matrices would only wait for each other.
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
            timeout=1800,
        )
        if done.returncode != 0:
            raise TrainingError(f"Rendering chunk {index} failed: {done.stderr.strip() or done.returncode}")
    return float(_read_index(folder, index)["seconds"])


def render_chunk(folder: Path, corpus: Corpus, index: int) -> None:
    """Writes one chunk."""
    espeak = Espeak()
    made = [
        record(espeak, prompt, np.random.default_rng([corpus.seed, index, position]))
        for position, prompt in enumerate(corpus.chunk(index))
    ]
    recordings = [recording for recording in made if recording is not None]
    frames = np.concatenate([recording.frames for recording in recordings])
    seconds = len(frames) * FRAME_MS / 1000
    entries = [
        {"language": r.language, "text": r.text, "frames": len(r.frames), "ends": list(r.ends)} for r in recordings
    ]
    document = {"seconds": seconds, "recordings": entries}
    # The index is written last, and each file appears whole: a chunk cut short is made again.
    part = folder / f"part_{index:05d}.npy"
    np.save(part, frames)
    part.replace(_frames_path(folder, index))
    part = folder / f"part_{index:05d}.json"
    part.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    part.replace(_index_path(folder, index))


def _read_index(folder: Path, index: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_index_path(folder, index).read_text(encoding="utf-8"))
    return document


def _frames_path(folder: Path, index: int) -> Path:
    return folder / f"chunk_{index:05d}.npy"


def _index_path(folder: Path, index: int) -> Path:
    return folder / f"chunk_{index:05d}.json"


if __name__ == "__main__":
    os.nice(5)
    render_chunk(Path(sys.argv[1]), Corpus(int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4]))
