"""One gate's chain, verified and boiled down to what the whole ledger has to know of it.

Ledgers outgrow memory; chains are read one at a time, and of each only this is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from abverify._frozen import frozen
from abverify.records.bodies import AllGates, Amendment, Lift, Retraction, Suspension
from abverify.records.chain import read_chain, walk_chain
from abverify.records.quick import reopened
from abverify.records.references import reference_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from abverify.model.ids import GateId
    from abverify.records.bodies import Body
    from abverify.records.log.completeness import Seen
    from abverify.records.quick import Glance
    from abverify.records.record import Fault, Record
    from abverify.records.setting import Setting

Read: TypeAlias = "Callable[[str], bytes]"


@frozen
class Scan:
    """What is left of a chain once it is verified.

    Attributes:
        gate: the gate.
        seen: every file, in order.
        faults: what is wrong within the chain.
        cited_gates: the other gates that its records cite.
        cited_digests: the records they cite that do not stand in this chain.
        subjects: the contract versions that its verified records are about.
    """

    gate: GateId
    seen: tuple[Seen, ...]
    faults: tuple[Fault, ...]
    cited_gates: frozenset[str]
    cited_digests: frozenset[str]
    subjects: frozenset[str]

    @property
    def checked(self) -> int:
        """How many records were verified without fault."""
        return sum(item.basis is not None for item in self.seen)


def scan_chain(
    gate: GateId,
    paths: Iterable[str],
    read: Read,
    setting: Setting,
    *,
    glance: Glance,
    visit: Callable[[Record], None] | None = None,
) -> Scan:
    """Verifies a gate's chain, and what its records cite of each other.

    Args:
        gate: the gate.
        paths: its record files, in the order of their names.
        read: gives a file's bytes.
        setting: what to verify against.
        glance: the quick reader of that setting.
        visit: is given every verified amendment and decision, whole.
    """
    kept: list[_Kept] = []
    seen: list[Seen] = []
    faults: list[Fault] = []
    subjects: set[str] = set()
    for item in walk_chain(paths, read, setting, glance):
        seen.append(item.seen)
        faults += item.faults
        if item.verified is not None:
            subjects.add(item.subject)
            decides = item.kind in ("discharge", "non-discharge")
            if visit is not None and (decides or item.kind == "amendment"):
                visit(item.record)
            kept.append(_Kept(item.path, item.sha256, None if decides else item.record))
    gates, digests = _citations(gate, kept)
    if not gates | digests:
        chain = tuple(_relevant(kept, read))
        faults += reference_faults({gate: chain}, setting.positions)
    return Scan(gate, tuple(seen), tuple(faults), gates, digests, frozenset(subjects))


def cites_beyond(record: Record) -> bool:
    """Whether a record cites records other than the one before it, or versions of other gates."""
    return bool(_cited_digests(record) or _cited_gates(record, {}) - {str(record.gate)})


def references_between(
    scans: Sequence[Scan], files: Mapping[str, Sequence[str]], read: Read, setting: Setting
) -> tuple[Fault, ...]:
    """What is wrong with citations from one chain to another.

    Only the chains that cite and are cited are read again.

    Args:
        scans: every chain.
        files: each gate's record files, by the gate's id.
        read: gives a file's bytes.
        setting: what to verify against.
    """
    citing = [scan for scan in scans if scan.cited_gates or scan.cited_digests]
    digests = frozenset[str]().union(*(scan.cited_digests for scan in citing))
    gates = {str(scan.gate) for scan in citing}.union(*(scan.cited_gates for scan in citing))
    gates |= {str(scan.gate) for scan in scans if any(s.sha256 in digests for s in scan.seen)}
    chains = {
        scan.gate: read_chain(
            scan.gate, {path: read(path) for path in files[str(scan.gate)]}, setting
        ).records
        for scan in scans
        if str(scan.gate) in gates
    }
    return reference_faults(chains, setting.positions)


class _Kept(NamedTuple):
    """A verified record while its chain is read: whole, unless it is a decision."""

    path: str
    sha256: str
    record: Record | None


def _relevant(chain: Sequence[_Kept], read: Read) -> Iterator[Record]:
    """What citations within a chain depend on: decisions only if cited, or newest at a lift."""
    wanted: set[str] = set()
    newest = ""
    for item in chain:
        if item.record is None:
            newest = item.sha256
        elif isinstance(item.record.body, Lift | Retraction):
            wanted |= {newest, *_cited_digests(item.record)}
    for item in chain:
        if item.record is not None:
            yield item.record
        elif item.sha256 in wanted:
            yield reopened(item.path, read(item.path), item.sha256)


def _citations(gate: GateId, chain: Sequence[_Kept]) -> tuple[frozenset[str], frozenset[str]]:
    """The gates, and the digests of records, that a chain cites beyond itself."""
    own = {item.sha256: item.record for item in chain}
    gates: set[str] = set()
    digests: set[str] = set()
    for record in filter(None, own.values()):
        gates |= _cited_gates(record, own)
        digests |= _cited_digests(record)
    return frozenset(gates - {str(gate)}), frozenset(digests - own.keys())


def _cited_digests(record: Record) -> set[str]:
    match record.body:
        case Retraction(target=target):
            return {target.sha256}
        case Lift(suspension=suspension, satisfied_by=discharges):
            return {suspension.sha256, *(item.sha256 for item in discharges)}
        case _:
            return set()


def _cited_gates(record: Record, own: Mapping[str, Record | None]) -> set[str]:
    match record.body:
        case Amendment(supersedes=old) if old is not None:
            return {old.gate}
        case Lift(suspension=suspension, satisfied_by=discharges):
            held = own.get(suspension.sha256)
            cited = {item.gate for item in discharges}
            return cited | (_condition_gates(held.body) if held is not None else set())
        case _:
            return set()


def _condition_gates(body: Body) -> set[str]:
    if not isinstance(body, Suspension):
        return set()
    when = body.lift_when
    return {c.gate for c in (when.all_of if isinstance(when, AllGates) else when.any_of)}
