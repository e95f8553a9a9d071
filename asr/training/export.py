# mypy: allow-untyped-calls
"""Checkpoint -> a folder that unmodified faster-whisper loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ctranslate2.specs import whisper_spec
from numpy.typing import NDArray

from asr.training.features import MELS, PREPROCESSOR, TELEPHONE_MELS
from asr.training.model import SmallWhisper
from asr.training.shape import Shape
from asr.training.tokenizer import LANGUAGES, Vocabulary

Weights = dict[str, NDArray[np.float32]]


def load_network(checkpoint: Path) -> SmallWhisper:
    """The network of a checkpoint, in float32 on the CPU."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    vocabulary, text_tokens = (len(state["network"][name]) for name in ("embedding.weight", "ctc.bias"))
    network = SmallWhisper(Shape(**state["shape"]), vocabulary, text_tokens - 1)
    network.load_state_dict(state["network"])
    network.eval()
    return network


def export(network: SmallWhisper, tokenizer: Path, output: Path, quantization: str = "int8_float16") -> None:
    """Writes `output` anew: model.bin, config.json, vocabulary.json, tokenizer.json, preprocessor_config.json."""
    vocabulary = Vocabulary.load(tokenizer)
    # Copies: CTranslate2 changes some of them in place while it optimises.
    weights: Weights = {name: value.float().cpu().numpy().copy() for name, value in network.state_dict().items()}
    spec = _specification(network.shape, weights)
    spec.register_vocabulary(vocabulary.tokens())
    spec.config.suppress_ids = []
    # Whisper's own list forbids the end of text as the first token: silence could not come back empty.
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [vocabulary.languages[code] for code in LANGUAGES]
    spec.config.alignment_heads = [[network.shape.decoder_layers - 1, head] for head in range(network.shape.heads)]
    spec.validate()
    spec.optimize(quantization=quantization)
    part = output.with_name(output.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    spec.save(str(part))
    shutil.copy(tokenizer, part / "tokenizer.json")
    (part / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    shutil.rmtree(output, ignore_errors=True)
    part.replace(output)


def _specification(shape: Shape, weights: Weights) -> Any:
    spec = whisper_spec.WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    encoder, decoder = spec.encoder, spec.decoder
    _linear(encoder.conv1, weights, "conv1")
    # The bins that the network never saw get weight zero, see features.TELEPHONE_MELS.
    encoder.conv1.weight = np.pad(weights["conv1.weight"], ((0, 0), (0, MELS - TELEPHONE_MELS), (0, 0)))
    _linear(encoder.conv2, weights, "conv2")
    _norm(encoder.layer_norm, weights, "encoder_norm")
    _norm(decoder.layer_norm, weights, "decoder_norm")
    encoder.position_encodings.encodings = weights["positions"]
    decoder.position_encodings.encodings = weights["text_positions"]
    decoder.embeddings.weight = weights["embedding.weight"]
    decoder.projection.weight = decoder.embeddings.weight
    for side, layers in (("encoder", encoder.layer), ("decoder", decoder.layer)):
        for index, layer in enumerate(layers):
            _block(layer, weights, f"{side}.{index}.", cross=side == "decoder")
    return spec


def _block(layer: Any, weights: Weights, prefix: str, *, cross: bool) -> None:
    _norm(layer.self_attention.layer_norm, weights, prefix + "self_norm")
    _linear(layer.self_attention.linear[0], weights, prefix + "self_attention.joint")
    _linear(layer.self_attention.linear[1], weights, prefix + "self_attention.out")
    if cross:
        _norm(layer.attention.layer_norm, weights, prefix + "cross_norm")
        for index, name in enumerate(("query", "memory", "out")):
            _linear(layer.attention.linear[index], weights, f"{prefix}cross_attention.{name}")
    _norm(layer.ffn.layer_norm, weights, prefix + "feed_norm")
    _linear(layer.ffn.linear_0, weights, prefix + "feed_in")
    _linear(layer.ffn.linear_1, weights, prefix + "feed_out")


def _linear(part: Any, weights: Weights, name: str) -> None:
    part.weight, part.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _norm(part: Any, weights: Weights, name: str) -> None:
    part.gamma, part.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
