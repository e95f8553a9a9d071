"""Neural voices: Piper's ONNX models, run by the piper-tts package.

piper-tts is GPL-3, so this module is imported only in the speech process, and there only when a Piper voice is wanted.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnxruntime
from piper.config import PiperConfig, SynthesisConfig
from piper.voice import PiperVoice as PiperModel

from tts.audio import PROCESSING_VERSION, Samples
from tts.errors import SpeechUnavailable, VoiceMissing
from tts.pronunciation import BUILT_IN, built_in
from tts.voices import VoiceFiles, find_voice


class PiperVoices:
    """Family of voices named by file (`pl_PL-gosia-medium`, looked up in `folder`) or by path (`/srv/voices/own.onnx`).

    A voice is loaded at its first use; the `kept` used last stay in memory (60 to 120 MB each).
    """

    def __init__(self, folder: Path, kept: int = 3, threads: int = 2) -> None:
        self._folder = folder
        self._kept = kept
        self._threads = threads
        self._loaded: OrderedDict[str, PiperVoice] = OrderedDict()
        self._fingerprints: dict[tuple[Path, int, int], str] = {}

    def voice(self, name: str) -> PiperVoice:
        if name in self._loaded:
            self._loaded.move_to_end(name)
            return self._loaded[name]
        loaded = PiperVoice(find_voice(name, self._folder), self._threads)
        self._loaded[name] = loaded
        while len(self._loaded) > self._kept:
            self._loaded.popitem(last=False)
        return loaded

    def fingerprint(self, name: str) -> str:
        files = find_voice(name, self._folder)
        about = files.model.stat()
        key = (files.model, about.st_mtime_ns, about.st_size)
        if key not in self._fingerprints:
            digest = hashlib.sha256(f"piper {PROCESSING_VERSION}".encode())
            digest.update(files.config.read_bytes())
            digest.update(BUILT_IN.read_bytes())
            with files.model.open("rb") as model:
                while block := model.read(1 << 20):
                    digest.update(block)
            self._fingerprints[key] = digest.hexdigest()[:32]
        return self._fingerprints[key]


class PiperVoice:
    """One loaded model."""

    def __init__(self, files: VoiceFiles, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin between two operations would take the processor from the telephone side.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            config = PiperConfig.from_dict(json.loads(files.config.read_text(encoding="utf-8")))
            session = onnxruntime.InferenceSession(str(files.model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime and the config parser raise a dozen types for a damaged file
            raise VoiceMissing(
                f"The voice {files.model} cannot be read: {error}.", f"Delete it and fetch it again: {files.remedy}"
            ) from error
        self._model = PiperModel(session=session, config=config)
        self.sample_rate: int = config.sample_rate

    def respelled(self, sentence: str) -> str:
        """As the model is given it: with the cures for what all voices of its language say wrong."""
        language = self._model.config.espeak_voice
        return built_in().apply(sentence, language, f"piper:{language}")

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Samples:
        tempo = SynthesisConfig(length_scale=self._model.config.length_scale / rate)
        pieces: list[Samples] = []
        try:
            for piece in self._model.synthesize(self.respelled(sentence), tempo):
                pieces.append(piece.audio_float_array)
                if cancelled.is_set():
                    break
        except Exception as error:  # a model decides for itself what it raises on
            raise SpeechUnavailable(f"The Piper voice failed on a sentence: {error}.") from error
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
