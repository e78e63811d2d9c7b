"""Discharging a gate: `check --record`, for the one verdict that opens something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.app.check import decision_on, report_on
from abverify.app.docket import open_repository
from abverify.app.propose import proposed_reasons
from abverify.app.record import record_decision
from abverify.model.report import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.signing import Signature
    from abverify.model.report import CheckReport


def discharge(root: Path, name: str, signature: Signature) -> CheckReport:
    """Decides a gate from stored evidence and signs its discharge, if it is met.

    Any other verdict is reported like `check` does, with its exit code; then
    nothing is signed.

    Raises:
        AbverifyError: AV110 or AV111 for the name, AV400 for a ledger that cannot be
            trusted, and whatever keeps a signature from being made.
    """
    repository = open_repository(root)
    loaded = repository.registry.find(name)
    decision = decision_on(repository, loaded)
    if decision.verdict != "met":
        report = report_on(repository, loaded, decision)
        return replace(report, reasons=(*report.reasons, _nothing_signed(report)))
    record = record_decision(repository, loaded, decision, signature)
    report = report_on(open_repository(root), loaded, decision, record=record)
    return replace(report, reasons=(*report.reasons, *proposed_reasons(record)))


def _nothing_signed(report: CheckReport) -> Reason:
    gate = report.gate.rsplit("/", 1)[-1]
    return Reason(
        "not-discharged",
        "AV482",
        "error",
        "nothing was signed: only a gate that is met is discharged",
        place=report.gate,
        expected="met",
        found=report.verdict,
        next=f"abverify check {gate} --record signs the non-discharge"
        if report.verdict == "not-met"
        else f"abverify check {gate} --run makes the evidence that is missing",
    )
