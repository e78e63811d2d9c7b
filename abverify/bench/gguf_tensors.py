"""The tensor table of a GGUF file: every entry checked against the bytes that are there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from abverify._canonical import canonical_digest
from abverify._frozen import frozen
from abverify.bench.extras import missing_package
from abverify.bench.submodule import submodule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.bench.gguf_cursor import Cursor

_MAX_NAME: Final = 255
_MAX_DIMENSIONS: Final = 4
_MAX_EXTENT: Final = 1 << 48
SMALLEST_ENTRY: Final = 24
"""Bytes the shortest entry of the table takes."""


@frozen
class Tensor:
    """One tensor, as the table describes it.

    Attributes:
        name: its name, such as `blk.0.attn_q.weight`.
        shape: its dimensions, the fastest first, as GGUF counts them.
        type: the name of its type, such as `Q4_K`.
        offset: of its data in the file, in bytes.
        size: of its data, in bytes.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def read_tensors(cursor: Cursor, count: int, alignment: int) -> tuple[Tensor, ...]:
    """Reads the table and checks that every tensor lies inside the file, beside all others.

    Raises:
        InvalidError: AV511 for an entry that cannot be true.
        IndeterminateError: AV514 if the `gguf` package, which knows the types, is missing.
    """
    types = _types()
    table: dict[str, Tensor] = {}
    for _ in range(count):
        tensor = _read_entry(cursor, types)
        if tensor.name in table:
            cursor.fail("each tensor once", f"{tensor.name!r} again")
        if tensor.offset % alignment:
            wanted = f"tensor {tensor.name!r} at a multiple of {alignment}"
            cursor.fail(wanted, f"offset {tensor.offset:,}")
        table[tensor.name] = tensor
    start = -(-cursor.at // alignment) * alignment
    placed = [
        Tensor(one.name, one.shape, one.type, start + one.offset, one.size)
        for one in table.values()
    ]
    _check_places(cursor, placed)
    return tuple(placed)


def shapes_digest(tensors: Iterable[Tensor]) -> str:
    """Digest over names and shapes, whatever the order: what the model is built like."""
    return canonical_digest(sorted([one.name, list(one.shape)] for one in tensors))


def types_digest(tensors: Iterable[Tensor]) -> str:
    """Digest over names and types, whatever the order: how each tensor is quantized."""
    return canonical_digest(sorted([one.name, one.type] for one in tensors))


def _read_entry(cursor: Cursor, types: Mapping[int, tuple[str, int, int]]) -> Tensor:
    """An entry, its offset still counted from the start of the data."""
    name = cursor.text(_MAX_NAME, "a tensor name")
    dimensions = cursor.number("<I")
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        cursor.fail(f"1 to {_MAX_DIMENSIONS} dimensions of {name!r}", f"{dimensions}")
    shape = tuple(cursor.number("<Q") for _ in range(dimensions))
    if not all(1 <= extent <= _MAX_EXTENT for extent in shape):
        cursor.fail(f"1 to {_MAX_EXTENT:,} in every dimension of {name!r}", f"{shape}")
    kind = cursor.number("<I")
    if kind not in types:
        cursor.fail(f"a tensor type that gguf knows for {name!r}", f"type {kind}")
    label, elements, width = types[kind]
    if shape[0] % elements:
        cursor.fail(f"rows of {name!r} in blocks of {elements}", f"{shape[0]:,} elements a row")
    size = math.prod(shape) // elements * width
    return Tensor(name, shape, label, cursor.number("<Q"), size)


def _check_places(cursor: Cursor, tensors: Iterable[Tensor]) -> None:
    before: Tensor | None = None
    for one in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.size)):
        if before is not None and one.offset < before.offset + before.size:
            wanted = f"tensor {one.name!r} behind {before.name!r}"
            cursor.fail(wanted, f"the two overlap at offset {one.offset:,}")
        before = one
    end = before.offset + before.size if before else cursor.at
    if end > cursor.size:
        cursor.fail(f"{end:,} bytes of header and tensors", f"{cursor.size:,} bytes: truncated")


def _types() -> Mapping[int, tuple[str, int, int]]:
    """Name, elements a block and bytes a block of every tensor type, by number."""
    try:
        constants = submodule("gguf", "constants")
    except ImportError:
        raise missing_package("gguf") from None
    return {
        int(kind): (str(constants.GGMLQuantizationType(kind).name), *sizes)
        for kind, sizes in constants.GGML_QUANT_SIZES.items()
    }
