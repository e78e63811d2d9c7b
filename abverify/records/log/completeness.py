"""The set of records: what the log names is there, what is there the log names, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abverify.records.log.entries import Entry
from abverify.records.log.tree import HASH_BYTES, every_root
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def completeness_faults(log: Log, chains: Iterable[Iterable[Seen]]) -> Iterator[Fault]:
    """Everything that keeps log and records from being the same set in the same order.

    Args:
        log: the log, its own files verified.
        chains: every record file, gate by gate and in order.
    """
    held = Completeness(log)
    for chain in chains:
        held.take(chain)
    return held.faults()


class Completeness:
    """Holds one chain after another against the log; nothing of a sound one is kept."""

    def __init__(self, log: Log) -> None:
        """Takes the log, its own files verified, and computes every root that it had."""
        self._log = log
        self._roots = every_root(log.leaves())
        self._met = bytearray(log.size)
        self._altered: dict[int, str] = {}
        self._waiting: list[str] = []
        self._against: list[Fault] = []

    def take(self, chain: Iterable[Seen]) -> None:
        """Takes the files of a gate, in order."""
        before, places, entries = -1, self._log.positions, self._log.entries
        for item in chain:
            place = places.get(item.path)
            if place is None:
                self._waiting.append(item.path)
                place = self._log.size
            elif entries.sha256(place) == item.sha256:
                self._met[place] = 1
            else:
                self._altered[place] = item.sha256
            if item.basis is not None:
                size, root = item.basis
                if place < max(before, size) or self._root_at(size) != root:
                    self._against += self._basis_faults(item.path, item.basis, place, before)
                before = place

    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong, once every chain was taken."""
        unmet = list(self._unmet())
        for place in unmet:
            yield from self._missing(place)
        for place in unmet:
            yield from self._twice(place)
        yield from self._against
        for path in sorted(self._waiting):
            wanted = f"an entry in the log of {self._log.size} records"
            yield Fault(path, WAITING, "the record waits for an integrator", wanted, "none")

    def _unmet(self) -> Iterator[int]:
        """The entries that no file was found for, in order; of one that is there twice, the first.

        A record's place is that of its later entry, so that the earlier one is never met.
        """
        place = self._met.find(0)
        while place >= 0:
            yield place
            place = self._met.find(0, place + 1)

    def _missing(self, place: int) -> Iterator[Fault]:
        entry = self._log.entries[place]
        last = self._log.positions[entry.path]
        found = self._log.entries.sha256(last) if self._met[last] else self._altered.get(last)
        if found == entry.sha256:
            return
        message = (
            "a record that the log holds is missing"
            if found is None
            else "the record is not the one that the log holds"
        )
        told = "no file" if found is None else f"sha256 {found}"
        yield Fault(entry.path, "AV452", message, f"sha256 {entry.sha256}", told)

    def _twice(self, place: int) -> Iterator[Fault]:
        path = self._log.entries[place].path
        last = self._log.positions[path]
        if last != place:
            found = f"entries {place} and {last}"
            yield Fault(path, "AV459", "the log holds the record twice", "one entry", found)

    def _basis_faults(
        self, path: str, basis: tuple[int, str], place: int, before: int
    ) -> Iterator[Fault]:
        """Whether a record stands after what it rests on, and rests on a part of this log."""
        size, root = basis
        if place < max(before, size):
            yield Fault(
                path,
                "AV459",
                "the log holds the record before what it rests on",
                f"after entry {max(before, size - 1)}",
                f"entry {place}",
            )
        known = self._root_at(size)
        if known != root:
            yield Fault(
                path,
                "AV453",
                "the log that the record's signers saw is no part of this one",
                f"size {size}, root {known}" if known else f"size at most {self._log.size}",
                f"size {size}, root {root}",
            )

    def _root_at(self, size: int) -> str | None:
        """The root that the log had at a size; None for one that it never had."""
        return self._roots[size * HASH_BYTES : (size + 1) * HASH_BYTES].hex() or None


def waiting_entries(log: Log, chains: Iterable[Sequence[Record]]) -> tuple[Entry, ...]:
    """The verified records that the log does not hold yet, in the order they are taken in."""
    return tuple(
        Entry(record.sha256, record.path)
        for chain in chains
        for record in chain
        if record.path not in log.positions
    )
