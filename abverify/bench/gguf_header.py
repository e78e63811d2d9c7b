"""A bounded walk over the header of a GGUF file.

A weight file comes from elsewhere, and the libraries that read one trust its
counts. This walk checks every count and length against the bytes that are
there before anything is read, keeps only the few values abverify names, and
touches no tensor data, so that nothing malformed ever reaches llama.cpp.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

from abverify._canonical import canonical_digest
from abverify.errors import IndeterminateError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = str | int | bool | float

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_STRING: Final = 8
_ARRAY: Final = 9
_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_MAX_KEYS: Final = 65_536
_MAX_TENSORS: Final = 262_144
_MAX_STRINGS: Final = 8_388_608
_MAX_NAME: Final = 65_535
_MAX_KEPT: Final = 1 << 20
_MAX_DIMENSIONS: Final = 4
_SMALLEST_KEY: Final = 13
_SMALLEST_TENSOR: Final = 24
_DEFAULT_ALIGNMENT: Final = 32
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the header of a GGUF file says.

    Attributes:
        values: scalars and strings of the metadata, by key; arrays are left out.
        tokenizer_sha256: digest over every `tokenizer.*` value but the chat template
            (tokens, types, merges, special ids), whatever their order in the file;
            null without a tokenizer.
        tensors: how many tensors the file holds.
        end: offset just behind the last tensor, in bytes.
    """

    values: Mapping[str, Scalar]
    tokenizer_sha256: str | None
    tensors: int
    end: int


def read_header(stream: BinaryIO, *, size: int, name: str) -> GgufHeader:
    """Reads and checks a GGUF header.

    Args:
        stream: the file, open for reading at its start.
        size: its size, in bytes.
        name: what to call it in an error message.

    Raises:
        InvalidError: AV511 if it is no whole GGUF file.
        IndeterminateError: AV514 if the `gguf` package, which knows the tensor types, is missing.
    """
    cursor = _Cursor(stream, size, name)
    _check_magic(cursor)
    tensors = cursor.count(_MAX_TENSORS, _SMALLEST_TENSOR, "tensors")
    keys = cursor.count(_MAX_KEYS, _SMALLEST_KEY, "metadata keys")
    values, digests = _read_metadata(cursor, keys)
    alignment = values.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        cursor.fail("an alignment that is a power of two", f"{alignment!r}")
    end = _check_tensors(cursor, tensors, alignment)
    tokenizer = canonical_digest(sorted(digests)) if digests else None
    return GgufHeader(values=values, tokenizer_sha256=tokenizer, tensors=tensors, end=end)


