# mypy: allow-subclassing-any, allow-untyped-calls
"""Whisper's architecture (pre-norm, GELU, tied output) in plain PyTorch, small, with an exact short cut for padding.

faster-whisper always pads features with zeros to 3000 frames, and CTranslate2 never masks them. Here the positions from
`SPOKEN` on carry a zero position embedding, so that all padding beyond the sound is one and the same vector in every
layer. Training therefore computes that vector once, as one more key whose attention logit gets the logarithm of how
often it occurs: it costs the real positions plus one instead of 1500, and computes the same.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asr.training.features import MAX_FRAMES, TELEPHONE_MELS
from asr.training.shape import Shape

# An encoder position is two frames (40 ms).
SPOKEN = MAX_FRAMES // 2
# faster-whisper pads to 3000 frames whatever the preprocessor says, so 1500 positions must exist.
POSITIONS = 1500
TEXT_POSITIONS = 448


def sinusoids(length: int, width: int) -> Tensor:
    step = math.log(10000) / (width // 2 - 1)
    angle = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Attention(nn.Module):
    """Multi-head attention. `mask` is added to the logits and broadcast over [batch * heads, queries, keys]."""

    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.heads, self.cross = heads, cross
        if cross:
            self.query, self.memory = nn.Linear(width, width), nn.Linear(width, 2 * width)
        else:
            self.joint = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """[batch, time, parts * width] -> parts times [batch * heads, time, width / heads]"""
        batch, time, _ = x.shape
        split = x.view(batch, time, parts, self.heads, -1).permute(2, 0, 3, 1, 4)
        return tuple(split.reshape(parts, batch * self.heads, time, -1).unbind(0))

    def forward(self, x: Tensor, mask: Tensor, memory: Tensor | None = None) -> Tensor:
        if self.cross:
            (query,), (key, value) = self._split(self.query(x), 1), self._split(self.memory(memory), 2)
        else:
            query, key, value = self._split(self.joint(x), 3)
        # Plain matrix products: on a CPU their backward pass costs a quarter of the fused attention's.
        query = query * query.shape[-1] ** -0.5
        weights = torch.baddbmm(mask.to(query.dtype), query, key.transpose(1, 2)).softmax(-1).to(value.dtype)
        heard = torch.bmm(weights, value)
        batch, time, width = x.shape
        joined = heard.view(batch, self.heads, time, -1).transpose(1, 2).reshape(batch, time, width)
        result: Tensor = self.out(joined)
        return result


class Block(nn.Module):
    """Self-attention, in the decoder also attention to what was heard, and a feed-forward layer."""

    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(width), Attention(width, heads, cross=False)
        self.cross = cross
        if cross:
            self.cross_norm, self.cross_attention = nn.LayerNorm(width), Attention(width, heads, cross=True)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in, self.feed_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, mask: Tensor, memory: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = x + self.self_attention(self.self_norm(x), mask)
        if self.cross:
            x = x + self.cross_attention(self.cross_norm(x), memory_mask, memory)
        result: Tensor = x + self.feed_out(F.gelu(self.feed_in(self.feed_norm(x))))
        return result


class SmallWhisper(nn.Module):
    positions: Tensor

    def __init__(self, shape: Shape, vocabulary: int, text_tokens: int) -> None:
        """`vocabulary` counts all tokens; `text_tokens` those of the CTC output, whose blank follows them."""
        super().__init__()
        self.shape = shape
        width = shape.width
        # It takes the telephone's mel bins only; the export fills up the missing weights with zeros.
        self.conv1 = nn.Conv1d(TELEPHONE_MELS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        positions = torch.zeros(POSITIONS, width)
        positions[:SPOKEN] = sinusoids(SPOKEN, width)
        self.register_buffer("positions", positions)
        self.encoder = nn.ModuleList(Block(width, shape.heads, cross=False) for _ in range(shape.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(vocabulary, width)
        self.text_positions = nn.Parameter(torch.randn(TEXT_POSITIONS, width) * 0.02)
        self.decoder = nn.ModuleList(Block(width, shape.heads, cross=True) for _ in range(shape.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.ctc = nn.Linear(width, text_tokens + 1)  # training only
        nn.init.normal_(self.embedding.weight, std=0.03)
        depth = max(shape.encoder_layers, shape.decoder_layers)
        for name, parameter in self.named_parameters():
            if name.endswith(("out.weight", "feed_out.weight")):
                parameter.data.mul_(1 / math.sqrt(2 * depth))

    def _listen(self, mel: Tensor) -> Tensor:
        """[batch, mels, 2 * time] -> [batch, time, width]"""
        heard: Tensor = F.gelu(self.conv2(F.gelu(self.conv1(mel[:, :TELEPHONE_MELS])))).transpose(1, 2)
        return heard

    def encode(self, mel: Tensor, window: int = POSITIONS) -> tuple[Tensor, Tensor]:
        """[batch, mels, 2 * time], time <= SPOKEN -> [batch, time + 1, width] and its mask.

        The last position stands for all the padding up to `window` positions (not fewer than `time`).
        """
        x = self._listen(mel)
        time = x.shape[1]
        x = x + self.positions[:time]
        padding = self._listen(mel.new_zeros(1, TELEPHONE_MELS, 12))[:, 3:4]
        x = torch.cat([x, padding.expand(x.shape[0], -1, -1).to(x.dtype)], 1)
        mask = torch.zeros(1, 1, time + 1, device=x.device)
        mask[..., -1] = math.log(window - time) if window > time else -1e4
        return self._through(x, mask), mask

    def encode_padded(self, mel: Tensor) -> Tensor:
        """[batch, mels, 2 * POSITIONS] -> [batch, POSITIONS, width]: what CTranslate2 computes, the long way."""
        x = self._listen(mel) + self.positions
        return self._through(x, torch.zeros(1, 1, 1, device=x.device))

    def _through(self, x: Tensor, mask: Tensor) -> Tensor:
        for block in self.encoder:
            x = block(x, mask)
        result: Tensor = self.encoder_norm(x)
        return result

    def decode(self, tokens: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """[batch, length] -> logits [batch, length, vocabulary]"""
        length = tokens.shape[1]
        x = self.embedding(tokens) + self.text_positions[:length]
        causal = torch.full((1, length, length), -1e4, device=x.device).triu(1)
        for block in self.decoder:
            x = block(x, causal, memory, memory_mask)
        return F.linear(self.decoder_norm(x), self.embedding.weight)
