"""The arms of an experiment on disk: their contracts and evidence, and running what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.docket import open_repository
from abverify.app.experiments import placer
from abverify.errors import InvalidError, raise_all
from abverify.model.ids import GateId
from abverify.verify.experiment.arms import ArmEvidence, arm_contract, arm_evidence
from abverify.verify.experiment.lint import UNFIT, lint_experiment
from abverify.workspace.pins import input_digest

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.measurement import OpenGate
    from abverify.bench.plan import Watcher
    from abverify.errors import AbverifyError
    from abverify.model.contract import Contract
    from abverify.model.experiment import Arm
    from abverify.model.report import Reason
    from abverify.verify.eligibility import Docket
    from abverify.workspace.experiments import LoadedExperiment

_AGAIN = frozenset(["stale", "post-hoc", "tainted"])
"""Reasons that only another run with the same lock can mend."""


@frozen
class OpenArm:
    """An arm with what its evidence is judged against.

    Attributes:
        arm: the arm.
        docket: contract, pins and calibrations; the contract is the arm's own.
        own_gate: whether the arm is its gate's contract as it stands.
    """

    arm: Arm
    docket: Docket
    own_gate: bool


def findings(repository: Repository, loaded: LoadedExperiment) -> tuple[Reason, ...]:
    """What is wrong with an experiment of the repository, with places in its document."""
    gates = {str(c.contract.gate): c.contract for c in repository.registry.all()}
    return tuple(lint_experiment(loaded.experiment, place=placer(loaded.document), gates=gates))


def open_arms(repository: Repository, loaded: LoadedExperiment) -> tuple[OpenArm, ...]:
    """The arms of an experiment, the control first.

    Raises:
        InvalidError: AV602, AV603 or AV615 where the experiment cannot be compared at all.
        FaultsError: for several such faults, all of them.
    """
    unfit: list[AbverifyError] = [
        InvalidError(
            reason.message,
            rule=reason.rule,
            place=reason.place,
            expected=reason.expected,
            found=reason.found,
            next_step="abverify lint finds every fault",
        )
        for reason in findings(repository, loaded)
        if reason.rule in UNFIT
    ]
    raise_all(unfit)
    experiment = loaded.experiment
    arms = (experiment.arm(experiment.control), *experiment.treatments())
    return tuple(_open_arm(repository, loaded, arm) for arm in arms)


def _open_arm(repository: Repository, loaded: LoadedExperiment, arm: Arm) -> OpenArm:
    gate = repository.registry.find(arm.gate)
    docket = repository.docket(gate)
    contract = arm_contract(gate.contract, arm, loaded.experiment.seeds)
    if contract is gate.contract:
        return OpenArm(arm, docket, own_gate=True)
    pins = {
        path: docket.pins.get(path) or input_digest(repository.root, path)
        for path in contract.inputs()
    }
    changed = replace(docket, contract=contract, pins=pins, published_seq=None)
    return OpenArm(arm, changed, own_gate=False)


def evidence_of(
    repository: Repository, arms: tuple[OpenArm, ...], *, without: frozenset[str] = frozenset()
) -> tuple[ArmEvidence, ...]:
    """What speaks for each arm, judged; a replication goes without what it repeats."""
    bundles = [b for b in repository.evidence.bundles if b.path not in without]
    return tuple(arm_evidence(arm.arm, arm.docket, bundles) for arm in arms)


def run_missing(
    repository: Repository,
    loaded: LoadedExperiment,
    watcher: Watcher,
    *,
    unsafe: bool,
) -> None:
    """Runs the bench of every arm that lacks evidence; what was measured already is not again.

    Arms measured by different harnesses could not be compared, so that where one has to be run
    now, those that only another harness measured are run as well.

    Raises:
        AbverifyError: whatever keeps a run from being made.
    """
    arms = open_arms(repository, loaded)
    found = evidence_of(repository, arms)
    if set.intersection(*map(_harnesses, found)):
        return
    from abverify.app.calibrating import calibrate_if_needed, lacks_only_calibration
    from abverify.app.run import RunRequest, run_open_gate
    from abverify.bench.harness import harness_sha256

    root = repository.root
    for arm, evidence in zip(arms, found, strict=True):
        if harness_sha256() in _harnesses(evidence):
            continue
        again = bool(_codes(evidence, harness_sha256()) & _AGAIN)
        request = RunRequest(arm.arm.gate, "bench", unsafe=unsafe, again=again)
        gate = _gate(root, loaded, arm)
        # Opened anew for each arm: the one before may have calibrated the meter.
        meter = calibrate_if_needed(open_repository(root), gate, request, watcher)
        if not lacks_only_calibration(evidence.considered, meter):
            run_open_gate(root, gate, request, watcher)


def _harnesses(evidence: ArmEvidence) -> set[str]:
    """The harnesses by which an arm has evidence that counts."""
    return {str(item.bundle.lock.values.get("harness.sha256")) for item in evidence.benches}


def _codes(evidence: ArmEvidence, harness: str) -> set[str]:
    """What speaks against the benches that this harness measured."""
    return {
        reason.code
        for item in evidence.considered
        if item.bundle.manifest.stage == "bench"
        and item.bundle.lock.values.get("harness.sha256") == harness
        for reason in item.reasons
        if reason.severity == "error"
    }


def _gate(root: Path, loaded: LoadedExperiment, arm: OpenArm) -> OpenGate:
    """The gate that an arm is measured as: its own, or the experiment's with the arm's settings."""
    from abverify.app.measurement import open_gate
    from abverify.workspace.files import read_bytes

    gate = open_gate(root, arm.arm.gate)
    if arm.own_gate:
        return gate
    contract = _named(arm.docket.contract, loaded.experiment.offered_to)
    prompt = read_bytes(root, contract.config.prompt.system).decode("utf-8")
    pins = arm.docket.pins
    return replace(gate, contract=contract, pins=pins, system_prompt=prompt, heads=())


def _named(contract: Contract, name: str) -> Contract:
    """The arm's contract under the experiment's name: that is what its evidence is offered to."""
    return contract.model_copy(update={"id": str(GateId.parse(name))})
