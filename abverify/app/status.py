"""The state of every gate and scope, folded from the ledger at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.docket import open_repository, scope_line
from abverify.app.reasons import ledger_reason
from abverify.model.status_report import GateLine, StatusReport

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.workspace.contracts import LoadedContract


def status(root: Path) -> StatusReport:
    """Every gate with a contract, and every scope that a suspension ever named.

    Raises:
        NothingToCheckError: when there is no contract.
        InvalidError: for malformed contracts.
    """
    repository = open_repository(root)
    return StatusReport(
        gates=tuple(_line(repository, loaded) for loaded in repository.registry.all()),
        scopes=tuple(map(scope_line, repository.scope_states)),
        reasons=tuple(map(ledger_reason, repository.ledger.faults)),
    )


def _line(repository: Repository, loaded: LoadedContract) -> GateLine:
    gate = loaded.contract.gate
    state = repository.gate_state(gate)
    record = repository.in_force(gate)
    edited = record is not None and record.contract_sha256 != loaded.sha256
    why = state.why
    if state.record is not None:
        why = why.replace(state.record.path, f"record {state.record.seq} ({state.record.kind})")
    return GateLine(
        gate=str(gate),
        state=state.state,
        version=record.statement.common.gate.contract_version if record else None,
        model=_model(loaded),
        why=f"{why}; the working contract is edited" if edited else why,
        records=len(repository.ledger.chain(gate)),
    )


def _model(loaded: LoadedContract) -> str:
    model = loaded.contract.model
    return f"{model.name} + {model.adapter.name}" if model.adapter else model.name
