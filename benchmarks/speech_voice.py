"""A voice with the cost of Piper's `medium` ones, or a tiny one: their file format, inputs and layers, random weights.

The graph follows VITS as Piper's medium voices have it (22050 Hz, 192 hidden channels, hop of 256 samples): a text
encoder of 6 transformer layers, 4 coupling layers of 4 gated convolutions, a HiFi-GAN decoder that upsamples 8 x 8 x 4.
Simpler than there: attention without relative positions, and durations that are given (FRAMES_EACH for each id) instead
of predicted, a stochastic predictor being a hundredth of the work. What it says is noise. Needs the package `onnx`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

NAME = "pl_PL-random-medium"
SAMPLE_RATE = 22050
HOP = 256
FRAMES_EACH = 3
"""Frames for each id, of which every phoneme has two (itself and a pad): 14 phonemes in a second, as people speak."""

_HEADS = 2
_FLOWS, _GATES, _GATE_KERNEL = 4, 4, 5
_UPSAMPLING = ((16, 8), (16, 8), (8, 4))  # kernel, factor; each halves the channels
_RESBLOCKS = ((3, (1, 2)), (5, (2, 6)), (7, (3, 12)))  # kernel, dilations
_SYMBOLS = "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɔɕəɛɜɟɡɣɨɪɫɲɹɾʂʃʊʌʐʑʒʔˈˌːθ̃ʲ"


@dataclass(frozen=True)
class Size:
    """Channels and layers of a voice."""

    hidden: int
    filter: int
    layers: int
    decoder: int


MEDIUM = Size(hidden=192, filter=768, layers=6, decoder=256)
TINY = Size(hidden=8, filter=16, layers=1, decoder=16)
"""For tests: the same structure, a thousandth of the work."""


class _Graph:
    """Nodes and weights under construction; every method returns the name of its result."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0
        self._random = np.random.default_rng(seed)
        self._names = 0

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self._names += 1
        name = f"t{self._names}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        self._names += 1
        self.weights.append(numpy_helper.from_array(values, f"c{self._names}"))
        return f"c{self._names}"

    def weight(self, *shape: int) -> str:
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else shape[0]
        self.parameters += int(np.prod(shape))
        return self.constant((self._random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32))

    def conv(self, data: str, channels: int, out: int, kernel: int, dilation: int = 1) -> str:
        pad = (kernel - 1) * dilation // 2
        return self.add(
            "Conv", data, self.weight(out, channels, kernel), self.weight(out),
            kernel_shape=[kernel], dilations=[dilation], pads=[pad, pad],
        )  # fmt: skip

    def slices(self, data: str, size: int) -> tuple[str, str]:
        """The first and the second half of 2 x `size` channels."""
        axis = self.constant(np.array([1], np.int64))
        edges = [self.constant(np.array([at], np.int64)) for at in (0, size, 2 * size)]
        return self.add("Slice", data, edges[0], edges[1], axis), self.add("Slice", data, edges[1], edges[2], axis)


def write_voice(folder: Path, name: str, size: Size, seed: int = 1) -> tuple[Path, int]:
    """The path of the model, which lies there with its configuration, and its number of parameters."""
    graph = _Graph(size, seed)
    encoded = _encoder(graph)
    output = _decoder(graph, _flow(graph, _spread(graph, encoded)))
    graph.nodes.append(helper.make_node("Unsqueeze", [output, graph.constant(np.array([1], np.int64))], ["output"]))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "medium",
            [
                helper.make_tensor_value_info("input", TensorProto.INT64, [1, "ids"]),
                helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
                helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
            ],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(model, str(path))
    write_config(path)
    return path, graph.parameters


def write_config(model: Path, speakers: int = 1) -> None:
    """The file that lies beside a Polish model, or one of another language by its name."""
    config = {
        "audio": {"sample_rate": SAMPLE_RATE, "quality": "medium"},
        "espeak": {"voice": model.name.partition("_")[0]},
        "phoneme_type": "espeak",
        "num_symbols": 256,
        "num_speakers": speakers,
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_id_map": {symbol: [index] for index, symbol in enumerate(_SYMBOLS)},
    }
    Path(f"{model}.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")


def _encoder(graph: _Graph) -> str:
    """Ids (1, n) to hidden channels (1, 192, n)."""
    embedded = graph.add("Gather", graph.weight(256, graph.size.hidden), "input")
    data = graph.add("Transpose", embedded, perm=[0, 2, 1])
    for _ in range(graph.size.layers):
        data = _normalised(graph, graph.add("Add", data, _attention(graph, data)))
        wide = graph.add("Relu", graph.conv(data, graph.size.hidden, graph.size.filter, 3))
        data = _normalised(graph, graph.add("Add", data, graph.conv(wide, graph.size.filter, graph.size.hidden, 3)))
    return data


