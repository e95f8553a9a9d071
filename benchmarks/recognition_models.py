"""Whisper models in any of OpenAI's shapes with random weights, in CTranslate2's true format; for speed and memory."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import whisper_spec
from numpy.typing import NDArray

from asr.models import demo_folder

Weights = NDArray[np.float32]
FORMAT = 1


@dataclass(frozen=True)
class Shape:
    """Of the network; the vocabulary is the demo model's, and `vocabulary` rows are in the embedding."""

    name: str
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    vocabulary: int = 51865


SMALL = Shape("small", 768, 12, 12, 12)
TURBO = Shape("large-v3-turbo", 1280, 20, 32, 4, mels=128, vocabulary=51866)


def random_model(shape: Shape, window_s: float) -> Path:
    """A model folder, made once and kept in the temporary folder. int8 weights, about 250 MB for `small`."""
    kept = Path(tempfile.gettempdir()) / "voicebot-benchmarks" / f"{shape.name}-{window_s:g}s-v{FORMAT}"
    if kept.exists():
        return kept
    part = kept.with_name(kept.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _specification(shape).save(str(part))
    shutil.copy(demo_folder() / "tokenizer.json", part)
    (part / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.mels}), encoding="utf-8")
    card = {"window_s": window_s, "window_per_audio": 1.0, "longest_s": min(window_s, 30.0)}
    (part / "recognition.json").write_text(json.dumps(card), encoding="utf-8")
    part.replace(kept)
    return kept


def _specification(shape: Shape) -> Any:
    random = np.random.default_rng(1)

    def matrix(*size: int) -> Weights:
        return (random.standard_normal(size, dtype=np.float32) * np.float32(0.02)).astype(np.float32)

    spec = whisper_spec.WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    encoder, decoder, width = spec.encoder, spec.decoder, shape.width
    for convolution, inputs in ((encoder.conv1, shape.mels), (encoder.conv2, width)):
        convolution.weight, convolution.bias = matrix(width, inputs, 3), matrix(width)
    encoder.position_encodings.encodings = matrix(1500, width)
    decoder.position_encodings.encodings = matrix(448, width)
    decoder.embeddings.weight = matrix(shape.vocabulary, width)
    decoder.projection.weight = decoder.embeddings.weight
    for norm in (encoder.layer_norm, decoder.layer_norm):
        _norm(norm, width)
    for side, layers in ((encoder, encoder.layer), (decoder, decoder.layer)):
        for layer in layers:
            _attention(layer.self_attention, width, (3, 1), matrix)
            if side is decoder:
                _attention(layer.attention, width, (1, 2, 1), matrix)
            _norm(layer.ffn.layer_norm, width)
            for linear, size in ((layer.ffn.linear_0, (4 * width, width)), (layer.ffn.linear_1, (width, 4 * width))):
                linear.weight, linear.bias = matrix(*size), matrix(size[0])
    _describe(spec, shape)
    spec.validate()
    spec.optimize(quantization="int8")
    return spec


def _describe(spec: Any, shape: Shape) -> None:
    """The demo model's words, filled up to the size; what OpenAI's tokenizer has beside them is never said."""
    demo = json.loads((demo_folder() / "config.json").read_text(encoding="utf-8"))
    tokens = json.loads((demo_folder() / "vocabulary.json").read_text(encoding="utf-8"))
    spec.register_vocabulary([*tokens, *(f"<|extra_{n}|>" for n in range(shape.vocabulary - len(tokens)))])
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = demo["lang_ids"]
    spec.config.alignment_heads = [[shape.decoder_layers - 1, head] for head in range(6)]


def _attention(attention: Any, width: int, blocks: tuple[int, ...], matrix: Any) -> None:
    _norm(attention.layer_norm, width)
    for linear, factor in zip(attention.linear, (*blocks,), strict=True):
        linear.weight, linear.bias = matrix(factor * width, width), matrix(factor * width)


def _norm(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = np.ones(width, np.float32), np.zeros(width, np.float32)
