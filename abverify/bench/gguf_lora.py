"""LoRA adapters in GGUF: pairs of tensors, each a low-rank change to one weight of a base."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from abverify.bench.gguf_header import float_text
from abverify.errors import InvalidError
from abverify.model.gguf_facts import LoraFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.bench.gguf_header import GgufHeader
    from abverify.bench.gguf_tensors import Tensor

_FIRST, _SECOND = ".lora_a", ".lora_b"


def lora_facts(header: GgufHeader, *, name: str) -> LoraFacts:
    """What an adapter is: alpha, ranks, and the tensors it changes.

    A pair for a weight of `outputs` rows and `inputs` columns is `lora_a` with `rank` rows of
    `inputs`, and `lora_b` with `outputs` rows of `rank`.

    Raises:
        InvalidError: AV511 if a tensor has no partner, or the two do not multiply.
    """
    tensors = {tensor.name: tensor for tensor in header.tensors}
    shapes: dict[str, tuple[int, ...]] = {}
    ranks: set[int] = set()
    for tensor in tensors.values():
        if tensor.name.endswith(_FIRST):
            target = tensor.name.removesuffix(_FIRST)
            rank, shapes[target] = _pair(tensor, tensors, target, name)
            ranks.add(rank)
    if len(tensors) != 2 * len(shapes):
        raise _not_a_lora(name, "pairs of lora_a and lora_b", f"{len(tensors)} tensors")
    targets = Counter(_module(target) for target in shapes)
    kind = header.values.get("adapter.type")
    return LoraFacts(
        kind=kind if isinstance(kind, str) else None,
        alpha=_alpha(header),
        ranks=tuple(sorted(ranks)),
        targets=tuple(sorted(targets.items())),
        shapes=tuple(sorted(shapes.items())),
    )


def _alpha(header: GgufHeader) -> str | None:
    alpha = header.values.get("adapter.lora.alpha")
    if alpha is None:
        return None
    return float_text(alpha) if isinstance(alpha, float) else str(alpha)


def _pair(
    first: Tensor, tensors: Mapping[str, Tensor], target: str, name: str
) -> tuple[int, tuple[int, ...]]:
    """The pair's rank, and the shape of the weight it changes."""
    second = tensors.get(target + _SECOND)
    if second is None:
        raise _not_a_lora(name, f"a tensor {target}{_SECOND}", "none")
    (inputs, rank, *experts), (other, outputs, *others) = _matrix(first), _matrix(second)
    if experts == others and rank == other:
        return rank, (inputs, outputs, *experts)
    if experts == others and inputs == other:  # an embedding's pair has its first one transposed
        return inputs, (outputs, rank, *experts)
    raise _not_a_lora(name, f"a pair of one rank for {target}", f"{first.shape} {second.shape}")


def _matrix(tensor: Tensor) -> tuple[int, ...]:
    return (*tensor.shape, 1)[: max(2, len(tensor.shape))]


def _module(target: str) -> str:
    """The kind of weight: `blk.3.attn_q.weight` is an `attn_q`."""
    parts = [part for part in target.removesuffix(".weight").split(".") if not part.isdigit()]
    return ".".join(part for part in parts if part != "blk")


def _not_a_lora(name: str, expected: str, found: str) -> InvalidError:
    return InvalidError(
        "not a whole LoRA adapter",
        rule="AV511",
        place=name,
        expected=expected,
        found=found,
        next_step="convert the adapter again with convert_lora_to_gguf.py",
    )
