"""Silero's voice activity network: one ONNX session, any number of streams in one batch.

The weights come inside Pipecat's wheel. Silero v5: windows of 256 samples at 8 kHz or 512 at 16 kHz (32 ms), each
preceded by the last 32 or 64 samples of the window before, and a recurrent state of shape (2, batch, 128).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from asr.errors import ActivityError

Floats = NDArray[np.float32]

RATES = (8000, 16000)
WINDOW_MS = 32
STATE = (2, 1, 128)


def window_samples(sample_rate: int) -> int:
    return sample_rate * WINDOW_MS // 1000


def context_samples(sample_rate: int) -> int:
    return window_samples(sample_rate) // 8


def find_weights() -> Path:
    """The file inside the installed pipecat package, found without importing it. Raises ActivityError."""
    spec = importlib.util.find_spec("pipecat")
    for base in spec.submodule_search_locations or () if spec else ():
        path = Path(base) / "audio" / "vad" / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise ActivityError("The Silero weights are not in the installed pipecat package.", "Reinstall pipecat-ai.")


class Silero:
    """Not thread-safe in its states, which the caller keeps; `run` itself may be called from any thread."""

    def __init__(self, weights: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A spinning pool would eat a core between windows.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        path = weights or find_weights()
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise ActivityError(f"The Silero weights at {path} cannot be loaded: {error}") from error

    def run(self, sample_rate: int, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Speech probabilities (batch,) and the new states (2, batch, 128).

        windows: (batch, context + window) samples in -1..1, states: (2, batch, 128).
        """
        feed = {"input": windows, "state": states, "sr": np.array(sample_rate, dtype=np.int64)}
        outputs: list[Floats] = self._session.run(None, feed)
        return outputs[0][:, 0], outputs[1]
