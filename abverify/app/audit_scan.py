"""Every record of a ledger verified, chain by chain, by as many processes as one likes.

A ledger may have a million records. So nothing here holds records, or a text for each of
them: names and log are compact, the chains are verified in parts, and what comes back of a
part is held against the log and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.audit_parts import Ground, parts_of, workers
from abverify.records.ledger import by_gate, read_trust
from abverify.records.log.completeness import Completeness
from abverify.records.log.state import Log, read_log
from abverify.records.scan import references_between
from abverify.records.setting import Setting
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import ledger_files, root_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from abverify.app.audit_parts import Done
    from abverify.model.ids import GateId
    from abverify.model.report import Reason
    from abverify.records.listing import Listing
    from abverify.records.record import Fault
    from abverify.records.scan import Outline
    from abverify.records.trust_history import TrustHistory


@frozen
class LedgerScan:
    """What verifying a whole ledger gave.

    Attributes:
        faults: everything that is wrong with records, log and trust root.
        contracts: the published contract versions, by path.
        unfinished: whether an append was interrupted.
        gates: every gate's record files.
        trust: the trust root's versions; None if they cannot be trusted.
        log: the log; None without a trust root.
        reasons: what is wrong with the evidence that decisions cite.
        decisions: how many decisions were recomputed, and how many of them are sound.
        checked: how many records verify.
        subjects: the contract versions that verified records are about.
    """

    faults: tuple[Fault, ...]
    contracts: Mapping[str, bytes]
    unfinished: bool
    gates: Mapping[GateId, Listing]
    trust: TrustHistory | None = None
    log: Log | None = None
    reasons: tuple[Reason, ...] = ()
    decisions: tuple[int, int] = (0, 0)
    checked: int = 0
    subjects: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        """How many record files there are."""
        return sum(map(len, self.gates.values()))

    @property
    def unvouched(self) -> tuple[str, ...]:
        """The published contract versions that no verified record is about."""
        return tuple(sorted(path for path in self.contracts if path not in self.subjects))


def scan_ledger(
    root: Path, now: datetime, *, jobs: int = 1, evidence: bool = True, pinned: str | None = None
) -> LedgerScan:
    """Verifies every record, the log, and if asked the evidence that decisions cite.

    Args:
        root: the repository.
        now: the moment of the audit.
        jobs: how many processes verify chains; 1 uses this one.
        evidence: whether to verify the evidence of decisions as well.
        pinned: the digest that some version of the trust root must have.
    """
    files, contracts, roots = ledger_files(root), published_files(root), root_files(root)
    gates, strays = by_gate(files.records.listings)
    if not (gates or roots or files.log):
        return LedgerScan(strays, contracts, unfinished=False, gates=gates)
    trust, root_faults = read_trust(roots, pinned)
    if trust is None:
        return LedgerScan((*root_faults, *strays), contracts, files.unfinished, gates)
    with workers(jobs if len(gates) >= jobs else 1) as work:
        log, log_faults = read_log(files.log, trust)
        sound = None if log_faults else log
        ground = Ground(root, now, roots, evidence, sum(map(len, gates.values())))
        done = work(parts_of(gates, files.records.instead, sound, ground, jobs), contracts)
        found = _Found(None if sound is None else Completeness(sound))
        found.take_all(done, gates)
    setting = Setting(trust, contracts, now, sound)
    between = references_between(found.outlines, gates, files.records.read, setting)
    return LedgerScan(
        (*strays, *found.faults, *log_faults, *found.incomplete(), *between),
        contracts,
        files.unfinished,
        gates,
        trust,
        log,
        tuple(found.reasons),
        found.decisions,
        found.checked,
        frozenset(found.subjects),
    )


@dataclass
class _Found:
    """What has come back of the parts so far, and was not held against the log and dropped."""

    completeness: Completeness | None
    faults: dict[Fault, None] = field(default_factory=dict)
    outlines: list[Outline] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    decisions: tuple[int, int] = (0, 0)
    checked: int = 0
    subjects: set[str] = field(default_factory=set)

    def take_all(self, parts: Iterable[Done], gates: Mapping[GateId, Listing]) -> None:
        """Takes every part, in the order of the gates."""
        for part in parts:
            for scan in part.scans:
                if self.completeness is not None:
                    self.completeness.take(scan.seen.along(gates[scan.outline.gate]))
                self.faults.update(dict.fromkeys(scan.faults))
                self.outlines.append(scan.outline)
                self.checked += scan.seen.verified
                self.subjects |= scan.subjects
            self.reasons += part.reasons
            decided, sound = self.decisions
            self.decisions = (decided + part.decisions[0], sound + part.decisions[1])

    def incomplete(self) -> Iterator[Fault]:
        """What keeps the records from being those of the log; a broken log says nothing."""
        return iter(()) if self.completeness is None else self.completeness.faults()
