"""Stand-ins for voices: a synthesizer of tones for tests of other packages, and a tiny real Piper voice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from tts.audio import sentence_pause
from tts.errors import SpeechUnavailable, UnknownVoice
from tts.synthesizer import SpeechRequest
from tts.text import sentences

TONE_S_PER_CHARACTER = 0.06


class ToneSynthesizer:
    """Says every sentence as a tone of `character_s` per character; each voice has its own pitch.

    `requests` holds what was asked for, in order. `available` False makes every sentence fail as a dead process would;
    `sentence_delay_s` is waited before each sentence.
    """

    def __init__(self, sentence_delay_s: float = 0.0, *, character_s: float = TONE_S_PER_CHARACTER) -> None:
        self.requests: list[SpeechRequest] = []
        self.available = True
        self.sentence_delay_s = sentence_delay_s
        self.character_s = character_s
        self._closed = False

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        self.requests.append(request)
        frequency = 200 + int(await self.fingerprint(request.voice), 16) % 300
        for index, sentence in enumerate(sentences(request.text)):
            await asyncio.sleep(self.sentence_delay_s)
            if self._closed or not self.available:
                raise SpeechUnavailable("The tone voice is switched off.")
            count = round(len(sentence) * self.character_s / request.rate * request.sample_rate)
            tone = 0.3 * np.sin(2 * np.pi * frequency / request.sample_rate * np.arange(count))
            pcm = (tone * 32767).astype("<i2").tobytes()
            yield sentence_pause(request.sample_rate) + pcm if index else pcm

    async def fingerprint(self, voice: str) -> str:
        if voice.partition(":")[0] not in ("espeak", "piper", "tone"):
            raise UnknownVoice(f"There is no voice {voice!r}.")
        return hashlib.sha256(voice.encode()).hexdigest()[:8]

    async def close(self) -> None:
        self._closed = True


def write_piper_voice(
    folder: Path, name: str = "pl_PL-ton-x_low", *, sample_rate: int = 16000, hertz: float = 220.0, rounds: int = 0
) -> Path:
    """A voice with the inputs of Piper's, a few kilobytes: a tone of 50 ms per phoneme. Returns the path of the model.

    It is not built as Piper's are, so it speaks whole sentences (in chunks: `benchmarks.speech_voice`).

    It obeys `length_scale`. `rounds` multiplications of two
    512 x 512 matrices per sentence make it slow, for tests that need a sentence under way. Needs the package `onnx`.
    """
    import onnx
    from onnx import TensorProto, helper

    def constant(label: str, kind: int, dims: list[int], values: list[float]) -> onnx.TensorProto:
        return helper.make_tensor(label, kind, dims, values)

    size = 512
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["matrix_in", "weights"], ["product"]),
            helper.make_node("Tanh", ["product"], ["matrix_out"]),
            helper.make_node("Identity", ["going_in"], ["going_out"]),
        ],
        "work",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("going_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_in", TensorProto.FLOAT, [size, size]),
        ],
        [
            helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_out", TensorProto.FLOAT, [size, size]),
        ],
        [constant("weights", TensorProto.FLOAT, [size, size], [1.0 / size] * (size * size))],
    )
    nodes = [
        helper.make_node("Gather", ["scales", "one"], ["length_scale"]),
        helper.make_node("Cast", ["input_lengths"], ["phonemes"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["phonemes"], ["phoneme_count"], keepdims=0),
        helper.make_node("Mul", ["phoneme_count", "length_scale"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "samples_each"], ["length"]),
        helper.make_node("Range", ["zero", "length", "step"], ["index"]),
        helper.make_node("Mul", ["index", "radians"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["tone"]),
        helper.make_node("ConstantOfShape", ["work_shape"], ["start"]),
        helper.make_node("Loop", ["rounds", "always", "start"], ["worked"], body=body),
        helper.make_node("ReduceMax", ["worked"], ["nothing"], keepdims=0),  # zero: keeps the loop in the graph
        helper.make_node("Add", ["tone", "nothing"], ["audio"]),
        helper.make_node("Unsqueeze", ["audio", "axes"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tone_voice",
        [
            helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])],
        [
            constant("one", TensorProto.INT64, [], [1]),
            constant("zero", TensorProto.FLOAT, [], [0.0]),
            constant("step", TensorProto.FLOAT, [], [1.0]),
            constant("samples_each", TensorProto.FLOAT, [], [0.05 * sample_rate]),
            constant("radians", TensorProto.FLOAT, [], [2 * np.pi * hertz / sample_rate]),
            constant("rounds", TensorProto.INT64, [], [rounds]),
            constant("always", TensorProto.BOOL, [], [True]),
            constant("work_shape", TensorProto.INT64, [2], [size, size]),
            constant("axes", TensorProto.INT64, [3], [0, 1, 2]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(model, str(path))
    phonemes = "_^$ !,.:;?abcdefghijklmnopqrstuvwxyzæðøŋœɐɑɔɕəɛɜɡɣɨɪɲɹɾʂʃʊʌʐʑʒˈˌːθ̃ʲ͡"
    config = {
        "audio": {"sample_rate": sample_rate},
        "espeak": {"voice": name.partition("_")[0]},
        "phoneme_type": "espeak",
        "num_symbols": len(phonemes),
        "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_id_map": {symbol: [index] for index, symbol in enumerate(phonemes)},
    }
    Path(f"{path}.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    return path
