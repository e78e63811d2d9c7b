"""The state of every gate and scope, folded from the ledger at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import timestamp
from abverify.app.docket import open_repository, scope_line
from abverify.app.propose import waiting_reasons
from abverify.app.reasons import ledger_reason
from abverify.errors import UsageError
from abverify.model.status_report import GateLine, StatusReport
from abverify.records.law import in_force_amendment
from abverify.records.lifecycle import gate_state, scope_states

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.records.ledger import Ledger
    from abverify.workspace.contracts import LoadedContract


def status(root: Path, at: datetime | int | None = None) -> StatusReport:
    """Every gate with a contract, and every scope that a suspension ever named.

    Args:
        root: the repository.
        at: what to look back to: a moment, by the times that signers state; or a size of the
            log, which no signer can choose. By default now.

    Raises:
        NothingToCheckError: when there is no contract.
        InvalidError: for malformed contracts.
        UsageError: AV445 for a size that the log never had.
    """
    repository = open_repository(root)
    ledger, moment = _looked_back(repository, at)
    return StatusReport(
        gates=tuple(
            _line(ledger, loaded, moment, past=at is not None)
            for loaded in repository.registry.all()
        ),
        scopes=tuple(map(scope_line, scope_states(ledger))),
        reasons=(
            *map(ledger_reason, ledger.faults),
            *(() if at is not None else waiting_reasons(repository)),
        ),
        at=_told(at),
    )


def _looked_back(repository: Repository, at: datetime | int | None) -> tuple[Ledger, datetime]:
    """The ledger as it stood, and the moment at which to read it."""
    ledger = repository.ledger
    if at is None:
        return ledger, repository.now
    if not isinstance(at, int):
        return ledger.as_of(at), at
    size = ledger.log.size if ledger.log else 0
    if at > size:
        raise UsageError(
            "the log never held so many records",
            rule="AV445",
            place="--at",
            expected=f"0 to {size}",
            found=str(at),
            next_step="abverify log lists the records",
        )
    then = ledger.at_size(at)
    return then, max((record.issued_at for record in then.records), default=repository.now)


def _told(at: datetime | int | None) -> str | None:
    if isinstance(at, int):
        return f"{at} records"
    return timestamp(at) if at else None


def _line(ledger: Ledger, loaded: LoadedContract, moment: datetime, *, past: bool) -> GateLine:
    gate = loaded.contract.gate
    state = gate_state(ledger, gate, moment)
    record = in_force_amendment(ledger.chain(gate))
    edited = not past and record is not None and record.contract_sha256 != loaded.sha256
    why = state.why
    if state.record is not None:
        why = why.replace(state.record.path, f"record {state.record.seq} ({state.record.kind})")
    return GateLine(
        gate=str(gate),
        state=state.state,
        version=record.statement.common.gate.contract_version if record else None,
        model=_model(loaded),
        why=f"{why}; the working contract is edited" if edited else why,
        records=len(ledger.chain(gate)),
    )


def _model(loaded: LoadedContract) -> str:
    model = loaded.contract.model
    return f"{model.name} + {model.adapter.name}" if model.adapter else model.name
