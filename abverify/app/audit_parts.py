"""The chains of a ledger in parts, each verified in this process or in another."""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeAlias

from abverify._frozen import frozen
from abverify.app.audit_evidence import EvidenceAudit
from abverify.records.quick import Glance
from abverify.records.scan import Scan, scan_chain
from abverify.records.setting import Setting
from abverify.records.trust_history import parse_history
from abverify.records.verifiers import verifying_for
from abverify.workspace.contracts import published_files
from abverify.workspace.record_files import RecordFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from abverify.model.ids import GateId
    from abverify.model.report import Reason
    from abverify.records.listing import Listing
    from abverify.records.log.state import Log

_PARTS = 4
"""Pieces of work for each process: enough that none waits long for another at the end."""
_MOST = 1000
"""So many records, and a chain more, may be in one part, for the same reason and because what
comes of it is held in memory."""


@frozen
class Ground:
    """What every part is verified against.

    Attributes:
        root: the repository.
        now: the moment of the audit.
        roots: the bytes of every trust root version, by path.
        evidence: whether to verify the evidence of decisions as well.
        records: how many records there are in all parts.
    """

    root: Path
    now: datetime
    roots: Mapping[str, bytes]
    evidence: bool
    records: int


@frozen
class Part:
    """Some of the chains, and what it takes to verify them in another process.

    Attributes:
        ground: what they are verified against.
        gates: the chains' files.
        instead: the bytes of files that an interrupted append would have written.
        log: what it takes to find these files in the log; None if the log is broken.
    """

    ground: Ground
    gates: tuple[tuple[GateId, Listing], ...]
    instead: Mapping[str, bytes]
    log: Log | None


@frozen
class Done:
    """What came of a part."""

    scans: tuple[Scan, ...]
    reasons: tuple[Reason, ...]
    decisions: tuple[int, int]


Work: TypeAlias = "Callable[[Iterable[Part], Mapping[str, bytes]], Iterator[Done]]"
"""Verifies parts, given the published contract versions; what comes of them is in their order."""


@contextmanager
def workers(jobs: int) -> Iterator[Work]:
    """Processes that verify parts; with one job, none but this.

    They begin at once, so that they are there when there are parts, and they verify while
    the caller does something else.
    """
    if jobs == 1:
        yield lambda parts, contracts: (verified(part, contracts) for part in parts)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        for _ in range(jobs):
            pool.submit(_begin)
        yield lambda parts, _: pool.map(_verified_apart, parts)
    finally:
        pool.shutdown(cancel_futures=True)


def parts_of(
    gates: Mapping[GateId, Listing],
    instead: Mapping[str, bytes],
    log: Log | None,
    ground: Ground,
    jobs: int,
) -> Iterator[Part]:
    """The gates in their order, in parts of about as many records each."""
    count = max(jobs * _PARTS if jobs > 1 else 1, -(-ground.records // _MOST))
    share, before = ground.records / count, 0
    parts: list[list[tuple[GateId, Listing]]] = [[] for _ in range(count)]
    for item in gates.items():
        parts[min(count - 1, int(before / share))].append(item)
        before += len(item[1])
    for part in filter(None, parts):
        folders = {listing.folder for _, listing in part}
        own = {path: data for path, data in instead.items() if path.rpartition("/")[0] in folders}
        yield Part(ground, tuple(part), own, log and log.within(folders))


def verified(part: Part, contracts: Mapping[str, bytes]) -> Done:
    """Verifies some chains, against published contract versions."""
    ground = part.ground
    setting = Setting(parse_history(ground.roots), contracts, ground.now, part.log)
    records = RecordFiles(ground.root, [listing for _, listing in part.gates], part.instead)
    evidence = EvidenceAudit(ground.root, contracts) if ground.evidence else None
    scan = partial(
        scan_chain,
        read=records.read,
        setting=setting,
        glance=Glance(setting, verifying_for(ground.records)),
        visit=evidence.visit if evidence else None,
    )
    scans = tuple(scan(gate, listing) for gate, listing in part.gates)
    if evidence is None:
        return Done(scans, (), (0, 0))
    return Done(scans, tuple(evidence.reasons), (evidence.decisions, evidence.sound))


def _begin() -> None:
    """What a process does first: what is loaded by then is never garbage."""
    gc.freeze()


def _verified_apart(part: Part) -> Done:
    """Verifies some chains in a process of its own, which knows nothing but the part."""
    return verified(part, _published(part.ground.root))


@cache
def _published(root: Path) -> dict[str, bytes]:
    """The published contract versions, read once in a process."""
    return published_files(root)
