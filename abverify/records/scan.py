"""One gate's chain, verified and boiled down to what the whole ledger has to know of it.

Ledgers outgrow memory; chains are read one at a time, and of each only this is kept.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from abverify._frozen import frozen
from abverify.records.bodies import AllGates, Amendment, Lift, Retraction, Suspension
from abverify.records.chain import read_chain, walk_chain
from abverify.records.quick import reopened
from abverify.records.references import reference_faults
from abverify.records.seen_files import Digests, SeenFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from abverify.model.ids import GateId
    from abverify.records.bodies import Body
    from abverify.records.chain import Item
    from abverify.records.quick import Glance
    from abverify.records.record import Fault, Record
    from abverify.records.setting import Setting

Read: TypeAlias = "Callable[[str], bytes]"


@frozen
class Outline:
    """What the chains have to know of each other.

    Attributes:
        gate: the gate.
        digests: the digests of its files, in order.
        cited_gates: the other gates that its records cite.
        cited_digests: the records they cite that do not stand in this chain.
    """

    gate: GateId
    digests: Digests
    cited_gates: frozenset[str]
    cited_digests: frozenset[str]


@frozen
class Scan:
    """What is left of a chain once it is verified.

    Attributes:
        outline: what other chains have to know of it.
        seen: what the log has to know of its files.
        faults: what is wrong within the chain.
        subjects: the contract versions that its verified records are about.
    """

    outline: Outline
    seen: SeenFiles
    faults: tuple[Fault, ...]
    subjects: frozenset[str]


def scan_chain(
    gate: GateId,
    paths: Sequence[str],
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
    kept = _Kept(SeenFiles())
    faults: list[Fault] = []
    subjects: set[str] = set()
    for item in walk_chain(paths, read, setting, glance):
        faults += item.faults
        decides = item.kind in ("discharge", "non-discharge")
        if item.verified is not None:
            subjects.add(item.subject)
            if visit is not None and (decides or item.kind == "amendment"):
                visit(item.record)
        kept.take(item, decides=decides)
    outline, decisions = _outlined(gate, kept)
    if not outline.cited_gates | outline.cited_digests:
        chain = tuple(_relevant(kept, decisions, paths, read))
        faults += reference_faults({gate: chain}, setting.positions)
    return Scan(outline, kept.seen, tuple(faults), frozenset(subjects))


def cites_beyond(record: Record) -> bool:
    """Whether a record cites records other than the one before it, or versions of other gates."""
    return bool(_cited_digests(record) or _cited_gates(record, {}) - {str(record.gate)})


def references_between(
    outlines: Sequence[Outline],
    files: Mapping[GateId, Sequence[str]],
    read: Read,
    setting: Setting,
) -> tuple[Fault, ...]:
    """What is wrong with citations from one chain to another.

    Only the chains that cite and are cited are read again.

    Args:
        outlines: every chain.
        files: each gate's record files, in order.
        read: gives a file's bytes.
        setting: what to verify against.
    """
    citing = [each for each in outlines if each.cited_gates or each.cited_digests]
    digests = frozenset[str]().union(*(each.cited_digests for each in citing))
    gates = {str(each.gate) for each in citing}.union(*(each.cited_gates for each in citing))
    chains = {
        each.gate: read_chain(
            each.gate, {path: read(path) for path in files[each.gate]}, setting
        ).records
        for each in outlines
        if str(each.gate) in gates or (digests and not digests.isdisjoint(each.digests))
    }
    return reference_faults(chains, setting.positions)


@frozen
class _Kept:
    """What is kept of a chain while it is read.

    Attributes:
        seen: its files.
        records: its verified records that decide nothing, whole, by their place among the files.
        newest: the places of the decisions that were the newest when something was
            lifted or retracted.
        last: the place of the newest decision, if there is one.
    """

    seen: SeenFiles
    records: dict[int, Record] = field(default_factory=dict)
    newest: set[int] = field(default_factory=set)
    last: list[int] = field(default_factory=list)

    def take(self, item: Item, *, decides: bool) -> None:
        """Takes the next file."""
        place = len(self.seen)
        self.seen.append(item.seen)
        if decides:
            self.last[:] = [place]
        elif item.verified is not None:
            record = self.records[place] = item.record
            if isinstance(record.body, Lift | Retraction):
                self.newest.update(self.last)


def _outlined(gate: GateId, kept: _Kept) -> tuple[Outline, set[int]]:
    """A chain's outline, and the places of the decisions that its citations depend on."""
    cited = {digest for record in kept.records.values() for digest in _cited_digests(record)}
    places = kept.seen.find(cited) if cited else {}
    own = {sha256: kept.records[at] for sha256, at in places.items() if at in kept.records}
    gates = {name for record in kept.records.values() for name in _cited_gates(record, own)}
    beyond = frozenset(cited.difference(places))
    outline = Outline(gate, kept.seen.digests, frozenset(gates - {str(gate)}), beyond)
    return outline, kept.newest.union(places.values())


def _relevant(
    kept: _Kept, decisions: Collection[int], paths: Sequence[str], read: Read
) -> Iterator[Record]:
    """What citations within a chain depend on: decisions only if cited, or newest at a lift."""
    for place, path in enumerate(paths):
        if place in kept.records:
            yield kept.records[place]
        elif place in decisions:
            yield reopened(path, read(path), kept.seen.digests.at(place))


def _cited_digests(record: Record) -> set[str]:
    match record.body:
        case Retraction(target=target):
            return {target.sha256}
        case Lift(suspension=suspension, satisfied_by=discharges):
            return {suspension.sha256, *(item.sha256 for item in discharges)}
        case _:
            return set()


def _cited_gates(record: Record, own: Mapping[str, Record]) -> set[str]:
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
