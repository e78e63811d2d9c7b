"""From records to the state of every gate and scope: these rules, and code that is only them.

1.  Nothing but the ledger holds a state. A state is computed from verified
    records, at a moment; `Ledger.as_of` and `Ledger.up_to` give earlier ledgers.
2.  A gate without an introduction is `unknown`.
3.  The contract version in force is that of the gate's newest amendment.
4.  A gate is `retracted` when that amendment was retracted, or when the newest
    decision on the version in force is a discharge that was retracted.
5.  A gate is `suspended` while an unlifted suspension names it.
6.  A gate is `discharged` by its newest decision, when that is a discharge of
    the version in force, is not void, and `valid_until` has not come. Versions
    between which only words changed (C0, C1) count as one.
7.  A gate is `lapsed` when it was discharged, and its contract was amended in
    its meaning since, or the validity is over.
8.  A gate is `proposed` otherwise: introduced, and nothing speaks for it. A
    non-discharge ends every discharge before it, and its own retraction does
    not bring them back.
9.  The stricter state wins: retracted, suspended, lapsed, proposed, discharged.
10. Retraction makes its target void, and all that rests on it: a decision
    rests on the amendment that put its version in force, a lift on every
    discharge it cites.
11. A suspension is lifted by a lift that is not void and leaves no condition
    uncovered. Once lifted it stays lifted when a discharge merely lapses.
12. A condition is covered by a discharge of its contract version, or of a
    version that succeeds it through signed amendments that are not void.
13. A scope is `suspended` while an unlifted suspension names it, else `open`.
14. With any fault in the ledger no gate is discharged and no scope is open:
    what reads `discharged` or `proposed` is `unknown`, and scopes are `suspended`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from abverify._clock import parse_timestamp
from abverify._frozen import frozen
from abverify.records.bodies import Decision, Discharge, Lift, Suspension
from abverify.records.carrying import decisive_amendment
from abverify.records.law import in_force_amendment
from abverify.records.lineage import live_discharge, uncovered, voided

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from abverify.model.ids import GateId
    from abverify.records.ledger import Ledger
    from abverify.records.record import Record

GateStateName: TypeAlias = Literal[
    "unknown", "proposed", "discharged", "lapsed", "suspended", "retracted"
]
ScopeStateName: TypeAlias = Literal["open", "suspended"]
_Standing: TypeAlias = "tuple[GateStateName, str, Record | None]"
"""A state, why, and the record it rests on."""


@frozen
class GateState:
    """Where a gate stands.

    Attributes:
        gate: the gate.
        state: the state, by the rules above.
        why: what it rests on, in a few words.
        version: the contract version in force; None before the introduction.
        contract_sha256: digest of that version's bytes.
        published_seq: the place in the chain where that version came into force.
        record: the record that the state rests on, if there is one.
        valid_until: until when a discharge counts.
    """

    gate: GateId
    state: GateStateName
    why: str
    version: str | None = None
    contract_sha256: str | None = None
    published_seq: int | None = None
    record: Record | None = None
    valid_until: datetime | None = None


@frozen
class ScopeState:
    """Where a scope stands, and the unlifted suspensions that hold it shut."""

    scope: str
    state: ScopeStateName
    held_by: tuple[Record, ...]

    @property
    def suspension_ids(self) -> tuple[str, ...]:
        """The names of those suspensions, such as `M280`."""
        return tuple(suspension_id(record) for record in self.held_by)


def suspension_id(record: Record) -> str:
    """The name that a suspension gives itself."""
    return record.body.suspension_id if isinstance(record.body, Suspension) else ""


def gate_state(ledger: Ledger, gate: GateId, now: datetime) -> GateState:
    """The state of a gate at a moment (rules 2 to 9 and 14)."""
    chain = ledger.chain(gate)
    amendment = in_force_amendment(chain)
    if amendment is None:
        return GateState(gate, "unknown", _unknown_why(ledger))
    state, why, record = _standing(ledger, gate, amendment, now)
    if ledger.faults and state in ("discharged", "proposed"):
        state, why, record = "unknown", f"the ledger has {len(ledger.faults)} faults", None
    body = record.body if record is not None else None
    until = parse_timestamp(body.valid_until) if isinstance(body, Discharge) else None
    return GateState(
        gate,
        state,
        why,
        amendment.statement.common.gate.contract_version,
        amendment.contract_sha256,
        amendment.seq,
        record,
        until,
    )


def _unknown_why(ledger: Ledger) -> str:
    return f"the ledger has {len(ledger.faults)} faults" if ledger.faults else "never introduced"


def _standing(ledger: Ledger, gate: GateId, amendment: Record, now: datetime) -> _Standing:
    """The strictest state that applies (rule 9)."""
    void = voided(ledger.chains.values())
    decisions = [record for record in ledger.chain(gate) if isinstance(record.body, Decision)]
    newest = decisions[-1] if decisions else None
    decisive = decisive_amendment(ledger.chain(gate)) or amendment
    current = newest if newest is not None and newest.seq > decisive.seq else None
    retracted = amendment if amendment.sha256 in void else _void_discharge(current, void)
    if retracted is not None:
        return "retracted", f"{retracted.path} was retracted", retracted
    for suspension in unlifted(ledger):
        if isinstance(suspension.body, Suspension) and str(gate) in suspension.body.gates:
            return "suspended", f"suspended by {suspension_id(suspension)}", suspension
    live = live_discharge(ledger.chain(gate), void, now)
    if live is not None:
        return "discharged", f"discharged by {live.path}", live
    if newest is not None and newest.kind == "discharge" and newest.sha256 not in void:
        return "lapsed", _lapse_why(newest, amendment), newest
    if current is not None and current.sha256 not in void:
        return "proposed", f"not discharged: {current.path}", current
    return "proposed", "introduced, and not decided", None


def _void_discharge(decision: Record | None, void: frozenset[str]) -> Record | None:
    if decision is None or decision.kind != "discharge" or decision.sha256 not in void:
        return None
    return decision


def _lapse_why(discharge: Record, amendment: Record) -> str:
    if discharge.seq < amendment.seq:
        return f"the contract was amended after {discharge.path}"
    return f"the validity of {discharge.path} is over"


def unlifted(ledger: Ledger) -> tuple[Record, ...]:
    """The suspensions that still hold, in the order of their gates (rule 11)."""
    records, void = ledger.records, voided(ledger.chains.values())
    return tuple(
        record
        for record in records
        if isinstance(record.body, Suspension)
        and not any(_lifts(lift, record, ledger, void) for lift in records)
    )


def _lifts(lift: Record, suspension: Record, ledger: Ledger, void: frozenset[str]) -> bool:
    if not isinstance(lift.body, Lift) or lift.sha256 in void:
        return False
    if not isinstance(suspension.body, Suspension):
        return False
    if lift.body.suspension.sha256 != suspension.sha256:
        return False
    digests = {item.sha256 for item in lift.body.satisfied_by}
    cited = [record for record in ledger.records if record.sha256 in digests]
    return not uncovered(suspension.body, cited, ledger.records, void)


def scope_states(ledger: Ledger) -> tuple[ScopeState, ...]:
    """The state of every scope that a suspension ever named, sorted (rules 13 and 14)."""
    return tuple(scope_state(ledger, scope) for scope in sorted(set(_scopes(ledger))))


def _scopes(ledger: Ledger) -> Iterator[str]:
    for record in ledger.records:
        if isinstance(record.body, Suspension) and record.body.scope is not None:
            yield record.body.scope


def scope_state(ledger: Ledger, scope: str) -> ScopeState:
    """The state of one scope; one that nothing ever named is open in a sound ledger."""
    held_by = tuple(
        record
        for record in unlifted(ledger)
        if isinstance(record.body, Suspension) and record.body.scope == scope
    )
    return ScopeState(scope, "suspended" if held_by or ledger.faults else "open", held_by)
