"""A LoRA adapter laid out for several sequences: its rank a multiple of 16.

llama.cpp multiplies several columns at once by rows whose length is a multiple of 16, and takes
shorter ones number by number. Ranks are often 8. More rank in zeros changes no product: a row of
zeros in the first matrix of a pair gives zeros, and a column of zeros in the second ignores them.

The sums are added up in another order than those of the adapter as it is stored, so their last
bits are others. That is why it is done where several sequences are declared, and nowhere else.
"""

from __future__ import annotations

import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from abverify.bench.gguf_header import read_header
from abverify.bench.gguf_lora import lora_facts
from abverify.bench.gguf_tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.bench.gguf_header import GgufHeader

_ROW: Final = 16
_ALPHA: Final = "adapter.lora.alpha"
_KEYS: Final = (_ALPHA, "adapter.type")
_FIRST: Final = ".lora_a"
_TYPES: Final = {"F32": 0, "F16": 1}
_FLOAT32: Final = 6
_STRING: Final = 8
_ALIGNMENT: Final = 32


@contextmanager
def laid_out(path: str, *, sequences: int) -> Iterator[str]:
    """The file to load in an adapter's place: itself, or one that is there until the end.

    Args:
        path: the adapter.
        sequences: how many the context holds.

    Raises:
        OSError: if the adapter cannot be read.
        InvalidError: AV511 if it is no adapter.
    """
    if sequences == 1:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="abverify-adapter-") as folder:
        other = Path(folder) / "adapter.gguf"
        yield str(other) if pad_rank(Path(path), other) else path


def pad_rank(stored: Path, other: Path) -> bool:
    """Writes the adapter with its rank brought up to a multiple of 16; whether there was need.

    There is none where the rank is one already. One that is more than pairs of matrices of one
    rank for the weights of blocks, in 16 or 32 bits, is left as it is stored as well.

    Raises:
        OSError: if a file cannot be read or written.
        InvalidError: AV511 if `stored` is no adapter.
    """
    with stored.open("rb") as stream:
        header = read_header(stream, size=stored.stat().st_size, name=str(stored))
    rank, alpha = _rank(header), header.values.get(_ALPHA)
    if rank is None or not isinstance(alpha, float) or rank % _ROW == 0:
        return False
    wide = rank + -rank % _ROW
    data = stored.read_bytes()
    tensors = [_padded(one, data, wide) for one in header.tensors]
    architecture = str(header.values.get("general.architecture"))
    other.write_bytes(_file(architecture, alpha * wide / rank, tensors))
    return True


def _rank(header: GgufHeader) -> int | None:
    """The rank of a plain adapter; None for another kind."""
    ranks = lora_facts(header, name="adapter").ranks
    is_plain = (
        len(ranks) == 1
        and not header.arrays
        and all(key.startswith("general.") or key in _KEYS for key in header.values)
        and all(one.name.startswith("blk.") for one in header.tensors)
        and all(len(one.shape) == 2 for one in header.tensors)  # noqa: PLR2004 (a matrix)
        and all(one.type in _TYPES for one in header.tensors)
    )
    return ranks[0] if is_plain else None


def _padded(tensor: Tensor, data: bytes, wide: int) -> tuple[Tensor, bytes]:
    """A tensor whose rank is `wide`, and its bytes; a zero of these types is zeros in bytes."""
    stored = data[tensor.offset : tensor.offset + tensor.size]
    width = tensor.size // tensor.elements
    columns, rows = tensor.shape
    if tensor.name.endswith(_FIRST):
        shape, body = (columns, wide), stored + bytes((wide - rows) * columns * width)
    else:
        row, more = columns * width, bytes((wide - columns) * width)
        parts = (stored[at : at + row] + more for at in range(0, len(stored), row))
        shape, body = (wide, rows), b"".join(parts)
    return Tensor(tensor.name, shape, tensor.type, 0, len(body)), body


def _file(architecture: str, alpha: float, tensors: Sequence[tuple[Tensor, bytes]]) -> bytes:
    """A GGUF file of an adapter, by hand: the package's writer would bring numpy's memory.

    llama.cpp scales a product by alpha over the rank.
    """
    texts = {
        "general.architecture": architecture,
        "general.type": "adapter",
        "adapter.type": "lora",
    }
    values = b"".join(_text(k) + struct.pack("<I", _STRING) + _text(v) for k, v in texts.items())
    values += _text(_ALPHA) + struct.pack("<If", _FLOAT32, alpha)
    places: list[bytes] = []
    blocks: list[bytes] = []
    offset = 0
    for tensor, body in tensors:
        places.append(
            _text(tensor.name)
            + struct.pack("<IQQIQ", 2, *tensor.shape, _TYPES[tensor.type], offset)
        )
        blocks.append(body + bytes(-len(body) % _ALIGNMENT))
        offset += len(blocks[-1])
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(texts) + 1) + values
    head += b"".join(places)
    return b"".join([head, bytes(-len(head) % _ALIGNMENT), *blocks])


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
