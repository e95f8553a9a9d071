"""Sizes of the network, apart from the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The default has 5.9 M parameters."""

    width: int = 256
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2
