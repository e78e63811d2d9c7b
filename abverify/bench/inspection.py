"""Reading all that a GGUF file says of itself: model or adapter, whole and hostile files alike."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from abverify.bench.gguf_header import float_text
from abverify.bench.gguf_lora import lora_facts
from abverify.bench.gguf_tensors import shapes_digest, types_digest
from abverify.bench.weights import weight_facts
from abverify.bench.weights_file import examine
from abverify.model.gguf_facts import GgufFacts, TensorType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from abverify.bench.gguf_header import Array, GgufHeader, Scalar
    from abverify.bench.gguf_tensors import Tensor
    from abverify.model.gguf_facts import FactValue

_NO_HYPERPARAMETERS: Final = ("general.", "tokenizer.", "quantize.", "split.")
_SHOWN: Final = 4096
"""Characters of a metadata text that are shown; what is longer is cut."""


def inspect_gguf(
    path: Path,
    *,
    expected_sha256: str | None = None,
    name: str | None = None,
    paranoid: bool = False,
    watch: Callable[[int, int], None] | None = None,
) -> GgufFacts:
    """Reads what a GGUF file says of itself, under the digest of all its bytes.

    Args:
        path: the file.
        expected_sha256: what its digest must be; null when any will do.
        name: what to call the file; by default its path.
        paranoid: whether to read every byte even where the digest is remembered.
        watch: called while hashing with the bytes read so far and the bytes in all.

    Raises:
        IndeterminateError: AV510 if there is no such file, AV514 if `gguf` is not installed.
        InvalidError: AV511 if it is no whole GGUF file.
        UntrustedError: AV512 if its digest is another one, or it changed while it was read.
    """
    shown = name or str(path)
    found = examine(
        path, expected_sha256=expected_sha256, name=shown, paranoid=paranoid, watch=watch
    )
    facts, header = weight_facts(found, name=shown), found.header
    tensors = header.tensors
    tokenizer_model = header.values.get("tokenizer.ggml.model")
    return GgufFacts(
        file=shown,
        sha256=found.sha256,
        from_cache=found.from_cache,
        size=facts.size,
        kind=facts.kind,
        architecture=facts.architecture,
        size_label=facts.size_label,
        finetune=facts.finetune,
        general_name=facts.general_name,
        file_type=facts.file_type,
        parameters=sum(tensor.elements for tensor in tensors),
        hyperparameters=tuple(sorted(_hyperparameters(header, facts.architecture))),
        tokenizer=tuple(sorted(header.tokenizer.items())),
        tokenizer_model=tokenizer_model if isinstance(tokenizer_model, str) else None,
        tokenizer_sha256=facts.tokenizer_sha256,
        template_sha256=facts.template_sha256,
        shapes=tuple(sorted((tensor.name, tensor.shape) for tensor in tensors)),
        types=tuple(sorted((tensor.name, tensor.type) for tensor in tensors)),
        shapes_sha256=shapes_digest(tensors),
        types_sha256=types_digest(tensors),
        type_counts=_type_counts(tensors),
        general=tuple(_general(header)),
        lora=lora_facts(header, name=shown) if facts.kind == "adapter" else None,
    )


def _hyperparameters(header: GgufHeader, architecture: str | None) -> Iterator[tuple[str, str]]:
    """Every key but names, tokenizer and notes; without the architecture's name in front."""
    texts = {key: str(_shown(value)) for key, value in header.values.items()}
    texts |= {key: _array_text(array) for key, array in header.arrays.items()}
    for key, text in texts.items():
        if not key.startswith(_NO_HYPERPARAMETERS):
            yield key.removeprefix(f"{architecture}."), text


def _general(header: GgufHeader) -> Iterator[tuple[str, FactValue]]:
    for key, value in header.values.items():
        if key.startswith("general."):
            yield key, _shown(value)
    for key, array in header.arrays.items():
        if key.startswith("general."):
            items = array.items
            yield key, _array_text(array) if items is None else [_shown(item) for item in items]


def _array_text(array: Array) -> str:
    return f"{array.length:,} items, sha256 {array.sha256}"


def _shown(value: Scalar) -> str | int | bool:
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]}… ({len(value):,} characters)"
    return value


def _type_counts(tensors: tuple[Tensor, ...]) -> tuple[TensorType, ...]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        counts[tensor.type] += 1
        sizes[tensor.type] += tensor.size
    return tuple(TensorType(name, counts[name], size) for name, size in sizes.most_common())
