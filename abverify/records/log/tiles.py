"""C2SP tiles (c2sp.org/tlog-tiles): the tree's hashes in files of 256, so that a part is enough.

Only full tiles are stored, 8192 bytes each; what a partial one would hold
follows from the entries and from the full tiles below it. A tile of level `L`
holds nodes of the tree's level `8 L`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.records.log.entries import LOG, WIDTH, bundle_path, numbered, read_bundle
from abverify.records.log.tree import HASH_BYTES, Frontier, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_HEIGHT = 8
TILE_BYTES = WIDTH * HASH_BYTES


def tile_path(level: int, index: int) -> str:
    """Where a full tile stands."""
    return f"{LOG}/tile/{level}/{numbered(index)}"


def full_tiles(leaves: Sequence[bytes], since: int = 0) -> dict[str, bytes]:
    """The tiles that become full when a log of `since` leaves grows to these, by path."""
    tiles: dict[str, bytes] = {}
    level, nodes, done = 0, leaves, since
    while len(nodes) >= WIDTH:
        for index in range(done // WIDTH, len(nodes) // WIDTH):
            tiles[tile_path(level, index)] = b"".join(nodes[index * WIDTH : (index + 1) * WIDTH])
        nodes = [root_of(nodes[at : at + WIDTH]) for at in range(0, len(nodes) - WIDTH + 1, WIDTH)]
        level, done = level + 1, done // WIDTH
    return tiles


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
