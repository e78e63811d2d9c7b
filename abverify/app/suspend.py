"""Suspending a scope or gates, until a gate is discharged and somebody lifts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.append import sign_and_append
from abverify.app.docket import open_repository, require_sound
from abverify.app.propose import proposed_reasons
from abverify.app.wording import fault_text
from abverify.errors import InvalidError, RefusedError
from abverify.model.report import FindingsReport
from abverify.records.bodies import AllGates, AnyGate, LiftCondition, Suspension

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature


@frozen
class SuspendRequest:
    """What to suspend, and what would lift it.

    Attributes:
        suspension: the suspension's id, such as M280.
        scope: the scope to hold, or None.
        gates: gates to hold.
        conditions: gates whose live discharge covers it.
        all_of: whether every condition is needed, not any.
        signature: who signs, and why.
    """

    suspension: str
    scope: str | None
    gates: Sequence[str]
    conditions: Sequence[str]
    all_of: bool
    signature: Signature


def suspend(root: Path, request: SuspendRequest) -> FindingsReport:
    """Signs a suspension and appends it to the chain of the first condition's gate.

    Raises:
        RefusedError: AV441 for a condition that is not in the ledger, AV426 for an id in use.
        InvalidError: AV443 if a name cannot stand in a record.
    """
    repository = open_repository(root)
    require_sound(repository)
    conditions = tuple(_condition(repository, name) for name in request.conditions)
    held = tuple(str(repository.registry.find(name).contract.gate) for name in request.gates)
    try:
        when = AllGates(all_of=conditions) if request.all_of else AnyGate(any_of=conditions)
        body = Suspension(
            suspension_id=request.suspension, scope=request.scope, gates=held, lift_when=when
        )
    except ValueError as error:
        raise InvalidError(
            "a suspension cannot say this",
            rule="AV443",
            place=f"suspension {request.suspension!r}",
            expected="an id, and a --scope or a --gate",
            found=fault_text(error),
            next_step="abverify suspend --help shows an example",
        ) from None
    first = repository.registry.find(request.conditions[0]).contract.gate
    record = repository.in_force(first)
    version = record.statement.common.gate.contract_version if record else ""
    path = sign_and_append(repository, first, body, request.signature, version=version)
    return FindingsReport(
        kind="suspend",
        reasons=proposed_reasons(path),
        checked=1,
        total=1,
        success="done",
        facts=(
            ("suspension", request.suspension),
            ("holds", ", ".join([*([f"scope {request.scope}"] if request.scope else []), *held])),
            ("lifts when", _lifts_when(conditions, all_of=request.all_of)),
            ("record", path),
        ),
    )


def _lifts_when(conditions: Sequence[LiftCondition], *, all_of: bool) -> str:
    gates = (" and " if all_of else " or ").join(condition.gate for condition in conditions)
    return f"{gates} {'are' if all_of and len(conditions) > 1 else 'is'} discharged"


def _condition(repository: Repository, name: str) -> LiftCondition:
    gate = repository.registry.find(name).contract.gate
    record = repository.in_force(gate)
    if record is None:
        raise RefusedError(
            "a gate that was never introduced cannot lift anything",
            rule="AV441",
            place=str(gate),
            expected="a gate in the ledger",
            next_step=f"abverify amend {gate.name} --introduce --reason …",
        )
    return LiftCondition(gate=str(gate), contract_sha256=record.contract_sha256)
