"""C2SP tiles (c2sp.org/tlog-tiles): the tree's hashes in files of 256, so that a part is enough.

Only full tiles are stored, 8192 bytes each; what a partial one would hold
follows from the entries and from the full tiles below it. A tile of level `L`
holds nodes of the tree's level `8 L`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abverify.errors import UntrustedError
from abverify.records.log.entries import LOG, WIDTH, bundle_path, numbered, read_bundle
from abverify.records.log.tree import HASH_BYTES, Frontier, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_HEIGHT = 8
TILE_BYTES = WIDTH * HASH_BYTES


def tile_path(level: int, index: int) -> str:
    """Where a full tile stands."""
    return f"{LOG}/tile/{level}/{numbered(index)}"


class Tile(NamedTuple):
    """A full tile: its level, its number there, and its bytes."""

    level: int
    number: int
    data: bytes

    @property
    def path(self) -> str:
        """Where it stands."""
        return tile_path(self.level, self.number)


class Tiling:
    """A tree that grows tile by tile; of what is full, only the roots are kept."""

    def __init__(self) -> None:
        self._open: list[list[bytes]] = [[]]
        self._full: list[int] = [0]

    def extend(self, leaves: Iterable[bytes]) -> Iterator[Tile]:
        """Puts more leaves at the end; the tiles that they fill, each after those below it."""
        for leaf in leaves:
            lowest = self._open[0]
            lowest.append(leaf)
            if len(lowest) == WIDTH:
                yield from self._filled()

    @property
    def frontier(self) -> Frontier:
        """All that the root of the tree so far depends on."""
        size = self._full[0] * WIDTH + len(self._open[0])
        peaks = (peak for nodes in reversed(self._open) for peak in _peaks(nodes))
        return Frontier(size, tuple(peaks))

    def _filled(self) -> Iterator[Tile]:
        """The lowest tile, which is full, and every one that is full with it."""
        level = 0
        while len(nodes := self._open[level]) == WIDTH:
            yield Tile(level, self._full[level], b"".join(nodes))
            self._full[level] += 1
            if level + 1 == len(self._open):
                self._open.append([])
                self._full.append(0)
            self._open[level + 1].append(root_of(nodes))
            nodes.clear()
            level += 1


def full_tiles(leaves: Iterable[bytes], since: int = 0) -> dict[str, bytes]:
    """The tiles that become full when a log of `since` leaves grows to these, by path."""
    return {
        tile.path: tile.data
        for tile in Tiling().extend(leaves)
        if tile.number + 1 > since >> _HEIGHT * (tile.level + 1)
    }


def frontier_at(size: int, read: Callable[[str], bytes]) -> Frontier:
    """The frontier of the log as it was at a size, from a few files of a log that may be larger.

    Nothing here says that the files are true: the frontier's root must be compared
    with a root that is known.

    Args:
        size: the number of leaves.
        read: gives the bytes of a file of the log; raises if there is none.

    Raises:
        UntrustedError: AV454 if a tile or the entries have another form.
    """
    levels = max(1, -(-size.bit_length() // _HEIGHT))
    peaks: list[bytes] = []
    for level in reversed(range(levels)):
        count = size >> _HEIGHT * level & WIDTH - 1
        nodes = list(_nodes(level, size >> _HEIGHT * (level + 1), count, read)) if count else []
        peaks += _peaks(nodes)
    return Frontier(size, tuple(peaks))


def _nodes(level: int, tile: int, count: int, read: Callable[[str], bytes]) -> Iterator[bytes]:
    """The first nodes of a tile that need not be full: from what lies below it."""
    if level == 0:
        path = bundle_path(tile)
        entries = read_bundle(read(path), file=path)
        if len(entries) < count:
            raise _bad(path, f"at least {count} entries", f"{len(entries)}")
        yield from (entry.leaf for entry in entries[:count])
        return
    for index in range(tile * WIDTH, tile * WIDTH + count):
        yield root_of(_hashes(tile_path(level - 1, index), read))


def _hashes(path: str, read: Callable[[str], bytes]) -> list[bytes]:
    data = read(path)
    if len(data) != TILE_BYTES:
        raise _bad(path, f"{TILE_BYTES} bytes", f"{len(data)} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, TILE_BYTES, HASH_BYTES)]


def _peaks(nodes: list[bytes]) -> Iterator[bytes]:
    """The roots of the perfect subtrees over fewer than 256 nodes, the largest first."""
    start = 0
    for bit in reversed(range(_HEIGHT)):
        if len(nodes) >> bit & 1:
            yield root_of(nodes[start : start + (1 << bit)])
            start += 1 << bit


def _bad(path: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "a tile of the log is not as it was written",
        rule="AV454",
        place=path,
        expected=expected,
        found=found,
        next_step="restore the file from version control",
    )
