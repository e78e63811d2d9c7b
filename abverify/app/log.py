"""The trail in order, and one record whole: read from verified records only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify.app.docket import open_repository, require_sound
from abverify.app.locate import find_record
from abverify.app.reasons import ledger_reason
from abverify.model.log_report import LogReport, RecordLine, RecordReport
from abverify.records.bodies import (
    Amendment,
    Decision,
    Discharge,
    Lift,
    Retraction,
    Suspension,
)
from abverify.records.lifecycle import unlifted
from abverify.records.lineage import voided

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.model.log_report import Standing
    from abverify.records.bodies import Body
    from abverify.records.record import Record


def log(root: Path, name: str | None) -> LogReport:
    """The records of a gate, or of every gate, in the order they were issued.

    Raises:
        UsageError: AV110 or AV111 for the name.
    """
    repository = open_repository(root)
    gate = repository.registry.find(name).contract.gate if name else None
    records = repository.ledger.chain(gate) if gate else repository.ledger.records
    ordered = sorted(records, key=lambda r: (r.issued_at, str(r.gate), r.seq))
    folder = f"gates/{gate}/" if gate else "gates/"
    return LogReport(
        gate=str(gate) if gate else None,
        lines=record_lines(repository, ordered),
        reasons=tuple(map(ledger_reason, repository.ledger.faults)),
        total=sum(path.startswith(folder) for path in repository.ledger.files),
    )


def show_record(root: Path, name: str) -> RecordReport:
    """One record whole, with what cites it.

    Raises:
        UsageError: AV480 if no one record is called that.
        UntrustedError: AV400 when the ledger has faults.
    """
    repository = open_repository(root)
    require_sound(repository)
    record = find_record(repository, name)
    (line,) = record_lines(repository, [record])
    return RecordReport(
        line=line,
        issuers=record.issuers,
        statement=record.statement.to_json(),
        cited_by=tuple(
            other.path for other in repository.ledger.records if record.sha256 in cited_by(other)
        ),
    )


def cited_by(record: Record) -> frozenset[str]:
    """The digests of the records that a record names."""
    match record.body:
        case Lift(suspension=suspension, satisfied_by=discharges):
            return frozenset([suspension.sha256, *(item.sha256 for item in discharges)])
        case Retraction(target=target):
            return frozenset([target.sha256])
        case _:
            prior = record.statement.common.gate.prior
            return frozenset([prior.sha256] if prior else [])


def record_lines(repository: Repository, records: Collection[Record]) -> tuple[RecordLine, ...]:
    """Some verified records as lines, in the order given."""
    void = voided(repository.ledger.chains.values())
    held = {record.sha256 for record in unlifted(repository.ledger)}
    return tuple(_line(repository, record, void, held) for record in records)


def _line(
    repository: Repository, record: Record, void: frozenset[str], held: set[str]
) -> RecordLine:
    common = record.statement.common
    return RecordLine(
        path=record.path,
        gate=str(record.gate),
        seq=record.seq,
        kind=record.kind,
        issued_at=common.issued_at,
        actor=common.actor.id,
        version=common.gate.contract_version,
        sha256=record.sha256,
        standing=_standing(repository, record, void, held),
        summary=_summary(record.body),
        reason=common.reason,
        milestone=common.milestone,
    )


def _standing(
    repository: Repository, record: Record, void: frozenset[str], held: set[str]
) -> Standing:
    if record.sha256 in void:
        return "void"
    body = record.body
    if isinstance(body, Suspension):
        return "stands" if record.sha256 in held else "past"
    if isinstance(body, Decision | Amendment) and _is_superseded(repository, record):
        return "past"
    if isinstance(body, Discharge) and repository.now >= parse_timestamp(body.valid_until):
        return "past"
    return "stands"


def _is_superseded(repository: Repository, record: Record) -> bool:
    """Whether a later amendment, or for a decision a later decision, came after it."""
    kinds = (Amendment, Decision) if isinstance(record.body, Decision) else (Amendment,)
    later = repository.ledger.chain(record.gate)[record.seq :]
    return any(isinstance(other.body, kinds) for other in later)


def _summary(body: Body) -> str:
    match body:
        case Suspension():
            held = [*([f"scope {body.scope}"] if body.scope else []), *body.gates]
            return f"{body.suspension_id} holds {', '.join(held)}"
        case Lift():
            gates = ", ".join(item.gate for item in body.satisfied_by)
            return f"{body.suspension.id} lifted by the discharge of {gates}"
        case Amendment():
            old = body.supersedes
            return f"supersedes {old.gate} {old.version}" if old else "introduces the gate"
        case Retraction():
            return f"takes back {body.target.sha256[:16]} ({body.cause})"
        case _:
            seen = ", ".join(f"{c.metric} {c.observed} of {c.denominator}" for c in body.criteria)
            return f"{body.verdict}: {seen}"
