"""How SSH writes things (RFC 4251): lengths before bytes, and Ed25519 keys and signatures so."""

from __future__ import annotations

import base64
import hashlib
import struct

from abverify.records.keys import KEY_BYTES, SIGNATURE_BYTES

ED25519 = b"ssh-ed25519"
_LENGTH = struct.Struct(">I")


class Wire:
    """Reads bytes from left to right; whatever does not fit is a ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._data):
            raise ValueError(f"{count} bytes wanted, {len(self._data) - self._at} left")
        part, self._at = self._data[self._at : end], end
        return part

    def number(self) -> int:
        """The next 32-bit number."""
        return int(_LENGTH.unpack(self.take(_LENGTH.size))[0])

    def string(self) -> bytes:
        """The next length, and as many bytes."""
        return self.take(self.number())

    def end(self) -> None:
        """Nothing may be left."""
        left = len(self._data) - self._at
        if left:
            raise ValueError(f"{left} bytes too many")


def number(value: int) -> bytes:
    """A 32-bit number."""
    return _LENGTH.pack(value)


def string(data: bytes) -> bytes:
    """Bytes with their length in front."""
    return number(len(data)) + data


def key_blob(raw: bytes) -> bytes:
    """An Ed25519 public key as SSH writes it."""
    return string(ED25519) + string(raw)


def raw_key(blob: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key.

    Raises:
        ValueError: for another kind of key, or anything else.
    """
    return _typed(blob, KEY_BYTES)


def raw_signature(blob: bytes) -> bytes:
    """The 64 bytes of a plain Ed25519 signature.

    Raises:
        ValueError: for another kind of signature, or anything else.
    """
    return _typed(blob, SIGNATURE_BYTES)


def fingerprint(blob: bytes) -> str:
    """A key's fingerprint as `ssh-keygen -l` and `ssh-add -l` print it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return f"SHA256:{digest.rstrip('=')}"


def _typed(blob: bytes, size: int) -> bytes:
    wire = Wire(blob)
    kind = wire.string()
    if kind != ED25519:
        raise ValueError(f"of kind {kind.decode('ascii', 'replace')[:60]}")
    value = wire.string()
    wire.end()
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes, not {size}")
    return value
