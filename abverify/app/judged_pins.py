"""Whether the inputs of published contracts, and pin.lock, are as the records signed them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from abverify._canonical import tree_digest
from abverify._frozen import frozen
from abverify.app.lint_pins import copied, drifted
from abverify.records.bodies import Amendment
from abverify.records.law import in_force_amendment
from abverify.workspace.documents import load_document
from abverify.workspace.pins import PIN_LOCK, PinLock, empty_pins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.report import Reason
    from abverify.records.ledger import Ledger
    from abverify.records.record import Record
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.git import Entry
    from abverify.workspace.snapshot import CommitTree


@frozen
class PinJudge:
    """Holds states to the signed pins; a folder that was digested once is not read again."""

    _digests: dict[Entry, str] = field(default_factory=dict)

    def faults(
        self, files: CommitTree, contracts: Mapping[str, LoadedContract], ledger: Ledger
    ) -> Iterator[Reason]:
        """Every input with other bytes than were signed, and every line of pin.lock that misleads.

        Only contracts in force are held to it: what is not published yet has no signed pins.
        """
        published = tuple(_published(contracts, ledger))
        for loaded, record in published:
            pins = record.body.pins if isinstance(record.body, Amendment) else {}
            for path in loaded.contract.inputs():
                found = self._digest(files, path)
                if found != pins.get(path):
                    yield drifted(loaded, path, pins, f"sha256 {found}" if found else "nothing")
        if published:
            data = files.read(PIN_LOCK)
            lock = load_document(PinLock, data, name=PIN_LOCK) if data else empty_pins()
            yield from copied(lock, published, {})

    def _digest(self, files: CommitTree, path: str) -> str | None:
        entry = files.git.entry(files.commit, path)
        if entry is None:
            return None
        if entry not in self._digests:
            if entry.kind == "tree":
                content = files.folder(path)
            else:
                content = {path.rsplit("/", 1)[-1]: files.read(path) or b""}
            self._digests[entry] = tree_digest(content)
        return self._digests[entry]


def _published(
    contracts: Mapping[str, LoadedContract], ledger: Ledger
) -> Iterator[tuple[LoadedContract, Record]]:
    for loaded in contracts.values():
        record = in_force_amendment(ledger.chain(loaded.contract.gate))
        if record is not None and record.contract_sha256 == loaded.sha256:
            yield loaded, record
