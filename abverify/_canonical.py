"""Canonical JSON bytes and SHA-256 digests: what gets hashed, compared and signed.

The canonical form is the subset of RFC 8785 (JCS) on which every JSON library
agrees: object keys are ASCII and sorted, there are no floats, integers stay
within 2**53, strings are valid Unicode, no white space. Reading demands that
writing gives the same bytes back, which rejects duplicate keys, `NaN`, a BOM,
`1e2`, `-0` and trailing bytes in one comparison.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from abverify.errors import UntrustedError

if TYPE_CHECKING:
    from pathlib import Path

_TYPE_ERROR = "only objects, arrays, strings, integers, booleans and null can be canonical"
_MAX_INT = 2**53 - 1
# Where a key may begin, with a byte beyond ASCII or an escape in it; some array's text is alike.
_MAYBE_KEY = re.compile(rb'[{,]"[^"\\\x80-\xff]*[\\\x80-\xff]')
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
)
_CHUNK = 1 << 20


def canonical_bytes(value: Any) -> bytes:
    """The canonical UTF-8 bytes of a JSON value.

    Raises:
        ValueError: if the value holds a float, a non-ASCII key, an integer
            beyond 2**53 - 1, or anything JSON does not know.
    """
    return _ENCODER.encode(_checked(value)).encode("utf-8")


def parse_canonical(data: bytes, *, name: str) -> Any:
    """The value of bytes that are in canonical form already.

    Args:
        data: the bytes as they stand in the file.
        name: what to call them in an error message.

    Raises:
        UntrustedError: if the bytes are not JSON or not in canonical form.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        plain = data.isascii() or not _MAYBE_KEY.search(data)
        again = _ENCODER.encode(value).encode("utf-8") if plain else canonical_bytes(value)
    except (ValueError, RecursionError) as error:
        raise UntrustedError(
            "not canonical JSON",
            rule="AV401",
            place=name,
            expected="canonical JSON (sorted ASCII keys, integers, no white space)",
            found=str(error),
            next_step="restore the file from version control",
        ) from None
    if again != data:
        raise UntrustedError(
            "JSON bytes differ from their canonical form",
            rule="AV401",
            place=name,
            expected=f"{len(again)} canonical bytes, sha256 {sha256_hex(again)}",
            found=f"{len(data)} bytes, sha256 {sha256_hex(data)}",
            next_step="restore the file from version control",
        )
    return value


def canonical_digest(value: Any) -> str:
    """SHA-256, in lower-case hex, of the canonical bytes of a JSON value."""
    return sha256_hex(canonical_bytes(value))


def sha256_hex(data: bytes) -> str:
    """SHA-256 of the bytes, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in 1 MiB chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def tree_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of a set of files: names, sizes and contents all count, order does not.

    Args:
        files: contents by relative POSIX path.
    """
    leaves = [[name, len(data), sha256_hex(data)] for name, data in sorted(files.items())]
    return sha256_hex(json.dumps(leaves, ensure_ascii=True, separators=(",", ":")).encode())


def _refuse_float(text: str) -> NoReturn:
    raise ValueError(f"{_TYPE_ERROR}, not {text}")


def _small_integer(text: str) -> int:
    value = int(text)
    if abs(value) > _MAX_INT:
        raise ValueError(f"integer {value} is beyond 2**53 - 1")
    return value


_DECODER = json.JSONDecoder(parse_float=_refuse_float, parse_int=_small_integer)


def _checked(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INT:
            raise ValueError(f"integer {value} is beyond 2**53 - 1")
        return value
    # Nearly every mapping is a dict, which is known faster than that it is some mapping.
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101
        return {_checked_key(key): _checked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_checked(item) for item in value]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_checked(item) for item in value]
    raise ValueError(f"{_TYPE_ERROR}, not {type(value).__name__}")


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise ValueError(f"key {key!r} is not an ASCII string")
    return key
