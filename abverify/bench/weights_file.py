"""One weight file, examined: its header checked, every byte of it under one digest."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, BinaryIO, Final

from abverify._frozen import frozen
from abverify.bench.gguf_header import GgufHeader, read_header
from abverify.bench.weights_cache import is_settled, recall, remember
from abverify.errors import IndeterminateError, UntrustedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHUNK: Final = 1 << 18

FileStamp = tuple[int, int, int, int]
"""Device, inode, size in bytes and modification time in ns: the same file, untouched since."""


@frozen
class Examined:
    """What was found.

    Attributes:
        header: what the header says.
        sha256: digest of the whole file.
        stamp: the file this was read from, to notice that it was replaced since.
        from_cache: whether the digest is that of an earlier reading of the untouched file.
    """

    header: GgufHeader
    sha256: str
    stamp: FileStamp
    from_cache: bool


def examine(
    path: Path,
    *,
    expected_sha256: str | None,
    name: str,
    paranoid: bool = False,
    watch: Callable[[int, int], None] | None = None,
) -> Examined:
    """Reads a GGUF file's header and the digest of all its bytes.

    Args:
        path: the file.
        expected_sha256: what its digest must be; null when any will do. A remembered digest
            that differs from it is not believed: the bytes are read again.
        name: what to call the file in an error message.
        paranoid: whether to read every byte even where the digest is remembered.
        watch: called while hashing with the bytes read so far and the bytes in all.

    Raises:
        IndeterminateError: AV510 if there is no such file, AV514 if `gguf` is not installed.
        InvalidError: AV511 if it is no whole GGUF file.
        UntrustedError: AV512 if its digest is another one, or it changed while it was read.
    """
    try:
        if path.exists() and not path.is_file():
            raise unavailable(name, "not a regular file")
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            settled = is_settled(before)
            header = read_header(stream, size=before.st_size, name=name)
            known = None if paranoid else recall(path, before)
            from_cache = known is not None and expected_sha256 in (None, known)
            digest = known if known and from_cache else _digest(stream, before.st_size, watch)
            after = os.fstat(stream.fileno())
            if stamp_of(after) != stamp_of(before):
                raise _changed(name)
    except OSError as error:
        raise unavailable(name, error.strerror or str(error)) from None
    if settled and not from_cache and after.st_ctime_ns == before.st_ctime_ns:
        remember(path, before, digest)
    if expected_sha256 not in (None, digest):
        raise _another(name, expected=str(expected_sha256), found=digest)
    return Examined(header, digest, stamp_of(before), from_cache)


def stamp_of(status: os.stat_result) -> FileStamp:
    """The stamp of a file in this state."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def unavailable(place: str, found: str, *, step: str | None = None) -> IndeterminateError:
    """The error that says weights are not here (AV510)."""
    return IndeterminateError(
        "the weights are not here",
        rule="AV510",
        place=place,
        expected="a readable GGUF file",
        found=found,
        next_step=step or "put the file there, or correct its path in the contract",
    )


def _digest(stream: BinaryIO, size: int, watch: Callable[[int, int], None] | None) -> str:
    digest, buffer, done = hashlib.sha256(), memoryview(bytearray(_CHUNK)), 0
    stream.seek(0)
    while count := stream.readinto(buffer):  # type: ignore[attr-defined]
        digest.update(buffer[:count])
        done += count
        if watch is not None:
            watch(done, size)
    return digest.hexdigest()


def _another(name: str, *, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "the weights are not the declared ones",
        rule="AV512",
        place=name,
        expected=f"sha256 {expected}",
        found=f"sha256 {found}",
        next_step="fetch the declared file, or amend the contract (retargeting)",
    )


def _changed(name: str) -> UntrustedError:
    return UntrustedError(
        "the weights changed while they were read",
        rule="AV512",
        place=name,
        expected="a file that nothing writes to",
        found="another size or modification time",
        next_step="wait until the file is complete, then try again",
    )
