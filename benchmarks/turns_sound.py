"""The turns of `benchmarks.turns_corpus` as telephone sound, in voices held out of the training.

The synthesiser is GPL-3, so it runs in a process of its own (`python -m benchmarks.turns_sound SPEC OUT`); what it made
is kept in a temporary folder under the hash of what was asked. Each piece is said by itself, with the intonation of a
clause that goes on or of one that ends, and stripped of its silence, so that every edge is known to the sample.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.training import channel
from benchmarks.recognition_speech import with_loss
from benchmarks.rendered import rendered
from benchmarks.turns_corpus import Piece, Turn

RATE = 8000
FORMAT = 2  # bump it when the same turn gives other sounds
RENDER_S = 1800
LEAD_S = 0.5
TRAIL_S = 4.0  # longer than the longest pause that ends a turn
LEVEL_DB = -8.0
BAND_HZ = (300.0, 3400.0)
AUDIBLE = 0.02  # -34 dB under the peak of the piece: what is below is its silence
BLOCK = RATE // 100  # 10 ms, in which speech and noise are compared
SLOW_RATE = 90  # words a minute: a hesitation is drawn out
LOSS = 0.05


@dataclass(frozen=True)
class Spoken:
    """`audio`: 8 kHz, 16-bit mono. `ends[i]`: the sample at which piece i is over, or is lost in the noise."""

    turn: Turn
    audio: bytes
    ends: tuple[int, ...]

    @property
    def end(self) -> int:
        """The last audible sample of the caller."""
        return self.ends[-1]


def render(wanted: Sequence[Turn]) -> list[Spoken]:
    """Makes them all in one child process, or takes them from the last run."""
    asked = {"format": FORMAT, "turns": [asdict(turn) for turn in wanted]}
    with np.load(rendered("benchmarks.turns_sound", "turns", asked)) as sounds:
        return [_spoken(turn, index, sounds) for index, turn in enumerate(wanted)]


def _spoken(turn: Turn, index: int, sounds: Mapping[str, Any]) -> Spoken:
    audio = sounds[f"audio{index}"].tobytes()
    if turn.condition == "loss":
        audio = with_loss(audio, LOSS, turn.seed)
    return Spoken(turn, audio, tuple(int(end) for end in sounds[f"ends{index}"]))


def on_the_line(pieces: Sequence[channel.Signal], turn: Turn) -> tuple[NDArray[np.int16], list[int]]:
    """The pieces with their pauses through a telephone, and where each ends. Noise lies under all of it."""
    track = [np.zeros(int(LEAD_S * RATE), np.float32)]
    ends: list[int] = []
    for sound, piece in zip(pieces, turn.pieces, strict=True):
        track.append(sound)
        ends.append(sum(map(len, track)))
        track.append(np.zeros(piece.pause_ms * RATE // 1000, np.float32))
    track.append(np.zeros(int(TRAIL_S * RATE), np.float32))
    signal = channel.band_pass(np.concatenate(track), *BAND_HZ)
    signal = signal / (np.abs(signal).max() + 1e-9)
    if turn.condition == "noise":
        random = np.random.default_rng(turn.seed)
        spoken = [signal[end - len(sound) : end] for sound, end in zip(pieces, ends, strict=True)]
        loudness = float(np.sqrt(np.square(np.concatenate(spoken)).mean())) * 10 ** (turn.noise_db / 20)
        ends = [end - len(one) + audible(one, loudness) for one, end in zip(spoken, ends, strict=True)]
        signal = signal + channel.noise(len(signal), turn.noise_kind, random) * loudness
    pcm = (np.clip(signal * 10 ** (LEVEL_DB / 20), -1, 1) * 32767).astype(np.int16)
    return channel.decode_a_law(channel.encode_a_law(pcm)), ends


def audible(sound: channel.Signal, noise: float) -> int:
    """How much of it there is until it stays under the noise, a root mean square."""
    blocks = np.arange(len(sound), 0, -BLOCK)
    return next((int(end) for end in blocks if np.square(sound[max(0, end - BLOCK) : end]).mean() >= noise**2), 0)


def stripped(samples: NDArray[np.int16], rate: int) -> channel.Signal:
    """At 8 kHz, without the silence before and after."""
    sound = soxr.resample(samples.astype(np.float32) / 32768, rate, RATE)
    loud = np.flatnonzero(np.abs(sound) > AUDIBLE * np.abs(sound).max())
    stripped: channel.Signal = sound[loud[0] : loud[-1] + 1]
    return stripped


def _make(turns: Sequence[Turn], output: Path) -> None:
    from asr.training.voices import Espeak, draw_manner

    espeak = Espeak()
    made: dict[str, Any] = {}
    for index, turn in enumerate(turns):
        manner = draw_manner(turn.language, np.random.default_rng(turn.seed), held_out=True)
        pieces = []
        for piece in turn.pieces:
            text = piece.text + ("," if piece.rises else ".")
            speech = espeak.say(text, replace(manner, rate=SLOW_RATE) if piece.slow else manner)
            pieces.append(stripped(speech.samples, speech.sample_rate))
        made[f"audio{index}"], made[f"ends{index}"] = on_the_line(pieces, turn)
    np.savez(output, allow_pickle=False, **made)


def _turn(entry: dict[str, Any]) -> Turn:
    return Turn(**(entry | {"pieces": tuple(Piece(**piece) for piece in entry["pieces"])}))


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["turns"]
    _make([_turn(entry) for entry in asked], Path(sys.argv[2]))
