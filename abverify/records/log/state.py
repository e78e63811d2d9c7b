"""The log as a whole: read from its files, compared with the records, and grown by more of them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from abverify.records.log.entries import (
    LOG,
    Entry,
    bundle_path,
    read_bundles,
    write_bundles,
)
from abverify.records.log.packed import Entries, Places
from abverify.records.log.tiles import Tiling, full_tiles
from abverify.records.log.tree import EMPTY_ROOT, root_of
from abverify.records.record import Fault, is_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abverify.records.keys import Signer
    from abverify.records.log.tree import Frontier
    from abverify.records.trust_history import TrustHistory

CHECKPOINT = f"{LOG}/checkpoint"


@frozen
class Log:
    """The records of every gate in one order, as integrators signed it.

    Attributes:
        checkpoint: the size and root that were signed; size 0 before the first record.
        signed: the signed checkpoint's bytes; None before the first record.
        entries: the records, in order.
        positions: the index of each record's entry, by the record's path.
    """

    checkpoint: Checkpoint
    signed: bytes | None = field(default=None, repr=False)
    entries: Entries = field(default_factory=Entries, repr=False)
    positions: Places = field(default_factory=Places, repr=False)

    @property
    def size(self) -> int:
        """How many records the log holds."""
        return self.checkpoint.size

    def within(self, folders: Iterable[str]) -> Log:
        """What it takes to find the records of some folders in the log."""
        return Log(self.checkpoint, positions=self.positions.within(folders))

    def leaves(self) -> Iterator[bytes]:
        """The hashes of the entries, in order; computed, because they need not be kept."""
        return (entry.leaf for entry in self.entries)

    def grown(self, more: Iterable[Entry], signers: Iterable[Signer]) -> dict[str, bytes]:
        """The log's files that change when more records are taken in, by path.

        Args:
            more: the records, each not in the log yet.
            signers: integrators, as many as the trust root asks for.
        """
        entries = (*self.entries, *more)
        leaves = [entry.leaf for entry in entries]
        checkpoint = Checkpoint(self.checkpoint.origin, len(entries), root_of(leaves))
        return {
            **full_tiles(leaves, self.size),
            **write_bundles(entries, self.size),
            CHECKPOINT: sign_checkpoint(checkpoint, signers),
        }


def empty_log(origin: str) -> Log:
    """The log of a ledger without records."""
    return Log(Checkpoint(origin, 0, EMPTY_ROOT))


def read_log(files: Mapping[str, bytes], trust: TrustHistory) -> tuple[Log, tuple[Fault, ...]]:
    """Verifies the log's own files: the checkpoint's signatures, and that all of them agree.

    Args:
        files: every file below `gates/_log/`, by path.
        trust: the versions of the trust root, which name the integrators.

    Returns:
        The log, empty where it cannot be trusted, and what is wrong with its files.
    """
    empty = empty_log(trust.newest.document.origin)
    names = {path for path in files if not is_unfinished(path)}
    if not names:
        return empty, ()
    if CHECKPOINT not in names:
        return empty, (_disagree(CHECKPOINT, "a signed checkpoint", "no file"),)
    try:
        signed = files[CHECKPOINT]
        checkpoint = open_checkpoint(signed, trust=trust, file=CHECKPOINT)
        entries, frontier, derived = _read_entries(files, names)
    except UntrustedError as error:
        return empty, (Fault.of(error, CHECKPOINT),)
    found = Checkpoint(checkpoint.origin, frontier.size, frontier.root)
    faults = [] if found == checkpoint else [_disagree(CHECKPOINT, str(checkpoint), str(found))]
    if faults or derived:
        return empty, (*faults, *derived)
    return Log(checkpoint, signed, entries, entries.places()), ()


def _read_entries(
    files: Mapping[str, bytes], names: set[str]
) -> tuple[Entries, Frontier, tuple[Fault, ...]]:
    """The entries, the tree over them, and what does not follow from them or is missing.

    The files are read one after the other, and none is kept.
    """
    entries, tiling = Entries(), Tiling()
    others, faults = names - {CHECKPOINT}, list[Fault]()
    for index, bundle in enumerate(read_bundles(files)):
        entries.extend(bundle)
        others.discard(bundle_path(index))
        for tile in tiling.extend(entry.leaf for entry in bundle):
            others.discard(tile.path)
            if files.get(tile.path) != tile.data:
                found = "other hashes" if tile.path in files else "no file"
                faults.append(_disagree(tile.path, "the hashes that its entries have", found))
    strays = (_disagree(path, "only the log's own files", "another file") for path in others)
    return entries, tiling.frontier, (*sorted(strays, key=_file), *faults)


def _file(fault: Fault) -> str:
    return fault.file


def _disagree(path: str, expected: str, found: str) -> Fault:
    return Fault(path, "AV454", "the log's files do not agree with its checkpoint", expected, found)
