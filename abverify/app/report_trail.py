"""The trail for a page: which records a subject rests on, and the states they made in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.log import record_lines
from abverify.model.page_trail import Lane, TrailPage
from abverify.records.bodies import Lift, Retraction, Suspension
from abverify.records.lifecycle import gate_state, scope_states

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from abverify.app.docket import Repository
    from abverify.model.ids import GateId
    from abverify.records.ledger import Ledger
    from abverify.records.record import Record

COLUMNS = 200
"""How many of the newest records the picture has columns for."""


def trail(repository: Repository, gates: Collection[GateId] | None) -> TrailPage:
    """The records of some gates and what they are tied to; of all gates where None are named."""
    records = repository.ledger.records
    if gates is not None:
        records = _tied(records, {r.sha256 for r in records if _speaks_of(r, gates)})
    ordered = _in_order(records)
    first = max(0, len(ordered) - COLUMNS)
    places = {record.sha256: place for place, record in enumerate(ordered)}
    return TrailPage(
        lines=record_lines(repository, ordered),
        lanes=_lanes(repository, ordered, first),
        first=first,
        links=tuple(
            (cited, place)
            for place, record in enumerate(ordered)
            for cited in sorted(places[sha256] for sha256 in _cited(record) & places.keys())
        ),
    )


def _speaks_of(record: Record, gates: Collection[GateId]) -> bool:
    """Whether a record stands in a chain of the gates, or holds one of them from elsewhere."""
    held = record.body.gates if isinstance(record.body, Suspension) else ()
    return record.gate in gates or any(str(gate) in held for gate in gates)


def _cited(record: Record) -> set[str]:
    """The digests of the records that a record names, its own chain's order apart."""
    match record.body:
        case Lift(suspension=suspension, satisfied_by=discharges):
            return {suspension.sha256, *(item.sha256 for item in discharges)}
        case Retraction(target=target):
            return {target.sha256}
        case _:
            return set()


def _tied(records: Sequence[Record], wanted: set[str]) -> tuple[Record, ...]:
    """The chains of the wanted records, and of those that cite them or are cited, however far."""
    found = set(wanted)
    while True:
        more = {record.sha256 for record in records if _cited(record) & found}
        more |= {cited for r in records if r.sha256 in found for cited in _cited(r)}
        if more <= found:
            gates = {record.gate for record in records if record.sha256 in found}
            return tuple(record for record in records if record.gate in gates)
        found |= more


def _lanes(repository: Repository, ordered: Sequence[Record], first: int) -> tuple[Lane, ...]:
    """Every gate and scope that the records speak of, after each of the newest records."""
    gates = sorted({record.gate for record in ordered[first:]})
    named = {r.body.scope for r in ordered if isinstance(r.body, Suspension) and r.body.scope}
    whole = repository.ledger
    heads: dict[GateId, int] = {}
    states: dict[GateId, list[str]] = {gate: [] for gate in gates}
    scopes: dict[str, list[str]] = {scope: [] for scope in sorted(named)}
    drawn = {record.sha256 for record in ordered[first:]}
    for record in _in_order(whole.records):
        heads[record.gate] = record.seq
        if record.sha256 in drawn:
            then = whole.up_to(heads)
            reaches = isinstance(record.body, Suspension | Lift | Retraction)
            _note_gates(states, then, record, reaches=reaches)
            _note_scopes(scopes, then, reaches=reaches)
    for gate in gates:
        states[gate].append(gate_state(whole, gate, repository.now).state)
    _note_scopes(scopes, whole, reaches=True)
    return (
        *(Lane("scope", scope, tuple(found)) for scope, found in scopes.items()),
        *(Lane("gate", str(gate), tuple(found)) for gate, found in states.items()),
    )


def _in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.issued_at, str(record.gate), record.seq))


def _note_gates(
    states: dict[GateId, list[str]], then: Ledger, record: Record, *, reaches: bool
) -> None:
    """The gates after a record: most kinds reach their own only, and time what is discharged."""
    for gate, found in states.items():
        if found and not reaches and gate != record.gate and found[-1] != "discharged":
            found.append(found[-1])
        else:
            found.append(gate_state(then, gate, record.issued_at).state)


def _note_scopes(scopes: dict[str, list[str]], then: Ledger, *, reaches: bool) -> None:
    """The scopes after a record: decisions and amendments alone move none."""
    if not reaches and all(scopes.values()):
        for found in scopes.values():
            found.append(found[-1])
        return
    now = {item.scope: item.state for item in scope_states(then)}
    for scope, found in scopes.items():
        found.append(now.get(scope, "none"))
