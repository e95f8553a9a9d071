"""Running a Piper model in stages: the first third of a second of a sentence costs a fraction of the sentence.

A rendering depends on what is given alone: its noise is drawn from a generator that is seeded with the ids. A process
that takes another one's place gives the same samples.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tts.audio import Samples
from tts.stages import NotCuttable, Stage, Window, cut

CHUNKS_S = (0.35, 0.7, 1.2)
"""Sound in the first chunk of a sentence, in the second, and in each later one: early, then with little overlap."""

_ALIKE = 1e-3
"""Of the loudest sample. Rounding makes a hundredth of it, a window too narrow a hundred times as much."""

Values = dict[str, NDArray[Any]]


def session(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    """A model ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin between two operations would take the processor from the telephone side.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class StagedModel:
    """The model of one voice. Several threads may render at once, each with one processor. Raises NotCuttable."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        stages = cut(path)
        self._prior = [_Runner(stage) for stage in stages.prior]
        self._noises = stages.noises
        self._flow = _WindowRunner(stages.flow)
        self._decoder = _WindowRunner(stages.decoder)
        self._frames_per_s = sample_rate / stages.decoder.rate

    def render(self, given: Values) -> Iterator[Samples]:
        """A sentence in chunks. `given` are the inputs of the model."""
        return self._chunks(self._expected(given), CHUNKS_S)

    def tried(self, given: Values) -> Samples:
        """A sentence as a whole, after it was seen to be the same in chunks. Raises NotCuttable."""
        expected = self._expected(given)
        whole, pieces = (np.concatenate(list(self._chunks(expected, sizes))) for sizes in ((1e6,), (0.2, 0.3)))
        if whole.shape != pieces.shape or np.abs(whole - pieces).max() > _ALIKE * np.abs(whole).max():
            raise NotCuttable("its parts do not make up the whole")
        return np.asarray(whole, np.float32)

    def _expected(self, given: Values) -> Values:
        """What flow and decoder take, for all frames of the sentence."""
        draw = np.random.default_rng(zlib.crc32(given["input"].tobytes()))
        values = dict(given)
        for noise, stage in zip((None, *self._noises), self._prior, strict=True):
            if noise is not None:
                values[noise.name] = draw.standard_normal(values[noise.like].shape, np.float32)
            values |= stage.run(values)
        return values

    def _chunks(self, values: Values, sizes_s: Sequence[float]) -> Iterator[Samples]:
        frames = values[self._flow.source].shape[-1]
        latents: list[NDArray[Any]] = []
        done = known = 0
        for size_s in itertools.chain(sizes_s, itertools.repeat(sizes_s[-1])):
            size = max(1, round(size_s * self._frames_per_s))
            end = done + size if done + 1.5 * size < frames else frames  # no crumbs at the end
            if known < (needed := min(frames, end + self._decoder.reach)):
                upto = frames if known else needed  # little at first, then all the rest
                latents.append(self._flow.run(values, frames, known, upto))
                values = {**values, self._decoder.source: np.concatenate(latents, axis=-1)}
                known = upto
            yield self._decoder.run(values, frames, done, end).reshape(-1)
            done = end
            if done == frames:
                return


class _Runner:
    """A stage ready to run."""

    def __init__(self, stage: Stage) -> None:
        self._inputs, self._outputs = stage.inputs, stage.outputs
        self._session = session(stage.model, threads=1)

    def run(self, values: Values) -> Values:
        results = self._session.run(self._outputs, {name: values[name] for name in self._inputs})
        return dict(zip(self._outputs, results, strict=True))


class _WindowRunner:
    """A stage that runs on windows of frames."""

    def __init__(self, window: Window) -> None:
        self._runner = _Runner(window.stage)
        self._result, self._rate = window.result, window.rate
        self.source, self.reach = window.source, window.reach

    def run(self, values: Values, frames: int, start: int, end: int) -> NDArray[Any]:
        """The result for the frames from `start` up to `end`, out of `frames` of the sentence."""
        first, last = max(0, start - self.reach), min(frames, end + self.reach)
        windows = {
            name: value[..., first:last] if name == self.source or value.shape[-1:] == (frames,) else value
            for name, value in values.items()
        }
        result = self._runner.run(windows)[self._result]
        return result[..., (start - first) * self._rate : (end - first) * self._rate]
