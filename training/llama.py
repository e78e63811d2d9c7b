"""A small Llama in torch, over the tensors of a GGUF file, with low-rank deltas to train.

The layout is llama.cpp's: queries and keys are stored for interleaved rotary positions
(pairs 2i, 2i+1), the output projection is the token embedding, norms are RMS norms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from pathlib import Path

PROJECTIONS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the model, from the file's own metadata."""

    layers: int
    heads: int
    kv_heads: int
    rope_base: float
    epsilon: float


class LowRank(nn.Module):
    """A frozen projection plus a trained one of low rank: `W x + (alpha / rank) B A x`.

    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021. `A` starts random and
    `B` at zero, so that training starts from the model as it is.
    """

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        """Freezes `weight` (outputs × inputs) and opens a delta of the given rank."""
        super().__init__()
        outputs, inputs = weight.shape
        # Half precision: the frozen weights came from four bits, and are multiplied in bfloat16.
        self.register_buffer("weight", weight.to(torch.bfloat16), persistent=False)
        self.lora_a = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.lora_b = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        """The projection of `x`, whose last axis has the inputs."""
        base = functional.linear(x.to(torch.bfloat16), self.weight)  # type: ignore[arg-type]
        delta = functional.linear(functional.linear(x, self.lora_a), self.lora_b)
        return base + self.scale * delta


class Llama(nn.Module):
    """The whole model; only the low-rank deltas have gradients."""

    def __init__(self, path: Path, *, rank: int, alpha: float) -> None:
        """Reads and dequantises every tensor of the file."""
        super().__init__()
        reader = GGUFReader(path)
        self.shape = _shape(reader)
        tensors = {t.name: torch.from_numpy(_floats(t)) for t in reader.tensors}
        self.embedding = tensors["token_embd.weight"]
        self.unembedding = self.embedding.to(torch.bfloat16)
        self.final_norm = tensors["output_norm.weight"]
        self.norms = [
            (tensors[f"blk.{n}.attn_norm.weight"], tensors[f"blk.{n}.ffn_norm.weight"])
            for n in range(self.shape.layers)
        ]
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    name: LowRank(tensors[f"blk.{n}.{name}.weight"], rank, alpha)
                    for name in PROJECTIONS
                }
            )
            for n in range(self.shape.layers)
        )

    def forward(self, tokens: Tensor, wanted: Tensor) -> Tensor:
        """Logits (wanted positions × vocabulary) of one sequence of token ids.

        `wanted` is a mask over the positions: most logits of a prompt are never looked at.
        """
        x = self.embedding[tokens]
        turn = _rotation(len(tokens), x.shape[-1] // self.shape.heads, self.shape.rope_base)
        for block, (before, between) in zip(self.blocks, self.norms, strict=True):
            x = x + self._attention(block, self._norm(x, before), turn)
            x = x + _feed_forward(block, self._norm(x, between))
        last = self._norm(x[wanted], self.final_norm)
        return functional.linear(last.to(torch.bfloat16), self.unembedding).float()

    def deltas(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The trained matrices A and B, by the GGUF name of the tensor they belong to."""
        return {
            f"blk.{n}.{name}.weight": (block[name].lora_a, block[name].lora_b)
            for n, block in enumerate(self.blocks)
            for name in PROJECTIONS
        }

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.shape.epsilon)
        return (x * scale) * weight

    def _attention(self, block: nn.Module, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        heads, kv = self.shape.heads, self.shape.kv_heads
        q, k, v = (block[name](x) for name in PROJECTIONS[:3])  # type: ignore[index]
        q = _rotate(q.view(len(x), heads, -1), turn).transpose(0, 1)
        k = _rotate(k.view(len(x), kv, -1), turn).transpose(0, 1)
        v = v.view(len(x), kv, -1).transpose(0, 1)
        k, v = (t.repeat_interleave(heads // kv, dim=0) for t in (k, v))
        mixed = functional.scaled_dot_product_attention(q, k.to(q.dtype), v, is_causal=True)
        joined = mixed.transpose(0, 1).reshape(len(x), -1)
        return block["attn_output"](joined)  # type: ignore[index,no-any-return]


def _feed_forward(block: nn.Module, x: Tensor) -> Tensor:
    gate = functional.silu(block["ffn_gate"](x))  # type: ignore[index]
    return block["ffn_down"](gate * block["ffn_up"](x))  # type: ignore[index,no-any-return]


def _rotation(length: int, size: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (positions × 1 × pairs) of rotary position embedding, Su et al. 2021."""
    frequency = base ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
    angle = torch.arange(length, dtype=torch.float32)[:, None] * frequency
    return angle.cos()[:, None, :], angle.sin()[:, None, :]


def _rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turns neighbouring pairs, as llama.cpp stores them."""
    cosine, sine = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(x.dtype)


def _floats(tensor: object) -> object:
    return dequantize(tensor.data, tensor.tensor_type).copy()  # type: ignore[attr-defined]


def _shape(reader: GGUFReader) -> Shape:
    def value(key: str) -> float:
        return float(reader.fields[f"llama.{key}"].contents())

    return Shape(
        layers=int(value("block_count")),
        heads=int(value("attention.head_count")),
        kv_heads=int(value("attention.head_count_kv")),
        rope_base=value("rope.freq_base"),
        epsilon=value("attention.layer_norm_rms_epsilon"),
    )
