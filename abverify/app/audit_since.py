"""The audit of what is new since a kept checkpoint; what is older, that checkpoint vouches for.

The old log is not read: its frontier follows from a few tiles, and must have the kept root.
The new entries must lead from there to the root that is signed now. Then every new record
is verified in its chain, on top of the record and the amendment before it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from abverify._clock import now
from abverify._frozen import frozen
from abverify.app.kept_checkpoint import cut, forked, read_kept
from abverify.errors import UntrustedError
from abverify.model.ids import GateId
from abverify.model.report import FindingsReport
from abverify.records.chain import read_chain
from abverify.records.ledger import by_gate, read_trust
from abverify.records.log.checkpoint import open_checkpoint
from abverify.records.log.packed import Entries
from abverify.records.log.since import growth_since
from abverify.records.log.state import CHECKPOINT, Log, read_log
from abverify.records.log.tiles import frontier_at
from abverify.records.quick import Glance
from abverify.records.record import Fault
from abverify.records.references import reference_faults
from abverify.records.scan import cites_beyond
from abverify.records.setting import Setting
from abverify.records.tail import basis_faults, verify_tail
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import ledger_files, reading, root_files
from abverify.workspace.record_files import RecordFiles, gate_listing
from abverify.workspace.trust_pin import pinned_root

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from abverify.model.report import Reason
    from abverify.records.chain import Item
    from abverify.records.log.checkpoint import Checkpoint
    from abverify.records.log.entries import Entry
    from abverify.records.log.since import Growth
    from abverify.records.trust_history import TrustHistory


@frozen
class _Found:
    """What the audit of the new records gave.

    Attributes:
        faults: what is wrong.
        signed: the checkpoint in the repository; None if it could not be judged.
        old: how many records the kept checkpoint vouches for.
        new: how many came after it.
        checked: how many of those verify.
    """

    faults: tuple[Fault, ...]
    signed: Checkpoint | None = None
    old: int = 0
    new: int = 0
    checked: int = 0


def audit_since(root: Path, file: str, reason_of: Callable[[Fault], Reason]) -> FindingsReport:
    """Verifies what came after a kept checkpoint.

    Args:
        root: the repository.
        file: where the checkpoint is kept.
        reason_of: a fault as a report shows it.
    """
    try:
        found = _audited(root, file)
    except UntrustedError as error:
        found = _Found((Fault.of(error, str(error.place or CHECKPOINT)),))
    codes = {reason_of(fault).code for fault in found.faults}
    return FindingsReport(
        kind="audit",
        reasons=tuple(map(reason_of, found.faults)),
        checked=found.checked,
        total=max(1, found.new),
        facts=(
            ("since", f"{file}: size {found.old}"),
            ("checkpoint", str(found.signed) if found.signed else "not judged"),
            ("new", f"{found.checked}/{found.new} verify"),
            ("limits", f"the {found.old} records before it were not read: the kept one vouches"),
        ),
        failure_code=3 if codes == {"unverifiable-here"} else 4,
    )


def _audited(root: Path, file: str) -> _Found:
    trust, faults = read_trust(root_files(root), pinned_root())
    if trust is None:
        return _Found(faults)
    kept = read_kept(file, trust)
    if isinstance(kept, Fault):
        return _Found((kept,))
    with reading(root) as read:
        signed = open_checkpoint(read(CHECKPOINT), trust=trust, file=CHECKPOINT)
        if kept.size > signed.size:
            return _Found((cut(file, kept, signed),), signed, kept.size)
        growth = growth_since(kept, signed, read)
        if growth is None:
            return _Found((forked(file, kept),), signed, kept.size)
        new = _by_gate(growth.entries)
        files = RecordFiles(root, [gate_listing(root, gate) for gate in new], {})
        return _new_records(root, trust, signed, growth, files, read)


def _new_records(
    root: Path,
    trust: TrustHistory,
    signed: Checkpoint,
    growth: Growth,
    files: RecordFiles,
    read: Callable[[str], bytes],
) -> _Found:
    entries = Entries()
    entries.extend(growth.entries)
    positions = entries.places(growth.size)
    setting = Setting(trust, published_files(root), now(), Log(signed, positions=positions))
    glance = Glance(setting)
    there, faults = by_gate(files.listings)
    items: list[Item] = []
    for gate, new in _by_gate(growth.entries).items():
        found, wrong = verify_tail(new, there.get(gate, ()), files.read, setting, glance)
        items += found
        faults += wrong

    @cache
    def root_at(size: int) -> str | None:
        if size > growth.size:
            return growth.roots.get(size)
        return frontier_at(size, read).root.hex()

    faults += tuple(basis_faults(items, positions, root_at))
    if any(item.verified is not None and cites_beyond(item.record) for item in items):
        faults += _references(root, trust, setting, positions.keys())
    sound = len({item.path for item in items} - {fault.file for fault in faults})
    return _Found(tuple(dict.fromkeys(faults)), signed, growth.size, len(growth.entries), sound)


def _references(
    root: Path, trust: TrustHistory, setting: Setting, new: Collection[str]
) -> tuple[Fault, ...]:
    """What is wrong with what the new records cite; for that the whole ledger is read."""
    files = ledger_files(root)
    log, faults = read_log(files.log, trust)
    whole = Setting(trust, setting.contracts, setting.now, None if faults else log)
    grouped, _ = by_gate(files.records.listings)
    chains = {
        gate: read_chain(gate, {path: files.records.read(path) for path in paths}, whole).records
        for gate, paths in grouped.items()
    }
    found = (*faults, *reference_faults(chains, whole.positions))
    return tuple(fault for fault in found if fault.file in new or fault in faults)


def _by_gate(entries: tuple[Entry, ...]) -> dict[GateId, list[Entry]]:
    grouped: dict[GateId, list[Entry]] = {}
    for entry in entries:
        namespace, gate = entry.path.split("/")[1:3]
        grouped.setdefault(GateId(namespace, gate), []).append(entry)
    return grouped
