"""The files of a chain as far as the log is concerned, in 72 bytes each."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from abverify.records.log.completeness import Seen
from abverify.records.log.tree import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_UNVERIFIED = -1
_NO_ROOT = bytes(HASH_BYTES)


class Digests:
    """The digests of the files of a chain, in order."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def append(self, sha256: str) -> None:
        """Takes the digest of the next file."""
        self._bytes += bytes.fromhex(sha256)

    def __len__(self) -> int:
        return len(self._bytes) // HASH_BYTES

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(len(self)))

    def at(self, place: int) -> str:
        """The digest of the file at a place."""
        return self._bytes[place * HASH_BYTES : (place + 1) * HASH_BYTES].hex()


class SeenFiles:
    """What there is to know of each file of a chain but its path, in order.

    Attributes:
        digests: the files' digests.
    """

    __slots__ = ("_roots", "_sizes", "digests")

    def __init__(self) -> None:
        self.digests = Digests()
        self._sizes = array("q")
        self._roots = bytearray()

    def append(self, item: Seen) -> None:
        """Takes the next file."""
        size, root = (_UNVERIFIED, _NO_ROOT)
        if item.basis is not None:
            size, root = item.basis[0], bytes.fromhex(item.basis[1])
        self.digests.append(item.sha256)
        self._sizes.append(size)
        self._roots += root

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def verified(self) -> int:
        """How many of the files are verified records."""
        return len(self) - self._sizes.count(_UNVERIFIED)

    def find(self, wanted: Collection[str]) -> dict[str, int]:
        """The places of the verified records that have one of these digests, by digest."""
        found: dict[str, int] = {}
        for place, (sha256, size) in enumerate(zip(self.digests, self._sizes, strict=True)):
            if sha256 in wanted and size != _UNVERIFIED:
                found.setdefault(sha256, place)
        return found

    def along(self, paths: Sequence[str]) -> Iterator[Seen]:
        """The files one by one, whose paths these are."""
        files = enumerate(zip(paths, self.digests, self._sizes, strict=True))
        for place, (path, sha256, size) in files:
            root = self._roots[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            yield Seen(path, sha256, None if size == _UNVERIFIED else (size, root.hex()))
