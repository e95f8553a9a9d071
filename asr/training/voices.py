"""The synthesiser that teaches: espeak-ng in this process, through the library and data of the `espeakng-loader` wheel.

The library keeps one global state: one `Espeak` per process, used by one thread. A sentence also depends, inaudibly, on
those said before it (flutter and breath go on): only a fresh process says exactly the same again. It is GPL-3: nothing
outside this training program may import this module.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from asr.training.errors import VoiceUnavailable

# Variants of the synthesiser. The held-out ones are never trained: they measure how the model hears a stranger.
TRAINED_VARIANTS = (
    "m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 Alex Andy Annie Denis Gene Jacky Lee Marco Mario Michael Mike adam anika antonio "
    "aunty belinda benjamin boris caleb david ed edward grandma grandpa iven john klatt klatt2 klatt3 klatt5 linda "
    "marcelo max michel miguel norbert pablo paul pedro quincy rob sandro shelby steph steph2 travis victor zac "
    "Andrea AnxiousAndy Diogo Gene2 Henrique Nguyen Reed announcer croak edward2 gustave ian iven2 iven3 iven4 klatt6 "
    "mike2 steph3 whisper whisperf"
).split()
HELD_OUT_VARIANTS = ("m6", "f4", "Alicia", "robert", "klatt4", "Hugo")
# Base voices per language; one listed twice is used twice as often.
TRAINED_BASES = {
    "pl": ("pl",),
    "en": ("en-us", "en-us", "en", "en", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029"),
}
HELD_OUT_BASES = {"pl": ("pl",), "en": ("en-us", "en", "en-gb-x-gbcwmd")}

# From speak_lib.h.
_SYNCHRONOUS = 2
_UTF8 = 1
_EVENT_END, _EVENT_WORD = 0, 1
_RATE, _PITCH, _PITCH_RANGE, _WORD_GAP = 1, 3, 4, 7


@dataclass(frozen=True)
class Manner:
    """How a sentence is said: voice "pl+m6", words a minute, pitch and its range 0..100, pauses in 10 ms."""

    voice: str
    rate: int = 160
    pitch: int = 50
    pitch_range: int = 50
    word_gap: int = 0


@dataclass(frozen=True)
class Speech:
    """`samples` int16 mono at `sample_rate`; `word_ends_ms[i]` is where word i ends, counted from the first sample."""

    samples: NDArray[np.int16]
    sample_rate: int
    word_ends_ms: tuple[float, ...]


def draw_manner(language: str, random: np.random.Generator, *, held_out: bool = False) -> Manner:
    """A voice of the trained or of the held-out set, speed and pitch varied as far as people do."""
    variants: Sequence[str] = HELD_OUT_VARIANTS if held_out else ("", *TRAINED_VARIANTS)
    variant = variants[int(random.integers(len(variants)))]
    bases = (HELD_OUT_BASES if held_out else TRAINED_BASES)[language]
    base = bases[int(random.integers(len(bases)))]
    return Manner(
        voice=f"{base}+{variant}" if variant else base,
        rate=int(random.integers(125, 191)),
        pitch=int(random.integers(20, 81)),
        pitch_range=int(random.integers(20, 80)),
        word_gap=int(random.choice([0, 0, 0, 0, 2, 4, 8])),
    )


class _EventId(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """Says text and tells where each word ends."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (ImportError, OSError, RuntimeError) as error:
            raise VoiceUnavailable(f"espeak-ng cannot be loaded: {error}.", "pip install espeakng-loader") from error
        self.sample_rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), 0))
        if self.sample_rate <= 0:
            raise VoiceUnavailable(f"espeak-ng found no data in {data}.", "Install espeakng-loader again.")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # by default it is seeded with the time
        self._audio: list[NDArray[np.int16]] = []
        self._words: dict[int, int] = {}
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, manner: Manner) -> Speech:
        """Raises VoiceUnavailable for an unknown voice."""
        if self._library.espeak_SetVoiceByName(manner.voice.encode()) != 0:
            raise VoiceUnavailable(f"espeak-ng has no voice {manner.voice}.")
        self._audio.clear()
        self._words.clear()
        for parameter, value in (
            (_RATE, manner.rate),
            (_PITCH, manner.pitch),
            (_PITCH_RANGE, manner.pitch_range),
            (_WORD_GAP, manner.word_gap),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded)), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._audio) if self._audio else np.zeros(1, np.int16)
        total_ms = len(samples) / self.sample_rate * 1000
        return Speech(samples, self.sample_rate, word_ends(text, self._words, total_ms))

    def _collect(self, wav: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0 and wav:
            self._audio.append(np.ctypeslib.as_array(wav, (count,)).copy())
        position = 0
        while events[position].type != _EVENT_END:
            if events[position].type == _EVENT_WORD:
                self._words[events[position].text_position] = events[position].audio_position
            position += 1
        return 0


def word_ends(text: str, starts_ms: dict[int, int], total_ms: float) -> tuple[float, ...]:
    """Where each word ends: where the next word begins that the synthesiser has marked.

    `starts_ms`: audio position by character position (from 1). Words that it speaks as one ("nie ma") share an end.
    """
    words = text.split()
    ends = [total_ms] * len(words)
    character, following = 1 + len(" ".join(words)) + 1, total_ms
    for index in range(len(words) - 1, -1, -1):
        character -= len(words[index]) + 1
        ends[index] = following
        following = starts_ms.get(character, following)
    return tuple(ends)
