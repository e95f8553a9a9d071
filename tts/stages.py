"""Cutting a Piper model into stages, so that the first of a sentence can be heard before its rest is computed.

Piper's voices are VITS models: a text encoder and a predictor of durations give a prior for every frame of a sentence,
a flow turns it into latents, a decoder (HiFi-GAN) turns these into samples. Flow and decoder, most of the work, are
convolutions along the frames: computed for a window and their reach on either side, they give what they would have
given for the whole. The noise is taken out of the graph and becomes an input, so that a rendering can be repeated.

Everything is found by structure, not by names, which depend on the version of PyTorch that exported the file. Whether
the pieces are the whole again is for the caller to try: see `tts.vits`. Imported only in the speech process.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

_ELEMENTWISE = ("Add", "Mul")
_SMALL = 1024  # bytes; larger weights have no say in what kind of number a tensor holds
_TEXT = "input"
_ROW_AXIS = "row axis"
_FLOAT = onnx.TensorProto.FLOAT


class NotCuttable(Exception):
    """The file is not built as Piper's voices are; the message says what is missing."""


@dataclass(frozen=True)
class Noise:
    """A tensor of standard normal values with the shape of another one."""

    name: str
    like: str


@dataclass(frozen=True)
class Stage:
    """A model of its own: some nodes of the whole, what they take, and what later stages take of theirs."""

    model: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """A stage that may run on some frames of a sentence: it needs `reach` more on either side, where there are any.

    It turns the tensor `source` (1, channels, frames), and whatever else it takes, into the one named `result`, which
    has `rate` values for each frame.
    """

    stage: Stage
    reach: int
    rate: int
    source: str
    result: str


@dataclass(frozen=True)
class Stages:
    """`prior` runs stage by stage; before the stage at index n + 1 the noise at index n is drawn."""

    prior: tuple[Stage, ...]
    noises: tuple[Noise, ...]
    flow: Window
    decoder: Window


def cut(path: Path) -> Stages:
    """The stages of the model in `path`. Raises NotCuttable."""
    graph = _Graph(onnx.load(str(path)))
    noises = graph.take_noises()
    prior, latents = graph.after_noise(noises[-1].name), graph.decoder_input()
    samples = graph.model.graph.output[0].name
    *before, flow, decoder = graph.stages([*(noise.like for noise in noises), prior, latents, samples])
    return Stages(
        tuple(graph.built(nodes, target) for nodes, target in before),
        noises,
        Window(graph.built(*flow), *_reach_and_rate(flow[0], prior, latents), prior, latents),
        Window(graph.built(*decoder), *_reach_and_rate(decoder[0], latents, samples), latents, samples),
    )


class _Graph:
    """The nodes of a model, by what they make and take."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.weights = {weight.name: weight for weight in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output if name}
        self._order = {id(node): at for at, node in enumerate(model.graph.node)}
        self._users: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in _taken(node):
                self._users.setdefault(name, []).append(node)
        self._kinds = _kinds(model)

    def take_noises(self) -> tuple[Noise, ...]:
        """From here on the noises are inputs."""
        nodes = [node for node in self.model.graph.node if node.op_type.startswith("Random")]
        if not nodes or any(node.op_type != "RandomNormalLike" for node in nodes):
            raise NotCuttable("its noise is not made by RandomNormalLike")
        for node in nodes:
            del self._makers[node.output[0]]
        return tuple(Noise(node.output[0], node.input[0]) for node in nodes)

    def after_noise(self, name: str) -> str:
        """The tensor that a noise ends up in, when it has been scaled and added to its mean."""
        while [node.op_type in _ELEMENTWISE for node in self._users.get(name, [])] == [True]:
            name = self._users[name][0].output[0]
        return name

    def decoder_input(self) -> str:
        """What the convolution before the first upsampling takes."""
        node = next((node for node in self.model.graph.node if node.op_type == "ConvTranspose"), None)
        while node is not None and node.op_type != "Conv":
            # In voices of several speakers an embedding is added on the way, which does not depend on the text.
            above = [self._makers[name] for name in node.input if name in self._makers]
            node = next((maker for maker in above if _TEXT in self._sources(maker.input)), None)
        if node is None:
            raise NotCuttable("it has no decoder with a convolution before its first upsampling")
        return str(node.input[0])

    def stages(self, targets: Iterable[str]) -> list[tuple[list[onnx.NodeProto], str]]:
        """For each target the nodes that lead to it and to none before. A constant is wherever it is used."""
        stages = []
        made: set[str] = set()
        for target in targets:
            found = self._sources([target], made)
            nodes = {id(node): node for name in found if (node := self._makers.get(name)) is not None}
            if not nodes:
                raise NotCuttable(f"nothing leads to its tensor {target}")
            made |= {name for node in nodes.values() if _taken(node) for name in node.output}
            stages.append((sorted(nodes.values(), key=lambda node: self._order[id(node)]), target))
        return stages

    def built(self, nodes: list[onnx.NodeProto], target: str) -> Stage:
        """The nodes as a model that gives `target` and all that nodes elsewhere take."""
        own = {id(node) for node in nodes}
        made = {name for node in nodes for name in node.output}
        inputs = sorted({name for node in nodes for name in _taken(node)} - made - self.weights.keys())
        outputs = sorted(
            name for node in nodes if _taken(node) for name in node.output
            if name == target or any(id(user) not in own for user in self._users.get(name, []))
        )  # fmt: skip
        nodes, weights = _two_dimensional(nodes, self.weights)
        graph = helper.make_graph(
            *(nodes, "stage"),
            [helper.make_tensor_value_info(name, self._kinds.get(name, _FLOAT), None) for name in inputs],
            [onnx.ValueInfoProto(name=name) for name in outputs],
            weights,
        )
        model = helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        return Stage(model.SerializeToString(), tuple(inputs), tuple(outputs))

    def _sources(self, names: Iterable[str], known: Collection[str] = ()) -> set[str]:
        """All tensors that these depend on, and themselves; not what is known, nor what leads there."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found and name not in known:
                found.add(name)
                left += _taken(self._makers[name]) if name in self._makers else []
        return found


