"""The log as a whole: read from its files, compared with the records, and grown by more of them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from abverify.records.log.entries import (
    LOG,
    WIDTH,
    Entry,
    bundle_path,
    read_entries,
    write_bundles,
)
from abverify.records.log.tiles import full_tiles
from abverify.records.log.tree import EMPTY_ROOT, root_of
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.records.keys import Signer
    from abverify.records.trust_history import TrustHistory

CHECKPOINT = f"{LOG}/checkpoint"


@frozen
class Log:
    """The records of every gate in one order, as integrators signed it.

    Attributes:
        checkpoint: the size and root that were signed; size 0 before the first record.
        signed: the signed checkpoint's bytes; None before the first record.
        entries: the records, in order.
        leaves: the hashes of the entries, in order.
        positions: the index of each record's entry, by the record's path.
    """

    checkpoint: Checkpoint
    signed: bytes | None = field(default=None, repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    leaves: tuple[bytes, ...] = field(default=(), repr=False)
    positions: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """How many records the log holds."""
        return self.checkpoint.size

    def grown(self, more: Iterable[Entry], signers: Iterable[Signer]) -> dict[str, bytes]:
        """The log's files that change when more records are taken in, by path.

        Args:
            more: the records, each not in the log yet.
            signers: integrators, as many as the trust root asks for.
        """
        entries = (*self.entries, *more)
        leaves = (*self.leaves, *(entry.leaf for entry in entries[self.size :]))
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
    if not files:
        return empty, ()
    try:
        if CHECKPOINT not in files:
            return empty, (_disagree(CHECKPOINT, "a signed checkpoint", "no file"),)
        signed = files[CHECKPOINT]
        checkpoint = open_checkpoint(signed, trust=trust, file=CHECKPOINT)
        entries = read_entries(files)
    except UntrustedError as error:
        return empty, (Fault.of(error, CHECKPOINT),)
    leaves = tuple(entry.leaf for entry in entries)
    found = Checkpoint(checkpoint.origin, len(entries), root_of(leaves))
    faults = [] if found == checkpoint else [_disagree(CHECKPOINT, str(checkpoint), str(found))]
    faults += _derived_faults(files, entries, leaves)
    if faults:
        return empty, tuple(faults)
    positions = {entry.path: index for index, entry in enumerate(entries)}
    return Log(checkpoint, signed, entries, leaves, positions), ()


def _derived_faults(
    files: Mapping[str, bytes], entries: tuple[Entry, ...], leaves: tuple[bytes, ...]
) -> list[Fault]:
    """What stands in the log's folder beside what follows from its entries, and what is missing."""
    tiles = full_tiles(leaves)
    bundles = map(bundle_path, range(-(-len(entries) // WIDTH)))
    proper = {CHECKPOINT, *bundles, *tiles}
    faults = [
        _disagree(path, "only the log's own files", "another file")
        for path in sorted(set(files) - proper)
    ]
    for path, data in tiles.items():
        if files.get(path) != data:
            found = "other hashes" if path in files else "no file"
            faults.append(_disagree(path, "the hashes that its entries have", found))
    return faults


def _disagree(path: str, expected: str, found: str) -> Fault:
    return Fault(path, "AV454", "the log's files do not agree with its checkpoint", expected, found)
