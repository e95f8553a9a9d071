# mypy: allow-untyped-calls
"""A model folder -> the network it was exported from: the reverse of `export.py`, where a training can go on.

`model.bin` is read as ctranslate2's `ModelSpec._serialize` writes it (binary version 6). Its 8-bit weights come back
within half a step of their row's scale. The CTC output is not in a folder; it comes back untrained.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from asr.training.errors import TrainingError
from asr.training.features import TELEPHONE_MELS
from asr.training.model import SmallWhisper
from asr.training.shape import Shape
from asr.training.tokenizer import Vocabulary

Variables = Mapping[str, NDArray[np.float32]]

_BINARY_VERSION = 6
_NAME = "WhisperSpec"
# In the order of CTranslate2's DataType; bfloat16 is not among the kinds that `export.py` writes.
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
_POSITION_TOLERANCE = 2e-3  # float16


def load(folder: Path) -> tuple[SmallWhisper, Vocabulary]:
    """Network (float32, on the CPU) and tokenizer of a folder.

    Raises TrainingError when the folder is not a model that `export.py` could have written.
    """
    try:
        variables = read_variables(folder / "model.bin")
        vocabulary = Vocabulary.load(folder / "tokenizer.json")
        return _network(variables, vocabulary), vocabulary
    except Exception as error:  # tokenizers raises bare Exceptions
        raise TrainingError(
            f"No training can go on from {folder}: {error}.",
            "Name the folder of a model that `python -m asr.training make` made.",
        ) from error


def read_variables(path: Path) -> Variables:
    """Every variable by name in float32, 8-bit ones multiplied out."""
    stored: dict[str, NDArray[np.generic]] = {}
    with path.open("rb") as file:
        version = _number(file, "I")
        if version != _BINARY_VERSION or _text(file) != _NAME:
            raise ValueError(f"{path.name} is not a Whisper model of binary version {_BINARY_VERSION}")
        _number(file, "I")  # revision
        for _ in range(_number(file, "I")):
            name = _text(file)
            shape = [_number(file, "I") for _ in range(_number(file, "B"))]
            kind = np.dtype(_TYPES[_number(file, "B")])
            stored[name] = np.frombuffer(file.read(_number(file, "I")), kind).reshape(shape)
        for _ in range(_number(file, "I")):
            alias = _text(file)
            stored[alias] = stored[_text(file)]
    return {name: _exact(name, value, stored) for name, value in stored.items()}


def _exact(name: str, value: NDArray[np.generic], stored: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    exact: NDArray[np.float32] = value.astype(np.float32)
    scale = stored.get(f"{name}_scale")
    if scale is None or value.dtype != np.int8:
        return exact
    return exact / scale.astype(np.float32).reshape(-1, *[1] * (exact.ndim - 1))


def _number(file: BinaryIO, kind: str) -> int:
    size = struct.calcsize(kind)
    return int(struct.unpack(kind, file.read(size))[0])


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "H"))[:-1].decode()


def _network(variables: Variables, vocabulary: Vocabulary) -> SmallWhisper:
    tokens, width = variables["decoder/embeddings/weight"].shape
    if tokens != len(vocabulary):
        raise ValueError(f"model.bin knows {tokens} tokens, tokenizer.json {len(vocabulary)}")
    shape = Shape(
        width=width,
        heads=int(variables["encoder/num_heads"]),
        encoder_layers=_layers(variables, "encoder"),
        decoder_layers=_layers(variables, "decoder"),
    )
    network = SmallWhisper(shape, len(vocabulary), vocabulary.end)
    if variables["encoder/conv1/weight"][:, TELEPHONE_MELS:].any():
        raise ValueError("it listens above 4 kHz")
    positions = network.positions.numpy()
    if not np.allclose(variables["encoder/position_encodings/encodings"], positions, atol=_POSITION_TOLERANCE):
        raise ValueError("its encoder has other positions")
    state = network.state_dict()
    for name, variable in names(shape).items():
        value = torch.from_numpy(variables[variable].copy())
        state[name] = value[:, :TELEPHONE_MELS] if name == "conv1.weight" else value
    network.load_state_dict(state)
    network.eval()
    return network


def _layers(variables: Variables, side: str) -> int:
    return len({name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_") and "norm/" not in name})


def names(shape: Shape) -> dict[str, str]:
    """The CTranslate2 variable of every parameter that a folder holds."""
    found = {
        "embedding.weight": "decoder/embeddings/weight",
        "text_positions": "decoder/position_encodings/encodings",
    }
    found |= _linear("conv1", "encoder/conv1") | _linear("conv2", "encoder/conv2")
    found |= _norm("encoder_norm", "encoder/layer_norm") | _norm("decoder_norm", "decoder/layer_norm")
    for side, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        for index in range(layers):
            found |= _block(f"{side}.{index}.", f"{side}/layer_{index}/", cross=side == "decoder")
    return found


def _block(ours: str, theirs: str, *, cross: bool) -> dict[str, str]:
    found = _norm(ours + "self_norm", theirs + "self_attention/layer_norm")
    for index, name in enumerate(("joint", "out")):
        found |= _linear(f"{ours}self_attention.{name}", f"{theirs}self_attention/linear_{index}")
    if cross:
        found |= _norm(ours + "cross_norm", theirs + "attention/layer_norm")
        for index, name in enumerate(("query", "memory", "out")):
            found |= _linear(f"{ours}cross_attention.{name}", f"{theirs}attention/linear_{index}")
    found |= _norm(ours + "feed_norm", theirs + "ffn/layer_norm")
    return (
        found | _linear(ours + "feed_in", theirs + "ffn/linear_0") | _linear(ours + "feed_out", theirs + "ffn/linear_1")
    )


def _linear(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.{part}": f"{theirs}/{part}" for part in ("weight", "bias")}


def _norm(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.weight": f"{theirs}/gamma", f"{ours}.bias": f"{theirs}/beta"}
