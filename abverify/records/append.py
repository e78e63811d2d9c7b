"""The next record of a gate: built, signed, and verified like any other before it is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._clock import timestamp
from abverify._frozen import frozen
from abverify.errors import RefusedError, UntrustedError, raise_all
from abverify.records.bodies import AllGates, Lift, Suspension, kind_of
from abverify.records.chain import read_chain
from abverify.records.envelope import STATEMENT_TYPE, seal
from abverify.records.fields import Actor, Digest
from abverify.records.lifting import lift_refusal
from abverify.records.log.checkpoint import ROLE, integrators_among, may_integrate
from abverify.records.log.completeness import waiting_entries
from abverify.records.log.entries import Entry
from abverify.records.record import contract_path, record_path
from abverify.records.references import reference_faults
from abverify.records.setting import Setting
from abverify.records.statement import (
    Basis,
    Common,
    GatePosition,
    LedgerName,
    Statement,
    Subject,
    TrustRootName,
)
from abverify.records.trust import ROLE_OF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from abverify.model.ids import GateId
    from abverify.records.bodies import Body
    from abverify.records.keys import Signer
    from abverify.records.ledger import Ledger
    from abverify.records.log.state import Log
    from abverify.records.record import Fault
    from abverify.records.trust import TrustRoot
    from abverify.records.trust_history import TrustHistory


@frozen
class Appended:
    """A record ready to be written, and the log with it, if its signers are integrators.

    Attributes:
        path: the record's path, which must not exist yet.
        data: the record's bytes.
        log: the log's files that change, by path; empty if the record waits for an integrator.
    """

    path: str
    data: bytes
    log: Mapping[str, bytes]


@frozen
class ContractVersion:
    """The published contract version that a record is about: its version and its raw bytes."""

    version: str
    data: bytes


def append(
    ledger: Ledger,
    gate: GateId,
    body: Body,
    *,
    subject: ContractVersion,
    signers: Sequence[Signer],
    actor: str,
    reason: str,
    milestone: str | None = None,
    now: datetime,
) -> Appended:
    """Builds and signs the next record of a gate's chain.

    When enough of the signers are integrators, it enters the log in the same
    step, and so does every record that was waiting. Else it waits itself.

    Args:
        ledger: the ledger as read, without faults but for records that wait.
        gate: the gate in whose chain the record goes.
        body: what the record says; its kind follows from it, and so does the role.
        subject: the contract version it is about.
        signers: everybody who signs, at least the role's threshold of them.
        actor: the principal who issues it, one of the signers.
        reason: why, for a reader; one line.
        milestone: the milestone it belongs to.
        now: when it is issued.

    Returns:
        What to write.

    Raises:
        UntrustedError: AV425 if the ledger has faults, else the rule the record would break.
        RefusedError: AV426 for the name of a suspension that is in use, AV427 for
            a lift that is not due, AV428 for a lift condition nobody published.
        pydantic.ValidationError: if a text cannot stand in a record.
    """
    statement = drafted(
        ledger,
        gate,
        body,
        subject=subject,
        actor=actor,
        reason=reason,
        milestone=milestone,
        now=now,
    )
    data = seal(statement.to_bytes(), payload_type=STATEMENT_TYPE, signers=signers)
    return admitted(ledger, statement, data, subject=subject, signers=signers, now=now)


def drafted(
    ledger: Ledger,
    gate: GateId,
    body: Body,
    *,
    subject: ContractVersion,
    actor: str,
    reason: str,
    milestone: str | None = None,
    now: datetime,
) -> Statement:
    """What `append` would have signed: the gate's next record, in no envelope yet.

    Raises:
        AbverifyError: AV424 to AV428, as `append`.
        pydantic.ValidationError: if a text cannot stand in a record.
    """
    trust, log = _sound(ledger)
    refuse_untimely(ledger, body, now)
    common = Common(
        ledger=LedgerName(origin=trust.newest.document.origin),
        gate=_position(ledger, gate, subject),
        basis=Basis(size=log.size, root=log.checkpoint.root.hex()),
        trust_root=_name_of(trust.newest),
        actor=Actor(id=actor, role=ROLE_OF[kind_of(body)]),
        issued_at=timestamp(now),
        reason=reason,
        milestone=milestone,
    )
    return Statement(_subject(gate, subject), common, body)


def admitted(
    ledger: Ledger,
    statement: Statement,
    data: bytes,
    *,
    subject: ContractVersion,
    signers: Sequence[Signer],
    now: datetime,
) -> Appended:
    """A signed record as it will be written, once the ledger with it reads as any reader will.

    Args:
        ledger: the ledger as read.
        statement: what the envelope holds.
        data: the envelope.
        subject: the contract version it is about.
        signers: who may sign the log, if they are its integrators.
        now: the moment of reading.

    Raises:
        UntrustedError: the rule that the record would break.
    """
    trust, log = _sound(ledger)
    contracts = {**ledger.contracts, statement.subject.name: subject.data}
    path = verified_path(ledger, statement, data, Setting(trust, contracts, now, log))
    integrators = integrators_among(trust.newest, signers)
    if not may_integrate(trust.newest, integrators):
        return Appended(path, data, {})
    entries = (*waiting_entries(log, ledger.chains.values()), Entry(sha256_hex(data), path))
    return Appended(path, data, log.grown(entries, integrators))


def integrate(ledger: Ledger, signers: Sequence[Signer]) -> dict[str, bytes]:
    """Takes every waiting record into the log.

    Returns:
        The log's files that change, by path; empty if nothing waits.

    Raises:
        UntrustedError: AV425 if the ledger has other faults, AV458 if the
            signers are not the integrators that the trust root asks for.
    """
    trust, log = _sound(ledger)
    root = trust.newest
    integrators = integrators_among(root, signers)
    if not may_integrate(root, integrators):
        role = root.document.roles[ROLE]
        raise UntrustedError(
            "these keys may not sign a checkpoint",
            rule="AV458",
            place=root.path,
            expected=f"{role.threshold} of role {ROLE}: {', '.join(role.principals) or 'nobody'}",
            found=", ".join(sorted(root.principals_of([s.public_key for s in signers])))
            or "nobody",
            next_step="abverify trust show lists who may integrate",
        )
    entries = waiting_entries(log, ledger.chains.values())
    return log.grown(entries, integrators) if entries else {}


def _sound(ledger: Ledger) -> tuple[TrustHistory, Log]:
    if ledger.blocking:
        first = ledger.blocking[0]
        raise UntrustedError(
            f"the ledger has {len(ledger.blocking)} faults; nothing is added to it",
            rule="AV425",
            place=first.file,
            expected="a ledger without faults",
            found=f"{first.rule}: {first.message}",
            next_step="abverify audit",
        )
    if ledger.trust is None or ledger.log is None:
        raise UntrustedError(
            "there is no trust root, so nobody may sign",
            rule="AV424",
            place="gates/_trust",
            expected="1.root.dsse.json",
            found="none",
            next_step="abverify init",
        )
    return ledger.trust, ledger.log


def refuse_untimely(ledger: Ledger, body: Body, now: datetime) -> None:
    """Refuses a suspension that could not be lifted, and a lift that is not due.

    Raises:
        RefusedError: AV426, AV427 or AV428.
    """
    if isinstance(body, Suspension):
        _refuse_suspension(ledger, body)
    elif isinstance(body, Lift):
        refusal = lift_refusal(ledger, body.suspension.sha256, now)
        if refusal is not None:
            raise RefusedError(refusal.message, rule=refusal.rule, next_step="abverify status")


def _refuse_suspension(ledger: Ledger, body: Suspension) -> None:
    for record in ledger.records:
        if isinstance(record.body, Suspension) and record.body.suspension_id == body.suspension_id:
            raise RefusedError(
                f"there is a suspension called {body.suspension_id} already",
                rule="AV426",
                place=record.path,
                expected="a new name",
                found=body.suspension_id,
            )
    when = body.lift_when
    published = {(str(r.gate), r.contract_sha256) for r in ledger.records}
    for condition in when.all_of if isinstance(when, AllGates) else when.any_of:
        if (condition.gate, condition.contract_sha256) not in published:
            raise RefusedError(
                f"{body.suspension_id} could never be lifted: nobody published that contract",
                rule="AV428",
                expected="a contract version that an amendment published",
                found=f"{condition.gate} {condition.contract_sha256}",
                next_step=f"introduce {condition.gate} first, or name the digest in force",
            )


def _name_of(root: TrustRoot) -> TrustRootName:
    return TrustRootName(version=root.document.version, sha256=root.sha256)


def _position(ledger: Ledger, gate: GateId, subject: ContractVersion) -> GatePosition:
    chain = ledger.chain(gate)
    return GatePosition(
        id=str(gate),
        contract_version=subject.version,
        seq=len(chain) + 1,
        prior=Digest(sha256=chain[-1].sha256) if chain else None,
    )


def _subject(gate: GateId, subject: ContractVersion) -> Subject:
    digest = Digest(sha256=sha256_hex(subject.data))
    return Subject(name=contract_path(gate, subject.version), digest=digest)


def verified_path(ledger: Ledger, statement: Statement, data: bytes, setting: Setting) -> str:
    """The new record's path, once the chain with the record in it reads as any reader will.

    Raises:
        UntrustedError: the rule that the record would break.
    """
    gate = statement.gate
    path = record_path(gate, statement.common.gate.seq, statement.kind)
    files = {record.path: ledger.files[record.path] for record in ledger.chain(gate)}
    chain = read_chain(gate, {**files, path: data}, setting)
    positions = ledger.log.positions if ledger.log else {}
    faults = chain.faults or reference_faults({**ledger.chains, gate: chain.records}, positions)
    raise_all([_error(fault) for fault in faults])
    return path


def _error(fault: Fault) -> UntrustedError:
    return UntrustedError(
        fault.message,
        rule=fault.rule,
        place=fault.file,
        expected=fault.expected,
        found=fault.found,
        next_step=_WAYS_ON.get(fault.rule, f"nothing was written; abverify explain {fault.rule}"),
    )


_WAYS_ON = {"AV413": "nothing was written; abverify trust rotate renews an expired trust root"}
"""What to do about a record that no reader would take, where a command does it."""
