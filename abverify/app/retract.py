"""Taking a record back, and with it everything that rests on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from abverify.app.append import sign_and_append
from abverify.app.docket import open_repository, require_sound
from abverify.app.locate import find_record
from abverify.app.propose import proposed_reasons
from abverify.errors import RefusedError
from abverify.model.report import FindingsReport
from abverify.records.bodies import Retraction
from abverify.records.fields import Digest
from abverify.records.lineage import voided

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.records.record import Record

Cause: TypeAlias = Literal["keyCompromise", "evidenceInvalid", "issuedInError", "superseded"]
CAUSES: Mapping[str, Cause] = {
    "key-compromise": "keyCompromise",
    "evidence-invalid": "evidenceInvalid",
    "issued-in-error": "issuedInError",
    "superseded": "superseded",
}
"""The causes as they are typed, and as a record writes them."""


def retract(root: Path, name: str, cause: Cause, signature: Signature) -> FindingsReport:
    """Signs a retraction in the chain of the record it takes back.

    Args:
        root: the repository.
        name: the record, as `find_record` takes it.
        cause: why it is void.
        signature: who signs, and the reason in words.

    Raises:
        UntrustedError: AV400 when the ledger has faults.
        UsageError: AV480 if no one record is called that.
        RefusedError: AV481 if it may not be retracted, or was already.
    """
    repository = open_repository(root)
    require_sound(repository)
    target = find_record(repository, name)
    before = voided(repository.ledger.chains.values())
    refuse_retraction(repository, target, before)
    current = repository.in_force(target.gate)
    version = current.statement.common.gate.contract_version if current else ""
    body = Retraction(target=Digest(sha256=target.sha256), cause=cause)
    path = sign_and_append(repository, target.gate, body, signature, version=version)
    after = open_repository(root)
    void = voided(after.ledger.chains.values()) - before
    return FindingsReport(
        kind="retract",
        reasons=proposed_reasons(path),
        checked=1,
        total=1,
        success="done",
        facts=(
            *(("void now", r.path) for r in after.ledger.records if r.sha256 in void),
            (f"state of {target.gate.name}", after.gate_state(target.gate).state),
            *((f"scope {s.scope}", s.state) for s in after.scope_states),
            ("record", path),
        ),
    )


def refuse_retraction(repository: Repository, target: Record, void: frozenset[str]) -> None:
    """Refuses to retract what cannot be retracted, or was already.

    Raises:
        RefusedError: AV481.
    """
    if target.kind in ("suspension", "retraction"):
        raise RefusedError(
            f"a {target.kind} cannot be retracted: a retraction can only shut",
            rule="AV481",
            place=target.path,
            expected="a discharge, non-discharge, lift or amendment",
            found=f"a {target.kind}",
            next_step="abverify lift ID, once its conditions are covered"
            if target.kind == "suspension"
            else "abverify log",
        )
    if any(
        isinstance(r.body, Retraction) and r.body.target.sha256 == target.sha256
        for r in repository.ledger.records
    ):
        raise RefusedError(
            "the record was retracted already",
            rule="AV481",
            place=target.path,
            expected="a record that stands",
            found="void" if target.sha256 in void else "retracted",
            next_step=f"abverify log {target.gate.name}",
        )
