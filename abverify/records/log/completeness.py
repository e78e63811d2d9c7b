"""The set of records: what the log names is there, what is there the log names, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abverify.records.log.entries import Entry
from abverify.records.log.tree import roots_at
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abverify.records.log.state import Log
    from abverify.records.record import Record

WAITING = "AV451"
"""The rule of the one fault that an integrator mends by signing."""


class Seen(NamedTuple):
    """A record file as far as the log is concerned.

    Attributes:
        path: the file.
        sha256: the digest of its bytes.
        basis: size and root of the log that the signers saw; None if the file is
            no verified record.
    """

    path: str
    sha256: str
    basis: tuple[int, str] | None


def seen(record: Record) -> Seen:
    """A verified record as far as the log is concerned."""
    basis = record.statement.common.basis
    return Seen(record.path, record.sha256, (basis.size, basis.root))


def completeness_faults(log: Log, chains: Sequence[Sequence[Seen]]) -> Iterator[Fault]:
    """Everything that keeps log and records from being the same set in the same order.

    Args:
        log: the log, its own files verified.
        chains: every record file, gate by gate and in order.
    """
    digests = {item.path: item.sha256 for chain in chains for item in chain}
    yield from _missing(log, digests)
    yield from _order(log)
    sizes = {item.basis[0] for chain in chains for item in chain if item.basis}
    roots = {size: root.hex() for size, root in roots_at(log.leaves, sizes).items()}
    for chain in chains:
        yield from _chain(log, chain, roots)
    for path in sorted(digests.keys() - log.positions.keys()):
        wanted = f"an entry in the log of {log.size} records"
        yield Fault(path, WAITING, "the record waits for an integrator", wanted, "none")


def waiting_entries(log: Log, chains: Iterable[Sequence[Record]]) -> tuple[Entry, ...]:
    """The verified records that the log does not hold yet, in the order they are taken in."""
    return tuple(
        Entry(record.sha256, record.path)
        for chain in chains
        for record in chain
        if record.path not in log.positions
    )


def _missing(log: Log, digests: Mapping[str, str]) -> Iterator[Fault]:
    for entry in log.entries:
        found = digests.get(entry.path)
        if found == entry.sha256:
            continue
        message = (
            "a record that the log holds is missing"
            if found is None
            else "the record is not the one that the log holds"
        )
        seen = "no file" if found is None else f"sha256 {found}"
        yield Fault(entry.path, "AV452", message, f"sha256 {entry.sha256}", seen)


def _order(log: Log) -> Iterator[Fault]:
    """An entry that stands in the log twice; the later one is the one that `positions` has."""
    for index, entry in enumerate(log.entries):
        if log.positions[entry.path] != index:
            found = f"entries {index} and {log.positions[entry.path]}"
            yield Fault(entry.path, "AV459", "the log holds the record twice", "one entry", found)


def _chain(log: Log, chain: Sequence[Seen], roots: Mapping[int, str]) -> Iterator[Fault]:
    before = -1
    for item in chain:
        if item.basis is None:
            continue
        size, root = item.basis
        position = log.positions.get(item.path, log.size)
        if position < max(before, size):
            yield Fault(
                item.path,
                "AV459",
                "the log holds the record before what it rests on",
                f"after entry {max(before, size - 1)}",
                f"entry {position}",
            )
        known = roots.get(size)
        if known != root:
            yield Fault(
                item.path,
                "AV453",
                "the log that the record's signers saw is no part of this one",
                f"size {size}, root {known}" if known else f"size at most {log.size}",
                f"size {size}, root {root}",
            )
        before = position