def _taken(node: onnx.NodeProto) -> list[str]:
    """The tensors that a node takes, also by the graphs within it."""
    inner = [other for attribute in node.attribute for other in attribute.g.node]
    return [name for name in node.input if name] + [name for other in inner for name in _taken(other)]


def _kinds(model: onnx.ModelProto) -> dict[str, int]:
    """The kind of number in every tensor. Without the weights: to copy them would take most of the time."""
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    for weight in model.graph.initializer:
        if len(weight.raw_data) > _SMALL:
            light.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, list(weight.dims)))
        else:
            light.graph.initializer.append(weight)
    graph = onnx.shape_inference.infer_shapes(light).graph
    return {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input)}


def _reach_and_rate(nodes: Sequence[onnx.NodeProto], source: str, result: str) -> tuple[int, int]:
    """How many frames of `source` on one side of one have a say in its `result`, and how many values that has."""
    reach = {source: 0.0}  # in frames
    rate = {source: 1}  # of a tensor, against that of the source
    for node in nodes:
        known = [name for name in node.input if name in reach]
        if not known:
            continue
        reached, fast = max(reach[name] for name in known), max(rate[name] for name in known)
        if node.op_type in ("Conv", "ConvTranspose"):
            length = _list(node, "kernel_shape", [1])[0]
            step, pad = _list(node, "strides", [1])[0], _list(node, "pads", [0, 0])[0]
            span = (length - 1) * _list(node, "dilations", [1])[0]
            sideways = max(pad, span - pad)
            reached += sideways / fast if node.op_type == "Conv" else sideways / (fast * step)
            fast *= step if node.op_type == "ConvTranspose" else 1
        for name in node.output:
            reach[name], rate[name] = reached, fast
    if result not in reach:
        raise NotCuttable(f"nothing leads from its tensor {source} to {result}")
    return math.ceil(reach[result]), rate[result]


def _two_dimensional(
    nodes: Sequence[onnx.NodeProto], weights: dict[str, onnx.TensorProto]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The nodes, with convolutions of one row instead of convolutions of a line, and the weights that they take.

    onnxruntime has its fast convolutions for two dimensions only; the decoder takes two thirds of its time with them.
    """
    same = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Identity"}
    rewritten: list[onnx.NodeProto] = []
    rows: dict[str, onnx.TensorProto] = {}
    for node in nodes:
        name = node.input[1] if node.op_type == "Conv" else ""
        while name in same:
            name = same[name]
        padded = any(attribute.name == "auto_pad" for attribute in node.attribute)
        if name not in weights or len(weights[name].dims) != 3 or padded or _list(node, "kernel_shape", [1]) == [1]:
            rewritten.append(node)
            continue
        row = f"{name}/row"
        if row not in rows:
            rows[row] = numpy_helper.from_array(numpy_helper.to_array(weights[name])[:, :, None, :], row)
        rewritten += _row_convolution(node, row)
    rows[_ROW_AXIS] = numpy_helper.from_array(np.array([2], np.int64), _ROW_AXIS)
    taken = {name for node in rewritten for name in _taken(node)}
    return rewritten, [weight for name, weight in {**weights, **rows}.items() if name in taken]


def _row_convolution(node: onnx.NodeProto, row: str) -> list[onnx.NodeProto]:
    result = node.output[0]
    before, after = _list(node, "pads", [0, 0])
    group = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    return [
        helper.make_node("Unsqueeze", [node.input[0], _ROW_AXIS], [f"{result}/wide"]),
        helper.make_node(
            *("Conv", [f"{result}/wide", row, *node.input[2:]], [f"{result}/row"]),
            kernel_shape=[1, *_list(node, "kernel_shape", [])],
            pads=[0, before, 0, after],
            dilations=[1, *_list(node, "dilations", [1])],
            strides=[1, *_list(node, "strides", [1])],
            group=group,
        ),
        helper.make_node("Squeeze", [f"{result}/row", _ROW_AXIS], [result]),
    ]


def _list(node: onnx.NodeProto, name: str, otherwise: list[int]) -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == name), otherwise)
