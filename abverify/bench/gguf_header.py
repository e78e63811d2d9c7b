"""A bounded walk over the header of a GGUF file.

A weight file comes from elsewhere, and the libraries that read one trust its
counts. This walk checks every count and length against the bytes that are
there before anything is read, keeps little, and touches no tensor data, so
that nothing malformed ever reaches llama.cpp.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from abverify._canonical import canonical_digest
from abverify._frozen import frozen
from abverify.bench.gguf_cursor import Cursor
from abverify.bench.gguf_tensors import SMALLEST_ENTRY, read_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.bench.gguf_tensors import Tensor

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
_MAX_KEY: Final = 65_535
_MAX_TEXT: Final = 1 << 20
_MAX_ITEMS: Final = 64
_SMALLEST_KEY: Final = 13
_DEFAULT_ALIGNMENT: Final = 32
_MAX_DIGITS: Final = 17


@frozen
class Array:
    """An array of the metadata.

    Attributes:
        length: how many items it has.
        sha256: digest of its bytes, type and length included.
        items: the items themselves; null for a long one.
    """

    length: int
    sha256: str
    items: tuple[Scalar, ...] | None


@frozen
class GgufHeader:
    """What the header of a GGUF file says.

    Attributes:
        values: scalars and strings of the metadata, by key.
        arrays: arrays of the metadata, by key.
        tokenizer: digest of every `tokenizer.*` value but the chat template
            (tokens, types, merges, special ids), by key.
        tensors: the tensor table, in the file's order.
    """

    values: Mapping[str, Scalar]
    arrays: Mapping[str, Array]
    tokenizer: Mapping[str, str]
    tensors: tuple[Tensor, ...]

    @property
    def tokenizer_sha256(self) -> str | None:
        """One digest over the tokenizer, whatever the order in the file; null without one."""
        if not self.tokenizer:
            return None
        return canonical_digest(sorted([key, digest] for key, digest in self.tokenizer.items()))


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
    cursor = Cursor(stream, size, name)
    _check_magic(cursor)
    tensors = cursor.count(_MAX_TENSORS, SMALLEST_ENTRY, "tensors")
    keys = cursor.count(_MAX_KEYS, _SMALLEST_KEY, "metadata keys")
    values, arrays, tokenizer = _read_metadata(cursor, keys)
    alignment = values.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        cursor.fail("an alignment that is a power of two", f"{alignment!r}")
    table = read_tensors(cursor, tensors, alignment)
    return GgufHeader(values=values, arrays=arrays, tokenizer=tokenizer, tensors=table)


def _check_magic(cursor: Cursor) -> None:
    if cursor.size < len(_MAGIC):
        cursor.fail("a file that begins with GGUF", f"{cursor.size} bytes")
    magic = cursor.take(len(_MAGIC))
    if magic != _MAGIC:
        cursor.fail("a file that begins with GGUF", repr(magic))
    version = cursor.number("<I")
    if version not in _VERSIONS:
        cursor.fail("version 2 or 3, little-endian", f"version {version}")


def _read_metadata(
    cursor: Cursor, keys: int
) -> tuple[dict[str, Scalar], dict[str, Array], dict[str, str]]:
    values: dict[str, Scalar] = {}
    arrays: dict[str, Array] = {}
    tokenizer: dict[str, str] = {}
    for _ in range(keys):
        key = cursor.text(_MAX_KEY, "a key")
        if key in values or key in arrays:
            cursor.fail("each key once", f"{key!r} again")
        start = cursor.at
        kind = cursor.number("<I")
        if kind == _ARRAY:
            arrays[key] = _read_array(cursor, key)
        else:
            values[key] = _read_scalar(cursor, kind, key)
        if key.startswith("tokenizer.") and not key.startswith("tokenizer.chat_template"):
            tokenizer[key] = cursor.digest(start)
    return values, arrays, tokenizer


def _read_scalar(cursor: Cursor, kind: int, key: str) -> Scalar:
    if kind == _STRING:
        return cursor.text(_MAX_TEXT, repr(key))
    if kind not in _SCALARS:
        cursor.fail(f"a known value type for {key!r}", f"type {kind}")
    form = _SCALARS[kind]
    value: Scalar = struct.unpack(form, cursor.take(struct.calcsize(form)))[0]
    return value


def _read_array(cursor: Cursor, key: str) -> Array:
    start = cursor.at
    kind = cursor.number("<I")
    length = _array_length(cursor, kind, key)
    items = None
    if length <= _MAX_ITEMS:
        items = tuple(_read_scalar(cursor, kind, key) for _ in range(length))
    elif kind == _STRING:
        for _ in range(length):
            cursor.skip(cursor.number("<Q"))
    else:
        cursor.skip(length * struct.calcsize(_SCALARS[kind]))
    return Array(length=length, sha256=cursor.digest(start), items=items)


def _array_length(cursor: Cursor, kind: int, key: str) -> int:
    if kind == _STRING:
        return cursor.strings(f"strings in {key!r}")
    if kind not in _SCALARS:
        cursor.fail(f"an array of strings or numbers for {key!r}", f"element type {kind}")
    return cursor.count(cursor.size, struct.calcsize(_SCALARS[kind]), f"values in {key!r}")


def float_text(value: float) -> str:
    """The shortest decimal that names this number; of one that fits 32 bits, in 32 bits."""
    for digits in range(1, _MAX_DIGITS):
        text = f"{value:.{digits}g}"
        if _in_32_bits(float(text)) == value or float(text) == value:
            return text
    return repr(value)


def _in_32_bits(value: float) -> float:
    try:
        narrowed: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return value
    return narrowed
