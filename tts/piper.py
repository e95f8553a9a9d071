"""Neural voices: Piper's ONNX models, run by the piper-tts package.

piper-tts is GPL-3, so this module is imported only in the speech process, and there only when a Piper voice is wanted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from piper.config import PiperConfig
from piper.voice import PiperVoice as PiperModel

from tts.audio import PROCESSING_VERSION, Samples, level_gain
from tts.errors import SpeechUnavailable, VoiceMissing
from tts.pronunciation import BUILT_IN, built_in
from tts.stages import NotCuttable
from tts.vits import StagedModel, Values, session
from tts.voices import VoiceFiles, find_voice

logger = logging.getLogger(__name__)

_SAMPLE = "1, 2, 3, 4."
"""Read out in whatever language a voice has."""


class PiperVoices:
    """Family of voices named by file (`pl_PL-gosia-medium`, looked up in `folder`) or by path (`/srv/voices/own.onnx`).

    A voice is loaded at its first use; the `kept` used last stay in memory (150 to 220 MB each). As many sentences as
    there are `threads` are computed at once, each on one of them.
    """

    def __init__(self, folder: Path, kept: int = 3, threads: int = 2) -> None:
        self.threads = threads
        self._folder = folder
        self._kept = kept
        self._loading = threading.Lock()
        self._loaded: OrderedDict[str, PiperVoice] = OrderedDict()
        self._fingerprints: dict[tuple[Path, int, int], str] = {}

    def voice(self, name: str) -> PiperVoice:
        with self._loading:
            loaded = self._loaded.get(name) or PiperVoice(find_voice(name, self._folder))
            self._loaded[name] = loaded
            self._loaded.move_to_end(name)
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
    """One loaded model. A file that is not built as Piper's are gives its sentences whole, as late as that is."""

    def __init__(self, files: VoiceFiles) -> None:
        self.gain: float | None = None
        self._whole: onnxruntime.InferenceSession | None = None
        try:
            self._config = PiperConfig.from_dict(json.loads(files.config.read_text(encoding="utf-8")))
            self._phonemes = PiperModel(session=None, config=self._config)
            try:
                self._staged = StagedModel(files.model, self._config.sample_rate)
                self.gain = self._measured_gain()
            except Exception as error:  # NotCuttable, or what onnx and onnxruntime say of a graph that we cut wrongly
                logger.warning("the voice %s gives whole sentences, later than others: %s", files.model, error)
                self._whole = session(str(files.model), threads=1)
        except Exception as error:  # onnxruntime and the config parser raise a dozen types for a damaged file
            raise VoiceMissing(
                f"The voice {files.model} cannot be read: {error}.", f"Delete it and fetch it again: {files.remedy}"
            ) from error
        self.sample_rate: int = self._config.sample_rate

    def respelled(self, sentence: str) -> str:
        """As the model is given it: with the cures for what all voices of its language say wrong."""
        language = self._config.espeak_voice
        return built_in().apply(sentence, language, f"piper:{language}")

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Iterator[Samples]:
        try:
            for given in self._given(self.respelled(sentence), rate):
                for samples in self._staged.render(given) if self._whole is None else self._at_once(given):
                    yield samples
                    if cancelled.is_set():
                        return
        except Exception as error:  # a model decides for itself what it raises on
            raise SpeechUnavailable(f"The Piper voice failed on a sentence: {error}.") from error

    def _given(self, text: str, rate: float) -> Iterator[Values]:
        """The inputs of the model, for every sentence that Piper finds in the text."""
        config = self._config
        for phonemes in filter(None, self._phonemes.phonemize(text)):
            ids = self._phonemes.phonemes_to_ids(phonemes)
            scales = [config.noise_scale, config.length_scale / rate, config.noise_w_scale]
            given: Values = {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array(scales, np.float32),
            }
            yield given | ({"sid": np.array([config.default_speaker_id], np.int64)} if config.num_speakers > 1 else {})

    def _at_once(self, given: Values) -> Iterator[Samples]:
        assert self._whole is not None
        yield self._whole.run(None, given)[0].reshape(-1)

    def _measured_gain(self) -> float:
        """What brings this voice to the common level, by a sample of it, which also tries whether chunks are exact."""
        sample = np.concatenate([self._staged.tried(given) for given in self._given(_SAMPLE, 1.0)])
        if not sample.any():
            raise NotCuttable("it says nothing by which its loudness could be measured")
        return level_gain(sample, self._config.sample_rate)
