"""Spoken prompts on disk: rendered once, in parallel, in chunks that a later run finds again.

A chunk is two files, `chunk_00012.npy` (bytes [frames, MELS]) and `chunk_00012.json` (what is said where). It depends
on seed and number alone, whoever renders it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.training import channel, features
from asr.training.corpus import Corpus, Prompt
from asr.training.features import FRAME_MS, MAX_FRAMES, Frames
from asr.training.voices import Espeak, draw_manner

# Bump it when the same seed gives other sounds: folders with older ones are then refused.
FORMAT = 1


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
    """Renders chunks until they hold `hours` of sound; how many chunks that took. Finished ones are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds, chunks = 0.0, 0
    context = multiprocessing.get_context("spawn")
    # One process per chunk: the synthesiser's flutter and breath go on from one sentence to the next, and nothing but a
    # new process resets them.
    with context.Pool(
        processes, initializer=_start_worker, initargs=(folder, corpus.seed, corpus.size), maxtasksperchild=1
    ) as pool:
        while seconds < hours * 3600:
            # A wave may render a few chunks more than are used: which ones are used must not depend on `processes`.
            for chunk_seconds in pool.map(_render_chunk, range(chunks, chunks + processes), chunksize=1):
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


_worker: tuple[Path, Corpus, Espeak] | None = None


def _start_worker(folder: Path, seed: int, size: int) -> None:
    global _worker
    os.nice(5)
    _worker = (folder, Corpus(seed, size), Espeak())


def _render_chunk(index: int) -> float:
    """Seconds of sound in the chunk."""
    assert _worker is not None
    folder, corpus, espeak = _worker
    return render_chunk(folder, corpus, espeak, index)


def render_chunk(folder: Path, corpus: Corpus, espeak: Espeak, index: int) -> float:
    """Writes one chunk unless it is there; seconds of sound in it. `espeak` must be fresh for the chunk to be the same
    every time."""
    if _frames_path(folder, index).exists() and _index_path(folder, index).exists():
        return float(_read_index(folder, index)["seconds"])
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
    return seconds


def _read_index(folder: Path, index: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_index_path(folder, index).read_text(encoding="utf-8"))
    return document


def _frames_path(folder: Path, index: int) -> Path:
    return folder / f"chunk_{index:05d}.npy"


def _index_path(folder: Path, index: int) -> Path:
    return folder / f"chunk_{index:05d}.json"
