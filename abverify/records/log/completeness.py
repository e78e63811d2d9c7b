"""The set of records: what the log names is there, what is there the log names, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.records.log.entries import Entry
from abverify.records.log.tree import roots_at
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abverify.records.log.state import Log
    from abverify.records.record import Record

WAITING = "AV451"
"""The rule of the one fault that an integrator mends by signing."""


def completeness_faults(
    log: Log, digests: Mapping[str, str], chains: Iterable[Sequence[Record]]
) -> Iterator[Fault]:
    """Everything that keeps log and records from being the same set in the same order.

    Args:
        log: the log, its own files verified.
        digests: the digest of every record file, by path.
        chains: the verified records, gate by gate and in order.
    """
    yield from _missing(log, digests)
    yield from _order(log)
    seen = tuple(chains)
    roots = roots_at(log.leaves, {r.statement.common.basis.size for c in seen for r in c})
    for chain in seen:
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


def _chain(log: Log, chain: Sequence[Record], roots: Mapping[int, bytes]) -> Iterator[Fault]:
    before = -1
    for record in chain:
        basis = record.statement.common.basis
        position = log.positions.get(record.path, log.size)
        if position < max(before, basis.size):
            yield Fault(
                record.path,
                "AV459",
                "the log holds the record before what it rests on",
                f"after entry {max(before, basis.size - 1)}",
                f"entry {position}",
            )
        root = roots.get(basis.size)
        if root is None or root.hex() != basis.root:
            known = f"root {root.hex()}" if root else f"at most {log.size} records"
            yield Fault(
                record.path,
                "AV453",
                "the log that the record's signers saw is no part of this one",
                f"size {basis.size}, {known}",
                f"size {basis.size}, root {basis.root}",
            )
        before = position
