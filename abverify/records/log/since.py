"""The entries that came after a checkpoint, proved to continue it, without reading the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.log.entries import WIDTH, bundle_path, read_bundle
from abverify.records.log.tiles import frontier_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.records.log.checkpoint import Checkpoint
    from abverify.records.log.entries import Entry
    from abverify.records.log.tree import Frontier


@frozen
class Growth:
    """What a log took in since a checkpoint.

    Attributes:
        size: how many entries there were.
        entries: the ones since then, in order.
        roots: the log's root at that size and at every size since, in hex.
    """

    size: int
    entries: tuple[Entry, ...]
    roots: dict[int, str]


def growth_since(
    kept: Checkpoint, signed: Checkpoint, read: Callable[[str], bytes]
) -> Growth | None:
    """The log's growth from one checkpoint to a later one.

    Args:
        kept: the earlier one.
        signed: the later one.
        read: gives the bytes of a file of the log; raises if there is none.

    Returns:
        None if the log does not begin with what the earlier one holds.

    Raises:
        UntrustedError: AV454 if the entries since then do not lead to the later one.
    """
    frontier = frontier_at(kept.size, read)
    if frontier.root != kept.root:
        return None
    entries: list[Entry] = []
    roots = {kept.size: frontier.root.hex()}
    for index in range(kept.size // WIDTH, -(-signed.size // WIDTH)):
        path = bundle_path(index)
        bundle = read_bundle(read(path), file=path)
        entries += bundle[max(0, kept.size - index * WIDTH) :]
    for entry in entries:
        frontier = frontier.extended([entry.leaf])
        roots[frontier.size] = frontier.root.hex()
    if (frontier.size, frontier.root) != (signed.size, signed.root):
        raise _disagree(signed, frontier)
    return Growth(kept.size, tuple(entries), roots)


def _disagree(signed: Checkpoint, found: Frontier) -> UntrustedError:
    return UntrustedError(
        "the log's new entries do not lead to its checkpoint",
        rule="AV454",
        place=bundle_path(max(0, signed.size - 1) // WIDTH),
        expected=str(signed),
        found=f"size {found.size}, root {found.root.hex()}",
        next_step="restore gates/_log from version control; abverify audit",
    )