class _Cursor:
    """Reads a stream forwards and never beyond its size."""

    def __init__(self, stream: BinaryIO, size: int, name: str) -> None:
        self._stream = stream
        self._name = name
        self.size = size
        self.at = 0

    def fail(self, expected: str, found: str) -> NoReturn:
        raise InvalidError(
            "not a whole GGUF file",
            rule="AV511",
            place=self._name,
            expected=expected,
            found=f"{found} (at byte {self.at:,} of {self.size:,})",
            next_step="fetch the file again and compare its size with the publisher's",
        )

    def take(self, length: int) -> bytes:
        if length > self.size - self.at:
            self.fail(f"{length:,} more bytes", "the end of the file")
        data = self._stream.read(length)
        if len(data) != length:
            self.fail(f"{length:,} more bytes", "the end of the file")
        self.at += length
        return data

    def skip(self, length: int) -> None:
        if length > self.size - self.at:
            self.fail(f"{length:,} more bytes", "the end of the file")
        self.at += length
        self._stream.seek(self.at)

    def number(self, form: str) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def count(self, most: int, smallest: int, what: str) -> int:
        """A count that the rest of the file can hold, at `smallest` bytes a piece."""
        found = self.number("<Q")
        limit = min(most, (self.size - self.at) // smallest)
        if found > limit:
            self.fail(f"at most {limit:,} {what}", f"a count of {found:,}")
        return found

    def text(self, limit: int, what: str) -> str:
        length = self.count(limit, 1, f"bytes in {what}")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            self.fail(f"UTF-8 in {what}", "other bytes")

    def digest(self, start: int) -> str:
        """SHA-256 of the bytes from `start` to here; the position stays."""
        digest = hashlib.sha256()
        self._stream.seek(start)
        left = self.at - start
        while left:
            data = self._stream.read(min(left, _CHUNK))
            if not data:
                self.fail(f"{left:,} more bytes", "the end of the file")
            digest.update(data)
            left -= len(data)
        return digest.hexdigest()


def _check_magic(cursor: _Cursor) -> None:
    if cursor.size < len(_MAGIC):
        cursor.fail("a file that begins with GGUF", f"{cursor.size} bytes")
    magic = cursor.take(len(_MAGIC))
    if magic != _MAGIC:
        cursor.fail("a file that begins with GGUF", repr(magic))
    version = cursor.number("<I")
    if version not in _VERSIONS:
        cursor.fail("version 2 or 3, little-endian", f"version {version}")


def _read_metadata(cursor: _Cursor, keys: int) -> tuple[dict[str, Scalar], list[list[str]]]:
    values: dict[str, Scalar] = {}
    digests: list[list[str]] = []
    seen: set[str] = set()
    for _ in range(keys):
        key = cursor.text(_MAX_NAME, "a key")
        if key in seen:
            cursor.fail("each key once", f"{key!r} again")
        seen.add(key)
        start = cursor.at
        value = _read_value(cursor, cursor.number("<I"), key)
        if value is not None:
            values[key] = value
        if key.startswith("tokenizer.") and not key.startswith("tokenizer.chat_template"):
            digests.append([key, cursor.digest(start)])
    return values, digests


def _read_value(cursor: _Cursor, kind: int, key: str) -> Scalar | None:
    if kind == _STRING:
        return cursor.text(_MAX_KEPT, key)
    if kind == _ARRAY:
        _skip_array(cursor, key)
        return None
    if kind not in _SCALARS:
        cursor.fail(f"a known value type for {key!r}", f"type {kind}")
    form = _SCALARS[kind]
    value: Scalar = struct.unpack(form, cursor.take(struct.calcsize(form)))[0]
    return value


def _skip_array(cursor: _Cursor, key: str) -> None:
    kind = cursor.number("<I")
    if kind == _STRING:
        what = f"strings in {key!r}"
        for _ in range(cursor.count(_MAX_STRINGS, 8, what)):
            cursor.skip(cursor.number("<Q"))
    elif kind in _SCALARS:
        width = struct.calcsize(_SCALARS[kind])
        cursor.skip(width * cursor.count(cursor.size, width, f"values in {key!r}"))
    else:
        cursor.fail(f"an array of strings or numbers for {key!r}", f"element type {kind}")


def _check_tensors(cursor: _Cursor, tensors: int, alignment: int) -> int:
    """Checks that every tensor lies inside the file; the end of the last one."""
    blocks = _block_sizes()
    ends: list[int] = [0]
    seen: set[str] = set()
    for _ in range(tensors):
        name = cursor.text(_MAX_NAME, "a tensor name")
        if name in seen:
            cursor.fail("each tensor once", f"{name!r} again")
        seen.add(name)
        length = _tensor_bytes(cursor, name, blocks)
        offset = cursor.number("<Q")
        if offset % alignment:
            cursor.fail(f"tensor {name!r} at a multiple of {alignment}", f"offset {offset:,}")
        ends.append(offset + length)
    start = -(-cursor.at // alignment) * alignment
    end = start + max(ends) if tensors else cursor.at
    if end > cursor.size:
        cursor.fail(f"{end:,} bytes of header and tensors", f"{cursor.size:,} bytes: truncated")
    return end


def _tensor_bytes(cursor: _Cursor, name: str, blocks: Mapping[int, tuple[int, int]]) -> int:
    dimensions = cursor.number("<I")
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        cursor.fail(f"1 to {_MAX_DIMENSIONS} dimensions of {name!r}", f"{dimensions}")
    shape = [cursor.number("<Q") for _ in range(dimensions)]
    kind = cursor.number("<I")
    if kind not in blocks:
        cursor.fail(f"a tensor type that gguf knows for {name!r}", f"type {kind}")
    elements, width = blocks[kind]
    if shape[0] % elements:
        cursor.fail(f"rows of {name!r} in blocks of {elements}", f"{shape[0]:,} elements a row")
    return math.prod(shape) // elements * width


def _block_sizes() -> Mapping[int, tuple[int, int]]:
    try:
        from gguf import GGML_QUANT_SIZES
    except ImportError:
        raise missing_package("gguf") from None
    return {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}


def missing_package(package: str) -> IndeterminateError:
    """The error that says a package of the `llama` extra is not installed (AV514)."""
    return IndeterminateError(
        f"the package {package} is not installed",
        rule="AV514",
        expected="the packages that run a model in process",
        found=f"no module {package}",
        next_step="pip install 'abverify[llama]'",
    )
