"""Every record of a ledger verified, chain by chain, by as many processes as one likes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.audit_evidence import EvidenceAudit
from abverify.records.ledger import by_gate, read_trust
from abverify.records.log.completeness import completeness_faults
from abverify.records.log.state import Log, read_log
from abverify.records.quick import Glance
from abverify.records.scan import Scan, references_between, scan_chain
from abverify.records.setting import Setting
from abverify.records.trust_history import parse_history
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import ledger_files, root_files
from abverify.workspace.record_files import RecordFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from abverify.model.ids import GateId
    from abverify.model.report import Reason
    from abverify.records.log.checkpoint import Checkpoint
    from abverify.records.record import Fault
    from abverify.records.trust_history import TrustHistory

_PARTS = 4
"""Pieces of work for each process: enough that none waits long for another at the end."""


@frozen
class LedgerScan:
    """What verifying a whole ledger gave.

    Attributes:
        trust: the trust root's versions; None if they cannot be trusted.
        log: the log; None without a trust root.
        scans: every chain.
        faults: everything that is wrong with records, log and trust root.
        reasons: what is wrong with the evidence that decisions cite.
        decisions: how many decisions were recomputed, and how many of them are sound.
        contracts: the published contract versions, by path.
        unfinished: whether an append was interrupted.
        total: how many record files there are.
    """

    trust: TrustHistory | None
    log: Log | None
    scans: tuple[Scan, ...]
    faults: tuple[Fault, ...]
    reasons: tuple[Reason, ...]
    decisions: tuple[int, int]
    contracts: Mapping[str, bytes]
    unfinished: bool
    total: int

    @property
    def checked(self) -> int:
        """How many records verify."""
        return sum(scan.checked for scan in self.scans)

    @property
    def unvouched(self) -> tuple[str, ...]:
        """The published contract versions that no verified record is about."""
        named = frozenset[str]().union(*(scan.subjects for scan in self.scans))
        return tuple(sorted(path for path in self.contracts if path not in named))


@frozen
class _Part:
    """Some of the chains, and what it takes to verify them in another process.

    Attributes:
        root: the repository.
        now: the moment of the audit.
        gates: the chains' files.
        instead: the bytes of files that an interrupted append would have written.
        checkpoint: the log's checkpoint; None if the log is broken.
        positions: the places of these files in the log.
        evidence: whether to verify the evidence of decisions as well.
    """

    root: Path
    now: datetime
    gates: tuple[tuple[GateId, tuple[str, ...]], ...]
    instead: Mapping[str, bytes]
    checkpoint: Checkpoint | None
    positions: Mapping[str, int]
    evidence: bool


@frozen
class _Done:
    """What came of a part."""

    scans: tuple[Scan, ...]
    reasons: tuple[Reason, ...]
    decisions: tuple[int, int]


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
    grouped, strays = by_gate(files.records)
    total = sum(map(len, grouped.values()))
    if not (total or roots or files.log):
        return _nothing(strays, contracts)
    trust, root_faults = read_trust(roots, pinned)
    if trust is None:
        return LedgerScan(
            None, None, (), (*root_faults, *strays), (), (0, 0), contracts, files.unfinished, total
        )
    log, log_faults = read_log(files.log, trust)
    setting = Setting(trust, contracts, now, None if log_faults else log)
    work = partial(_part, root, now, files.records, setting, evidence)
    done = _all_done(work, tuple(grouped.items()), jobs)
    scans = tuple(chain.from_iterable(part.scans for part in done))
    faults = (
        *strays,
        *dict.fromkeys(fault for scan in scans for fault in scan.faults),
        *log_faults,
        *(() if log_faults else completeness_faults(log, [scan.seen for scan in scans])),
        *references_between(scans, _named(grouped), files.records.__getitem__, setting),
    )
    return LedgerScan(
        trust,
        log,
        scans,
        faults,
        tuple(chain.from_iterable(part.reasons for part in done)),
        (sum(part.decisions[0] for part in done), sum(part.decisions[1] for part in done)),
        contracts,
        files.unfinished,
        total,
    )


def _nothing(strays: tuple[Fault, ...], contracts: Mapping[str, bytes]) -> LedgerScan:
    return LedgerScan(None, None, (), strays, (), (0, 0), contracts, unfinished=False, total=0)


def _named(grouped: Mapping[GateId, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {str(gate): paths for gate, paths in grouped.items()}


def _part(
    root: Path,
    now: datetime,
    records: RecordFiles,
    setting: Setting,
    evidence: bool,  # noqa: FBT001 (bound by `partial`)
    gates: tuple[tuple[GateId, tuple[str, ...]], ...],
) -> _Part:
    log = setting.log
    paths = {path for _, names in gates for path in names}
    positions = (
        {path: log.positions[path] for path in paths if path in log.positions} if log else {}
    )
    instead = {path: data for path, data in records.instead.items() if path in paths}
    checkpoint = log.checkpoint if log else None
    return _Part(root, now, gates, instead, checkpoint, positions, evidence)


def _all_done(
    work: partial[_Part], gates: tuple[tuple[GateId, tuple[str, ...]], ...], jobs: int
) -> Sequence[_Done]:
    if jobs == 1 or len(gates) < jobs:
        return [_scan(work(gates))]
    parts = [work(gates) for gates in _split(gates, jobs * _PARTS)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_scan, parts))


def _split(
    gates: tuple[tuple[GateId, tuple[str, ...]], ...], count: int
) -> list[tuple[tuple[GateId, tuple[str, ...]], ...]]:
    """The gates in their order, in parts of about as many records each."""
    share = sum(len(paths) for _, paths in gates) / count
    parts: list[list[tuple[GateId, tuple[str, ...]]]] = [[] for _ in range(count)]
    before = 0
    for item in gates:
        parts[min(count - 1, int(before / share))].append(item)
        before += len(item[1])
    return [tuple(part) for part in parts if part]


def _scan(part: _Part) -> _Done:
    """Verifies some chains; in a process of its own, where nothing is known but the part."""
    contracts = published_files(part.root)
    trust = parse_history(root_files(part.root))
    log = Log(part.checkpoint, positions=part.positions) if part.checkpoint else None
    setting = Setting(trust, contracts, part.now, log)
    paths = tuple(path for _, names in part.gates for path in names)
    records = RecordFiles(part.root, paths, part.instead)
    glance = Glance(setting)
    evidence = EvidenceAudit(part.root, contracts) if part.evidence else None
    scans = tuple(
        scan_chain(
            gate,
            names,
            records.__getitem__,
            setting,
            glance=glance,
            visit=evidence.visit if evidence else None,
        )
        for gate, names in part.gates
    )
    if evidence is None:
        return _Done(scans, (), (0, 0))
    return _Done(scans, tuple(evidence.reasons), (evidence.decisions, evidence.sound))
