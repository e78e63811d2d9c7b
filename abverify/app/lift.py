"""Lifting a suspension whose conditions live discharges cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.append import sign_and_append
from abverify.app.docket import open_repository, require_sound
from abverify.app.propose import proposed_reasons
from abverify.errors import RefusedError
from abverify.model.report import FindingsReport
from abverify.records.bodies import Suspension
from abverify.records.lifting import Refusal, find_suspension, lift_body, lift_refusal

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.records.bodies import Lift
    from abverify.records.record import Record


def lift(root: Path, name: str, signature: Signature) -> FindingsReport:
    """Signs the end of a suspension, citing the discharges that cover it.

    Args:
        root: the repository.
        name: the suspension's id, or the digest of its record.
        signature: who signs, and why.

    Raises:
        UntrustedError: AV400 when the ledger has faults.
        RefusedError: AV426 if nothing unlifted is called that, AV427 while a condition is open.
    """
    repository = open_repository(root)
    require_sound(repository)
    suspension = _due(repository, name)
    body = lift_body(repository.ledger, suspension, repository.now)
    gate = suspension.gate
    current = repository.in_force(gate)
    version = current.statement.common.gate.contract_version if current else ""
    path = sign_and_append(repository, gate, body, signature, version=version)
    return FindingsReport(
        kind="lift",
        reasons=proposed_reasons(path),
        checked=1,
        total=1,
        success="done",
        facts=(
            ("suspension", f"{body.suspension.id}  sha256 {body.suspension.sha256[:16]}"),
            ("opens", _held(suspension)),
            *_cited(repository, body),
            ("record", path),
        ),
    )


def _due(repository: Repository, name: str) -> Record:
    """The suspension of that name, once every condition is covered."""
    suspension = find_suspension(repository.ledger, name)
    refusal = (
        suspension
        if isinstance(suspension, Refusal)
        else lift_refusal(repository.ledger, name, repository.now)
    )
    if isinstance(suspension, Refusal) or refusal is not None:
        raise _refused(name, refusal)
    return suspension


def _refused(name: str, refusal: Refusal | None) -> RefusedError:
    missing = refusal.missing if refusal else ()
    gates = [condition.gate.rsplit("/", 1)[-1] for condition in missing]
    return RefusedError(
        refusal.message if refusal else "nothing is lifted",
        rule=refusal.rule if refusal else "AV427",
        place=name,
        expected=" or ".join(
            f"a live discharge of {c.gate} at contract {c.contract_sha256[:16]}, or a successor"
            for c in missing
        )
        or None,
        next_step=f"abverify check {' '.join(gates)}" if gates else "abverify status",
    )


def _held(suspension: Record) -> str:
    body = suspension.body
    if not isinstance(body, Suspension):
        return ""
    return ", ".join([*([f"scope {body.scope}"] if body.scope else []), *body.gates])


def _cited(repository: Repository, body: Lift) -> tuple[tuple[str, str], ...]:
    found = ((item.gate, repository.ledger.find(item.sha256)) for item in body.satisfied_by)
    return tuple(("cites", f"{record.path}  ({gate})") for gate, record in found if record)
