"""References between records: what a record cites must be there, and be what it says it is.

A citation of a record that is itself faulty is a fault too: it shows how far the damage goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.records.bodies import Amendment, Discharge, Lift, Retraction, Suspension
from abverify.records.lineage import NOTHING, live_discharge, uncovered
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.ids import GateId
    from abverify.records.record import Record


def reference_faults(
    chains: Mapping[GateId, tuple[Record, ...]], positions: Mapping[str, int] | None
) -> tuple[Fault, ...]:
    """Everything that is wrong between records, over all chains.

    Args:
        chains: the verified records of each gate, in order.
        positions: the index of each record in the log, by path; None if the
            log is broken, and with it the order between gates.
    """
    index = {record.sha256: record for chain in chains.values() for record in chain}
    return tuple(
        fault
        for chain in chains.values()
        for record in chain
        for fault in _faults(record, index, chains, positions)
    )


def _faults(
    record: Record,
    index: Mapping[str, Record],
    chains: Mapping[GateId, tuple[Record, ...]],
    positions: Mapping[str, int] | None,
) -> Iterator[Fault]:
    match record.body:
        case Retraction():
            yield from _retraction(record, record.body, index)
        case Lift():
            yield from _lift(record, record.body, index, chains, positions)
        case Amendment():
            yield from _succession(record, record.body, index)
        case _:
            pass


def _retraction(record: Record, body: Retraction, index: Mapping[str, Record]) -> Iterator[Fault]:
    target = index.get(body.target.sha256)
    if target is None or target.sha256 == record.sha256:
        wanted, found = "a verified record of this ledger", body.target.sha256
        yield Fault(record.path, "AV420", "the record it retracts is not here", wanted, found)
    elif target.kind in ("suspension", "retraction"):
        yield Fault(
            record.path,
            "AV420",
            "a retraction may only shut: suspensions end by a lift, retractions never",
            "a discharge, non-discharge, lift or amendment",
            f"a {target.kind}, {target.path}",
        )


def _succession(record: Record, body: Amendment, index: Mapping[str, Record]) -> Iterator[Fault]:
    old = body.supersedes
    if old is None or old.gate == str(record.gate):
        return
    published = any(
        isinstance(other.body, Amendment)
        and (str(other.gate), other.contract_sha256) == (old.gate, old.sha256)
        and other.statement.common.gate.contract_version == old.version
        for other in index.values()
    )
    if not published:
        found = f"{old.gate} {old.version} {old.sha256}"
        yield _missing(record, "no verified record published the version it succeeds", found)


def _lift(
    record: Record,
    body: Lift,
    index: Mapping[str, Record],
    chains: Mapping[GateId, tuple[Record, ...]],
    positions: Mapping[str, int] | None,
) -> Iterator[Fault]:
    suspension = index.get(body.suspension.sha256)
    named = suspension.body if suspension else None
    if not isinstance(named, Suspension) or named.suspension_id != body.suspension.id:
        yield _missing(
            record, f"the suspension {body.suspension.id} is not here", body.suspension.sha256
        )
        return
    cited: list[Record] = []
    for item in body.satisfied_by:
        discharge = index.get(item.sha256)
        if discharge is None or str(discharge.gate) != item.gate:
            yield _missing(record, f"the discharge of {item.gate} is not here", item.sha256)
        elif not _was_live(record, discharge, chains[discharge.gate], positions):
            yield Fault(
                record.path,
                "AV417",
                f"the lift cites a record by which {item.gate} was not discharged",
                "a discharge that was live when the lift was issued",
                f"{discharge.path}, sha256 {item.sha256}",
            )
        else:
            cited.append(discharge)
    everything = tuple(index.values())
    for condition in uncovered(named, cited, everything, NOTHING):
        yield Fault(
            record.path,
            "AV417",
            f"the lift leaves a condition of {named.suspension_id} open",
            f"a live discharge of {condition.gate} at {condition.contract_sha256}, or a successor",
            ", ".join(discharge.path for discharge in cited) or "none",
        )


def _was_live(
    lift: Record, discharge: Record, chain: tuple[Record, ...], positions: Mapping[str, int] | None
) -> bool:
    """Whether the gate stood discharged by that record in the log that the lift's signers saw."""
    if not isinstance(discharge.body, Discharge) or discharge.issued_at > lift.issued_at:
        return False
    if positions is None:
        return True
    size = lift.statement.common.basis.size
    seen = tuple(
        record
        for record in chain
        if positions.get(record.path, size) < size
        or (record.gate == lift.gate and record.seq < lift.seq)
    )
    return live_discharge(seen, NOTHING, lift.issued_at) == discharge


def _missing(record: Record, message: str, found: str) -> Fault:
    return Fault(record.path, "AV418", message, "a verified record of this ledger", found)