def _attention(graph: _Graph, data: str) -> str:
    size = graph.size.hidden // _HEADS
    split = graph.constant(np.array([1, _HEADS, size, -1], np.int64))
    query, key, value = (
        graph.add("Reshape", graph.conv(data, graph.size.hidden, graph.size.hidden, 1), split) for _ in range(3)
    )  # fmt: skip
    scores = graph.add("MatMul", graph.add("Transpose", query, perm=[0, 1, 3, 2]), key)
    scaled = graph.add("Mul", scores, graph.constant(np.array(size**-0.5, np.float32)))
    weighed = graph.add(
        "MatMul", value, graph.add("Transpose", graph.add("Softmax", scaled, axis=-1), perm=[0, 1, 3, 2])
    )
    joined = graph.add("Reshape", weighed, graph.constant(np.array([1, graph.size.hidden, -1], np.int64)))
    return graph.conv(joined, graph.size.hidden, graph.size.hidden, 1)


def _normalised(graph: _Graph, data: str) -> str:
    turned = graph.add("Transpose", data, perm=[0, 2, 1])
    ones, zeros = (graph.constant(np.full(graph.size.hidden, value, np.float32)) for value in (1, 0))
    return graph.add("Transpose", graph.add("LayerNormalization", turned, ones, zeros, axis=-1), perm=[0, 2, 1])


def _spread(graph: _Graph, data: str) -> str:
    """Every id over its frames (times the length scale), with the noise that the flow turns into speech."""
    scales = [
        graph.add("Gather", "scales", graph.constant(np.array(at, np.int64))) for at in range(2)
    ]  # fmt: skip
    each = graph.add("Mul", scales[1], graph.constant(np.array(FRAMES_EACH, np.float32)))
    ids = graph.add("ReduceSum", graph.add("Cast", "input_lengths", to=TensorProto.FLOAT), keepdims=0)
    zero, one = graph.constant(np.array(0, np.float32)), graph.constant(np.array(1, np.float32))
    frames = graph.add("Range", zero, graph.add("Floor", graph.add("Mul", ids, each)), one)
    index = graph.add("Cast", graph.add("Floor", graph.add("Div", frames, each)), to=TensorProto.INT64)
    spread = graph.add("Gather", data, index, axis=2)
    noise = graph.add("Mul", graph.add("RandomNormalLike", spread), scales[0])
    return graph.add("Add", spread, noise)


def _flow(graph: _Graph, data: str) -> str:
    size = graph.size.hidden
    for _ in range(_FLOWS):
        first, second = graph.slices(data, size // 2)
        hidden = graph.conv(first, size // 2, size, 1)
        for _ in range(_GATES):
            gate, content = graph.slices(graph.conv(hidden, size, 2 * size, _GATE_KERNEL), size)
            acted = graph.add("Mul", graph.add("Tanh", content), graph.add("Sigmoid", gate))
            rest, _ = graph.slices(graph.conv(acted, size, 2 * size, 1), size)
            hidden = graph.add("Add", hidden, rest)
        moved = graph.add("Sub", second, graph.conv(hidden, size, size // 2, 1))
        data = graph.add("Concat", moved, first, axis=1)
    return data


def _decoder(graph: _Graph, data: str) -> str:
    """Frames (1, 192, n) to samples (1, 1, 256 n)."""
    channels = graph.size.decoder
    data = graph.conv(data, graph.size.hidden, channels, 7)
    for kernel, factor in _UPSAMPLING:
        out = channels // 2
        pad = (kernel - factor) // 2
        data = graph.add(
            "ConvTranspose", graph.add("LeakyRelu", data, alpha=0.1), graph.weight(channels, out, kernel),
            graph.weight(out), kernel_shape=[kernel], strides=[factor], pads=[pad, pad],
        )  # fmt: skip
        blocks = []
        for size, dilations in _RESBLOCKS:
            block = data
            for dilation in dilations:
                acted = graph.add("LeakyRelu", block, alpha=0.1)
                block = graph.add("Add", block, graph.conv(acted, out, out, size, dilation))
            blocks.append(block)
        third = graph.constant(np.array(1 / len(blocks), np.float32))
        data = graph.add("Mul", graph.add("Sum", *blocks), third)
        channels = out
    return graph.add("Tanh", graph.conv(graph.add("LeakyRelu", data, alpha=0.01), channels, 1, 7))
