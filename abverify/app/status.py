"""The state of every gate and scope, folded from the ledger at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import timestamp
from abverify.app.docket import open_repository, scope_line
from abverify.app.propose import waiting_reasons
from abverify.app.reasons import ledger_reason
from abverify.model.status_report import GateLine, StatusReport
from abverify.records.law import in_force_amendment
from abverify.records.lifecycle import gate_state, scope_states

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from abverify.records.ledger import Ledger
    from abverify.workspace.contracts import LoadedContract


def status(root: Path, at: datetime | None = None) -> StatusReport:
    """Every gate with a contract, and every scope that a suspension ever named.

    Args:
        root: the repository.
        at: the moment to look back to, by the times that signers state; by default now.

    Raises:
        NothingToCheckError: when there is no contract.
        InvalidError: for malformed contracts.
    """
    repository = open_repository(root)
    moment = at or repository.now
    ledger = repository.ledger.as_of(moment) if at else repository.ledger
    return StatusReport(
        gates=tuple(
            _line(ledger, loaded, moment, past=at is not None)
            for loaded in repository.registry.all()
        ),
        scopes=tuple(map(scope_line, scope_states(ledger))),
        reasons=(
            *map(ledger_reason, ledger.faults),
            *(() if at else waiting_reasons(repository)),
        ),
        at=timestamp(at) if at else None,
    )


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
