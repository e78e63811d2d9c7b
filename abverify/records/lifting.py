"""Whether a suspension may be lifted now, by which discharges, and if not, why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.records.bodies import AllGates, Lift, LiftedSuspension, Suspension
from abverify.records.fields import GateDigest
from abverify.records.lifecycle import suspension_id, unlifted
from abverify.records.lineage import live_discharge, successors, uncovered, voided

if TYPE_CHECKING:
    from datetime import datetime

    from abverify.records.bodies import LiftCondition
    from abverify.records.ledger import Ledger
    from abverify.records.record import Record


@frozen
class Refusal:
    """Why a suspension may not be lifted: a rule, a sentence, and the conditions still open."""

    rule: str
    message: str
    missing: tuple[LiftCondition, ...] = ()


def find_suspension(ledger: Ledger, name: str) -> Record | Refusal:
    """The one unlifted suspension of that name (its id, or the digest of its record)."""
    holding = unlifted(ledger)
    matches = [r for r in holding if name in (suspension_id(r), r.sha256)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        digests = ", ".join(record.sha256 for record in matches)
        return Refusal(
            "AV426", f"{len(matches)} suspensions are called {name}: name one of {digests}"
        )
    ids = ", ".join(suspension_id(record) for record in holding) or "none"
    return Refusal("AV426", f"no unlifted suspension is called {name}; there are: {ids}")


def covering(ledger: Ledger, suspension: Record, now: datetime) -> tuple[Record, ...]:
    """The live discharges that cover conditions of a suspension, each once, by gate."""
    if not isinstance(suspension.body, Suspension):
        return ()
    when = suspension.body.lift_when
    conditions = when.all_of if isinstance(when, AllGates) else when.any_of
    void, records = voided(ledger.chains.values()), ledger.records
    wanted = frozenset[str]().union(*(successors(c, records, void) for c in conditions))
    live = (live_discharge(ledger.chain(gate), void, now) for gate in ledger.gates)
    return tuple(record for record in live if record and record.contract_sha256 in wanted)


def lift_refusal(ledger: Ledger, name: str, now: datetime) -> Refusal | None:
    """Why the suspension of that name may not be lifted now; None when it may."""
    if ledger.faults:
        return Refusal("AV425", f"the ledger has {len(ledger.faults)} faults")
    suspension = find_suspension(ledger, name)
    if isinstance(suspension, Refusal):
        return suspension
    missing = missing_conditions(ledger, suspension, now)
    if not missing:
        return None
    names = ", ".join(condition.gate for condition in missing)
    how = "none of these gates is" if len(missing) > 1 else "this gate is not"
    return Refusal("AV427", f"{name} still holds: {how} discharged: {names}", missing)


def missing_conditions(
    ledger: Ledger, suspension: Record, now: datetime
) -> tuple[LiftCondition, ...]:
    """The conditions that no live discharge covers; none means that a lift is due."""
    if not isinstance(suspension.body, Suspension):
        return ()
    void = voided(ledger.chains.values())
    cover = covering(ledger, suspension, now)
    return uncovered(suspension.body, cover, ledger.records, void)


def lift_body(ledger: Ledger, suspension: Record, now: datetime) -> Lift:
    """The body of the lift that the live discharges allow.

    Raises:
        ValueError: if nothing covers the suspension; ask `lift_refusal` first.
    """
    cover = covering(ledger, suspension, now)
    return Lift(
        suspension=LiftedSuspension(id=suspension_id(suspension), sha256=suspension.sha256),
        satisfied_by=tuple(GateDigest(gate=str(r.gate), sha256=r.sha256) for r in cover),
    )
