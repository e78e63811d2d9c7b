"""What rests on what between records: succession of contracts, retraction, and lifts.

A contract version is named by its gate and its digest. One version succeeds
another when a signed amendment says that it supersedes it: a later version of
the same gate, or the introduction of a gate that takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify.records.bodies import (
    AllGates,
    Amendment,
    Decision,
    Discharge,
    Lift,
    Retraction,
    Suspension,
)
from abverify.records.carrying import decisive_amendment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from abverify.records.bodies import LiftCondition
    from abverify.records.record import Record

NOTHING: frozenset[str] = frozenset()


def voided(chains: Iterable[Sequence[Record]]) -> frozenset[str]:
    """The digests of the records that retraction has made void, itself or through what they cite.

    A decision rests on the amendment that put its contract version in force; a
    lift rests on every discharge it cites. Amendments and suspensions rest on
    nothing, so that retraction can only ever shut.
    """
    chains = tuple(chains)
    records = [record for chain in chains for record in chain]
    void = {r.body.target.sha256 for r in records if isinstance(r.body, Retraction)}
    for chain in chains:
        basis: Record | None = None
        for record in chain:
            if isinstance(record.body, Amendment):
                basis = record
            elif isinstance(record.body, Decision) and basis and basis.sha256 in void:
                void.add(record.sha256)
    for record in records:
        if isinstance(record.body, Lift):
            cited = {item.sha256 for item in record.body.satisfied_by}
            if cited & void:
                void.add(record.sha256)
    return frozenset(void)


def disowned_evidence(records: Collection[Record]) -> frozenset[str]:
    """The manifest digests of the bundles that a retracted decision rests on as invalid evidence.

    Only the cause `evidenceInvalid` says so: a decision taken back for another
    reason leaves its evidence as good as it was.
    """
    targets = {
        r.body.target.sha256
        for r in records
        if isinstance(r.body, Retraction) and r.body.cause == "evidenceInvalid"
    }
    return frozenset(
        bundle.manifest_sha256
        for record in records
        if record.sha256 in targets and isinstance(record.body, Decision)
        for bundle in record.body.evidence
    )


def successors(
    condition: LiftCondition, records: Collection[Record], void: AbstractSet[str]
) -> frozenset[str]:
    """The digests of the condition's contract version and of all that succeed it, transitively.

    Empty if the gate never published that version. An amendment that is void
    makes nothing succeed anything.
    """
    amendments = [(r, r.body) for r in records if isinstance(r.body, Amendment)]
    start = {
        r.contract_sha256
        for r, _ in amendments
        if (str(r.gate), r.contract_sha256) == (condition.gate, condition.contract_sha256)
    }
    reached: set[str] = set()
    while start - reached:
        reached |= start
        start = {
            r.contract_sha256
            for r, body in amendments
            if r.sha256 not in void and body.supersedes and body.supersedes.sha256 in reached
        }
    return frozenset(reached)


def uncovered(
    suspension: Suspension,
    discharges: Collection[Record],
    records: Collection[Record],
    void: AbstractSet[str],
) -> tuple[LiftCondition, ...]:
    """The conditions that the given discharges leave open; none means that it may be lifted."""
    when = suspension.lift_when
    conditions = when.all_of if isinstance(when, AllGates) else when.any_of
    shown = {record.contract_sha256 for record in discharges}
    open_ones = tuple(c for c in conditions if not shown & successors(c, records, void))
    if isinstance(when, AllGates) or len(open_ones) == len(conditions):
        return open_ones
    return ()


def live_discharge(chain: Sequence[Record], void: AbstractSet[str], at: datetime) -> Record | None:
    """The discharge by which a gate stands discharged at a moment, if it does.

    It is the newest decision on the contract version in force, or on one that means the
    same; it is not void (as it is when its version's amendment is); and its validity has
    not run out.
    """
    amendment = decisive_amendment(chain)
    decisions = [r for r in chain if isinstance(r.body, Decision)]
    if amendment is None or not decisions:
        return None
    newest = decisions[-1]
    if newest.seq < amendment.seq or newest.sha256 in void:
        return None
    if not isinstance(newest.body, Discharge) or at >= parse_timestamp(newest.body.valid_until):
        return None
    return newest


def seen_by(lift: Record, chain: Sequence[Record], cited: Record) -> tuple[Record, ...]:
    """The part of a chain that a lift could have seen.

    In its own chain that is what stands before it. Between chains there is
    only time until the log gives an order: what was issued before the lift, and
    the cited record with all before it.
    """
    if lift.gate == cited.gate:
        return tuple(record for record in chain if record.seq < lift.seq)
    return tuple(r for r in chain if r.seq <= cited.seq or r.issued_at < lift.issued_at)
