"""The offline voice that always works: espeak-ng from the espeakng-loader wheel, called through ctypes.

espeak-ng is GPL-3, so this module is imported only in the speech process. The library keeps its state in globals: every
method has to be called from one and the same thread. Constants from espeak-ng's speak_lib.h (1.52).
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import espeakng_loader
import numpy as np

from tts.audio import PROCESSING_VERSION, Samples
from tts.errors import SpeechUnavailable, UnknownVoice

_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_PARAMETER_RATE = 1
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1

_WORDS_PER_MINUTE = 160
"""Tempo of rate 1.0: a little under espeak-ng's own 175, for a narrow telephone band."""

_REINSTALL = "Reinstall the package espeakng-loader."
_ALIASES = {"en-gb": "en"}
_NAME = re.compile(r"([a-z]{2,3}(?:-[A-Za-z0-9-]+)?)(?:\+([A-Za-z0-9]+))?")
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakVoices:
    """Family of voices named `<language>[+variant]`, e.g. `pl`, `pl+m6`, `en-us+f3`."""

    threads = 1

    def __init__(self) -> None:
        self._library: _Library | None = None

    def voice(self, name: str) -> EspeakVoice:
        language, variant = self._split(name)
        return EspeakVoice(self._started(), f"{language}+{variant}" if variant else language)

    def fingerprint(self, name: str) -> str:
        self._split(name)
        library = self._started()
        described = f"espeak-ng {library.version} {name} {_WORDS_PER_MINUTE} {PROCESSING_VERSION}"
        return hashlib.sha256(described.encode()).hexdigest()[:32]

    def _split(self, name: str) -> tuple[str, str | None]:
        match = _NAME.fullmatch(name)
        if match is None:
            raise UnknownVoice(f"espeak:{name} is not a voice name.", "Name one as espeak:pl or espeak:pl+m6.")
        language, variant = _ALIASES.get(match[1], match[1]), match[2]
        library = self._started()
        if not library.select(language):
            raise UnknownVoice(f"The offline voice does not speak {match[1]!r}.", "Use a language such as pl or en.")
        # espeak-ng takes an unknown variant without a word and speaks in its plain voice: ask the disk instead.
        if variant and not (library.data / "voices" / "!v" / variant).is_file():
            raise UnknownVoice(f"The offline voice has no variant {variant!r}.", "Use one of m1 to m8 or f1 to f5.")
        return language, variant

    def _started(self) -> _Library:
        if self._library is None:
            self._library = _Library()
        return self._library


class EspeakVoice:
    """One language and variant."""

    gain: float | None = None

    def __init__(self, library: _Library, name: str) -> None:
        self._library = library
        self._name = name
        self.sample_rate = library.sample_rate

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Iterator[Samples]:
        if not self._library.select(self._name):
            raise SpeechUnavailable(f"espeak-ng no longer finds its voice {self._name!r}.", _REINSTALL)
        yield self._library.synthesize(sentence, round(_WORDS_PER_MINUTE * rate), cancelled)


class _Library:
    """The loaded shared library."""

    def __init__(self) -> None:
        self.data = Path(espeakng_loader.get_data_path())
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self.sample_rate: int = self._library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, str(self.data).encode(), _INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise SpeechUnavailable(f"espeak-ng does not start with its data in {self.data}.", _REINSTALL)
        self.version: str = self._library.espeak_Info(None).decode()
        self._parts: list[bytes] = []
        self._cancelled = threading.Event()
        self._callback = _Callback(self._collect)  # kept: the library holds no reference of its own
        self._library.espeak_SetSynthCallback(self._callback)

    def select(self, name: str) -> bool:
        return bool(self._library.espeak_SetVoiceByName(name.encode()) == 0)

    def synthesize(self, text: str, words_per_minute: int, cancelled: threading.Event) -> Samples:
        self._parts.clear()
        self._cancelled = cancelled
        self._library.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
        encoded = text.encode() + b"\0"
        failed = self._library.espeak_Synth(encoded, len(encoded), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        if failed:
            raise SpeechUnavailable(f"espeak-ng refused a sentence (code {failed}).")
        pcm = np.frombuffer(b"".join(self._parts), dtype="<i2")
        self._parts.clear()
        return pcm.astype(np.float32) / np.float32(32768.0)

    def _collect(self, samples: int | None, count: int, _events: int | None) -> int:
        """Called by the library with each piece of audio; a result of 1 stops the synthesis."""
        if samples and count > 0:
            self._parts.append(ctypes.string_at(samples, 2 * count))
        return 1 if self._cancelled.is_set() else 0
