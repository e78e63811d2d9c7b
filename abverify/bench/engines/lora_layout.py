"""A LoRA adapter laid out for several sequences: its rank a multiple of 16.

llama.cpp multiplies several columns at once by rows whose length is a multiple of 16, and takes
shorter ones number by number. Ranks are often 8. More rank in zeros changes no product: a row of
zeros in the first matrix of a pair gives zeros, and a column of zeros in the second ignores them.

The sums are added up in another order than those of the adapter as it is stored, so their last
bits are others. That is why it is done where several sequences are declared, and nowhere else.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from abverify.bench.gguf_header import read_header
from abverify.bench.gguf_lora import lora_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.gguf_header import GgufHeader

_ROW: Final = 16
_ALPHA: Final = "adapter.lora.alpha"
_KEYS: Final = (_ALPHA, "adapter.type")
_FIRST: Final = ".lora_a"


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
    with tempfile.TemporaryDirectory(prefix="abverify-adapter-") as folder:
        other = Path(folder) / "adapter.gguf"
        yield str(other) if sequences > 1 and pad_rank(Path(path), other) else path


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
    architecture = str(header.values.get("general.architecture"))
    _write(stored, other, architecture, more=wide - rank, alpha=alpha * wide / rank)
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
        and all(one.type in ("F16", "F32") for one in header.tensors)
    )
    return ranks[0] if is_plain else None


def _write(stored: Path, other: Path, architecture: str, *, more: int, alpha: float) -> None:
    """Writes the adapter with `more` rank in zeros.

    llama.cpp scales a product by alpha over the rank, so alpha grows with it.
    """
    import gguf
    import numpy as np

    writer: Any = gguf.GGUFWriter(other, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32(_ALPHA, alpha)
    for tensor in gguf.GGUFReader(stored).tensors:
        room = ((0, more), (0, 0)) if tensor.name.endswith(_FIRST) else ((0, 0), (0, more))
        writer.add_tensor(tensor.name, np.pad(tensor.data, room))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
