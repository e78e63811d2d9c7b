"""`check`: is this gate open? Decided from stored evidence and the ledger; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.docket import open_repository, require_sound
from abverify.errors import InvalidError
from abverify.model.report import CheckReport, Reason
from abverify.verify.calibration import calibration_line
from abverify.verify.evaluate import unobserved_lines
from abverify.verify.stopping.saved import stop_line
from abverify.verify.verdict import Decision, decide, evidence_line, weights_reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.model.calibration_report import CalibrationLine
    from abverify.verify.eligibility import Eligibility
    from abverify.workspace.contracts import LoadedContract


_NOT_THE_LAW = frozenset(["AV313", "AV114"])
"""Rules that must be kept before any evidence can be made or counted."""


def check(root: Path, name: str) -> CheckReport:
    """Decides a gate.

    Raises:
        UsageError: AV110 or AV111 for the name.
        UntrustedError: AV400 when the ledger cannot be trusted.
        InvalidError: for malformed contracts.
    """
    repository = open_repository(root)
    loaded = repository.registry.find(name)
    return report_on(repository, loaded, decision_on(repository, loaded))


def decision_on(repository: Repository, loaded: LoadedContract) -> Decision:
    """The decision on a gate's working contract.

    Raises:
        UntrustedError: AV400 when the ledger has faults: then no question is answered.
    """
    require_sound(repository)
    gate = loaded.contract.gate
    decision = decide(repository.docket(loaded), repository.evidence.offered_to(gate))
    unlawful = _unlawful(repository, loaded)
    if not unlawful:
        return decision
    return Decision(
        verdict="cannot-evaluate",
        reasons=(*unlawful, *(r for r in decision.reasons if r.severity == "error")),
        criteria=unobserved_lines(loaded.contract.criteria),
        considered=decision.considered,
        deciding=None,
        attempts_total=decision.attempts_total,
    )


def _unlawful(repository: Repository, loaded: LoadedContract) -> tuple[Reason, ...]:
    """Why the files at hand are not the gate's law; empty when they are."""
    unpublished = _unpublished(repository, loaded)
    return (unpublished,) if unpublished else tuple(_drift(repository, loaded))


def _drift(repository: Repository, loaded: LoadedContract) -> Iterator[Reason]:
    """The inputs that are not the ones that were published with the contract."""
    pins = repository.pins_of(loaded)
    for path in loaded.contract.inputs():
        try:
            found = f"sha256 {repository.input_digest(path)}"
        except InvalidError as error:
            found = error.message
        if found != f"sha256 {pins.get(path)}":
            yield Reason(
                "pin-drift",
                "AV114",
                "error",
                f"{path} is not the input that was published with the contract",
                place=path,
                expected=f"sha256 {pins.get(path)}",
                found=found,
                next="restore it, or publish it with a higher contract version: "
                f"abverify amend {loaded.contract.gate.name} --reason …",
            )


def _unpublished(repository: Repository, loaded: LoadedContract) -> Reason | None:
    """Why the working contract is not the gate's law; None when it is."""
    if repository.publication(loaded) is not None:
        return None
    gate = loaded.contract.gate
    current = repository.in_force(gate)
    if current is None:
        message = "the contract was never published: no record introduces this gate"
        expected = "an introduction in the ledger"
    else:
        message = "the working contract is not the published one: an amendment is in progress"
        expected = f"{current.statement.subject.name}, sha256 {current.contract_sha256}"
    return Reason(
        "contract-unpublished",
        "AV313",
        "error",
        message,
        place=loaded.path,
        expected=expected,
        found=f"version {loaded.contract.version}, sha256 {loaded.sha256}",
        next=_publish_first(repository, loaded),
    )


def _publish_first(repository: Repository, loaded: LoadedContract) -> str:
    gate = loaded.contract.gate
    if repository.in_force(gate) is None:
        return f"abverify amend {gate.name} --introduce --reason …"
    return f"abverify amend {gate.name} --reason … publishes it; or restore the published bytes"


def report_on(
    repository: Repository, loaded: LoadedContract, decision: Decision, *, record: str | None = None
) -> CheckReport:
    """A decision as a report."""
    contract = loaded.contract
    deciding = decision.deciding
    scores = deciding.scores.measures if deciding else {}
    stop = deciding.scores.stop if deciding else None
    return CheckReport(
        gate=str(contract.gate),
        contract_version=contract.version,
        contract_sha256=loaded.sha256,
        verdict=decision.verdict,
        state=repository.gate_state(contract.gate).state,
        model=contract.model.name,
        identity=deciding.bundle.manifest.identity if deciding else "absent",
        weights_sha256=contract.model.weights.sha256,
        reasons=(*decision.reasons, *_notes(repository, loaded)),
        criteria=decision.criteria,
        evidence=tuple(evidence_line(item) for item in decision.considered),
        scopes=repository.scope_lines(contract),
        checked=sum(line.holds is not None for line in decision.criteria),
        total=len(decision.criteria),
        decided_by=deciding.bundle.path if deciding else None,
        attempts_total=decision.attempts_total,
        metrics=tuple((m.metric, m.numerator, m.denominator) for m in scores.values()),
        record=record,
        calibration=_calibration(deciding),
        stop=stop_line(stop, deciding.bundle.trials, contract.config)
        if stop and deciding
        else None,
        next=_next(loaded, decision, recorded=record is not None),
    )


def _calibration(deciding: Eligibility | None) -> CalibrationLine | None:
    """The calibration that the deciding evidence relies on."""
    bundle = deciding.calibration.bundle if deciding else None
    return calibration_line(bundle) if bundle else None


def _notes(repository: Repository, loaded: LoadedContract) -> Iterator[Reason]:
    """What a reader must know beside the verdict: open runs, broken bundles, unpinned weights."""
    gate = loaded.contract.gate
    for path in repository.evidence.unfinished_of(gate):
        yield Reason(
            "unfinished-run",
            "AV314",
            "warning",
            "a run was begun and never finished; it is no evidence",
            place=path,
            next=_unfinished_next(path, gate.name),
        )
    for item in repository.evidence.unreadable_of(gate):
        yield Reason(
            "unsound",
            "AV303",
            "warning",
            f"a bundle cannot be read: {item.error.message}",
            place=str(item.error.place or item.path),
            expected=item.error.expected,
            found=item.error.found,
        )
    unpinned = weights_reason(
        loaded.contract, str(loaded.document.place(("model", "weights", "sha256")))
    )
    if unpinned is not None:
        yield unpinned


def _unfinished_next(path: str, name: str) -> str:
    """A calibration is one sitting; every other run goes on where it stopped."""
    stage = path.rsplit("/", 1)[-1].split("-", maxsplit=1)[0]
    if stage == "calibrate":
        return f"remove the folder; abverify run {name} --stage calibrate starts afresh"
    return f"abverify run {name} --stage {stage} goes on where it stopped"


def _next(loaded: LoadedContract, decision: Decision, *, recorded: bool) -> tuple[str, ...]:
    name = loaded.contract.gate.name
    lawless = [r.next for r in decision.reasons if r.rule in _NOT_THE_LAW and r.next]
    if lawless:
        return tuple(dict.fromkeys(lawless))
    if decision.verdict == "cannot-evaluate":
        return (f"abverify check {name} --run makes the evidence that is missing",)
    if recorded:
        return ("abverify status",)
    return (f"abverify check {name} --record signs this decision",)
