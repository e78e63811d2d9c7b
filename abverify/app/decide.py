"""`check` with its two switches: make the evidence that is missing, sign what was decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.check import decision_on, report_on
from abverify.app.docket import open_repository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.bench.plan import Watcher
    from abverify.model.report import CheckReport
    from abverify.verify.verdict import Decision
    from abverify.workspace.contracts import LoadedContract

_AGAIN = frozenset(["compliance-missing", "post-hoc", "stale", "tainted"])
"""Reasons that only another run with the same lock can mend."""


@frozen
class DecideRequest:
    """What was asked.

    Attributes:
        gates: the gates, qualified or short.
        run: whether to make missing evidence first.
        record: whether to sign the decision.
        unsafe: whether to run without a sandbox when none can be had.
        paranoid: whether a run hashes weights even where their digest is remembered.
        signature: who signs, if anything is signed.
    """

    gates: Sequence[str]
    run: bool
    record: bool
    unsafe: bool
    signature: Signature
    paranoid: bool = False


def decide_gates(root: Path, request: DecideRequest, watcher: Watcher) -> tuple[CheckReport, ...]:
    """Decides every gate asked for.

    Raises:
        AbverifyError: for an unknown gate, an untrustworthy ledger, or whatever
            keeps a run or a signature from being made.
    """
    repository = open_repository(root)
    names = [str(repository.registry.find(name).contract.gate) for name in request.gates]
    reports: list[CheckReport] = []
    for name in dict.fromkeys(names):
        if reports and (request.run or request.record):
            # What was done for one gate may bear on the next; reading alone changes nothing.
            repository = open_repository(root)
        reports.append(_decide(repository, name, request, watcher))
    return tuple(reports)


def _decide(
    repository: Repository, name: str, request: DecideRequest, watcher: Watcher
) -> CheckReport:
    root, loaded = repository.root, repository.registry.find(name)
    decision = decision_on(repository, loaded)
    if request.run and decision.verdict == "cannot-evaluate":
        _make_evidence(root, name, repository, loaded, decision, request, watcher)
        repository = open_repository(root)
        loaded = repository.registry.find(name)
        decision = decision_on(repository, loaded)
    if not request.record or decision.verdict == "cannot-evaluate":
        return report_on(repository, loaded, decision)
    return _recorded(repository, loaded, decision, request.signature)


def _recorded(
    repository: Repository, loaded: LoadedContract, decision: Decision, signature: Signature
) -> CheckReport:
    """Signs the decision, and reports it as the ledger then stands."""
    # Not above: a check that signs nothing is not to pay for what signing needs.
    from abverify.app.propose import proposed_reasons
    from abverify.app.record import record_decision

    record = record_decision(repository, loaded, decision, signature)
    report = report_on(open_repository(repository.root), loaded, decision, record=record)
    return replace(report, reasons=(*report.reasons, *proposed_reasons(record)))


def _make_evidence(
    root: Path,
    name: str,
    repository: Repository,
    loaded: LoadedContract,
    decision: Decision,
    request: DecideRequest,
    watcher: Watcher,
) -> None:
    """Calibrates, then runs the bench; what is there already and counts is not made again."""
    if repository.publication(loaded) is None:
        return
    from abverify.app.calibrating import calibrate_if_needed, lacks_only_calibration
    from abverify.app.measurement import open_gate
    from abverify.app.run import RunRequest, run_open_gate

    codes = {
        reason.code
        for item in decision.considered
        if item.bundle.manifest.stage == "bench"
        for reason in item.reasons
        if reason.severity == "error"
    }
    again = bool(codes & _AGAIN)
    bench = RunRequest(name, "bench", unsafe=request.unsafe, again=again, paranoid=request.paranoid)
    gate = open_gate(root, name)
    meter = calibrate_if_needed(repository, gate, bench, watcher)
    if not lacks_only_calibration(decision.considered, meter):
        run_open_gate(root, gate, bench, watcher)
