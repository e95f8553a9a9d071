"""A Piper voice in the true file format: Piper's own model, randomly initialised, exported as Piper exports its voices.

The model comes from `piper.train` (in the wheel of piper-tts 1.8; GPL-3, so this is a program of its own) and leaves
through the exporter that made Piper's published voices, with their names, inputs and sizes: 63.4 MB for a medium voice.
What it says is noise; durations and loudness are set so that it speaks about as fast and as loud as a voice does. Needs
the extra `training` for PyTorch.

    python -m benchmarks.speech_export FOLDER [--name NAME] [--speakers N] [--tiny]
"""

from __future__ import annotations

import argparse
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from piper.train.vits.config import ModelAudioConfig, ModelConfig
from piper.train.vits.models import SynthesizerTrn

from benchmarks.speech_voice import NAME, write_config

_SYMBOLS = 256
_LOG_FRAMES = 0.35
"""Of an id, in the mean: with Piper's own noise around it about three frames for each, as Polish is spoken."""


def _model(speakers: int, tiny: bool) -> Any:
    """Piper's medium model, or one of a single layer for tests, ready to be exported."""
    config = ModelConfig(_SYMBOLS, speakers, ModelAudioConfig.low_quality())
    if tiny:
        config = replace(config, inter_channels=8, hidden_channels=8, filter_channels=16, n_layers=1)
        config.audio.upsample_initial_channel = 16
        config.gin_channels = 4 if speakers > 1 else 0
    network: Any = SynthesizerTrn(
        config.num_symbols, config.mel.filter_length // 2 + 1, config.segment_size // config.mel.hop_length,
        config.inter_channels, config.hidden_channels, config.filter_channels, config.n_heads, config.n_layers,
        config.kernel_size, config.p_dropout, config.resblock, config.resblock_kernel_sizes,
        config.resblock_dilation_sizes, config.upsample_rates, config.upsample_initial_channel,
        config.upsample_kernel_sizes, config.n_speakers, config.gin_channels, config.use_sdp,
    )  # fmt: skip
    network.eval()
    with torch.no_grad():
        network.dec.remove_weight_norm()
        network.dp.flows[0].m[0] = -_LOG_FRAMES
        for flow in network.flow.flows[::2]:
            torch.nn.init.normal_(flow.post.weight, std=1 / math.sqrt(flow.post.weight[0].numel()))  # zero: no flow
        for layer in network.dec.modules():
            if isinstance(layer, torch.nn.Conv1d):
                torch.nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.weight[0].numel()))
            elif isinstance(layer, torch.nn.ConvTranspose1d):
                torch.nn.init.normal_(layer.weight, std=math.sqrt(layer.stride[0] / layer.weight[:, 0].numel()))
    return network


def export(folder: Path, name: str = NAME, *, speakers: int = 1, tiny: bool = False) -> Path:
    """The path of the model, which lies there with its configuration."""
    torch.manual_seed(1234)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old kind of normalisation, and a tracer that cannot know what is fixed
        return _export(_model(speakers, tiny), folder, name, speakers)


def _export(network: Any, folder: Path, name: str, speakers: int) -> Path:
    def infer(text: Any, lengths: Any, scales: Any, sid: Any = None) -> Any:
        return network.infer(text, lengths, sid, *scales)[0].unsqueeze(1)

    network.forward = infer
    ids = torch.randint(0, _SYMBOLS, (1, 50))
    speaker = torch.LongTensor([0]) if speakers > 1 else None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    torch.onnx.export(
        network,
        (ids, torch.LongTensor([50]), torch.FloatTensor([0.667, 1.0, 0.8]), speaker),
        path,
        dynamo=False,
        opset_version=15,
        input_names=["input", "input_lengths", "scales", "sid"],
        output_names=["output"],
        dynamic_axes={
            "input": {0: "batch_size", 1: "phonemes"},
            "input_lengths": {0: "batch_size"},
            "output": {0: "batch_size", 2: "time"},
        },
    )
    write_config(path, speakers)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--speakers", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="one small layer of everything, for tests")
    options = parser.parse_args()
    print(export(options.folder, options.name, speakers=options.speakers, tiny=options.tiny))


if __name__ == "__main__":
    main()
