"""Two weight files compared tensor by tensor, byte by byte."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, Final

from abverify.bench.gguf_header import read_header
from abverify.bench.weights_file import unavailable
from abverify.model.model_diff import TensorDifference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.bench.gguf_tensors import Tensor

_CHUNK: Final = 1 << 20


def compare_tensors(
    a: Path, b: Path, *, watch: Callable[[int, int], None] | None = None
) -> TensorDifference:
    """Compares the bytes of every two tensors that share name, shape and type.

    Args:
        a: a GGUF file.
        b: another one.
        watch: called with the bytes compared so far and the bytes in all.

    Raises:
        IndeterminateError: AV510 if a file cannot be read.
        InvalidError: AV511 if one is no whole GGUF file.
    """
    try:
        with ExitStack() as stack:
            streams = [stack.enter_context(path.open("rb")) for path in (a, b)]
            tables = [_table(stream, path) for stream, path in zip(streams, (a, b), strict=True)]
            return _compare(streams[0], streams[1], tables[0], tables[1], watch)
    except OSError as error:
        raise unavailable(f"{a}, {b}", error.strerror or str(error)) from None


def _table(stream: BinaryIO, path: Path) -> dict[str, Tensor]:
    header = read_header(stream, size=path.stat().st_size, name=str(path))
    return {tensor.name: tensor for tensor in header.tensors}


def _compare(
    a: BinaryIO,
    b: BinaryIO,
    ours: dict[str, Tensor],
    theirs: dict[str, Tensor],
    watch: Callable[[int, int], None] | None,
) -> TensorDifference:
    pairs = [
        (one, theirs[one.name])
        for one in sorted(ours.values(), key=lambda tensor: tensor.offset)
        if one.name in theirs
    ]
    alike = [(x, y) for x, y in pairs if (x.shape, x.type) == (y.shape, y.type)]
    total, done, differing = sum(x.size for x, _ in alike), 0, []
    for x, y in alike:
        if not _same_bytes(a, b, x, y):
            differing.append(x.name)
        done += x.size
        if watch is not None:
            watch(done, total)
    return TensorDifference(
        compared=len(alike), differing=tuple(differing), incomparable=len(pairs) - len(alike)
    )


def _same_bytes(a: BinaryIO, b: BinaryIO, x: Tensor, y: Tensor) -> bool:
    a.seek(x.offset)
    b.seek(y.offset)
    left = x.size
    while left:
        length = min(left, _CHUNK)
        ours, theirs = a.read(length), b.read(length)
        if ours != theirs:
            return False
        left -= length
    return True
