"""Signing what was decided: discharge or non-discharge, once for each contract and evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp, timestamp
from abverify._version import __version__
from abverify.app.append import sign_and_append
from abverify.errors import IndeterminateError
from abverify.records.bodies import (
    CitedBundle,
    CitedCalibration,
    Decision,
    Discharge,
    Evaluator,
    JudgedCriterion,
    JudgedModel,
    NonDischarge,
    evidence_root,
)
from abverify.records.fields import Digest
from abverify.records.lineage import voided

if TYPE_CHECKING:
    from typing import Any

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.evidence.bundle import Bundle
    from abverify.model.report import CriterionLine
    from abverify.verify import verdict
    from abverify.verify.eligibility import Eligibility
    from abverify.workspace.contracts import LoadedContract


def record_decision(
    repository: Repository,
    loaded: LoadedContract,
    decision: verdict.Decision,
    signature: Signature,
) -> str | None:
    """Appends the decision's record.

    Returns:
        The record's path; None when the same decision stands recorded already.

    Raises:
        IndeterminateError: AV315 for `cannot-evaluate`, which is never signed.
        RefusedError: when the key may not sign it.
    """
    deciding = decision.deciding
    if decision.verdict == "cannot-evaluate" or deciding is None:
        raise IndeterminateError(
            "nothing was decided, so there is nothing to sign",
            rule="AV315",
            place=str(loaded.contract.gate),
            expected="met or not-met",
            found=decision.verdict,
            next_step=f"abverify check {loaded.contract.gate.name}",
        )
    body = decision_body(loaded, decision, deciding)
    if _stands_already(repository, loaded, body):
        return None
    gate, version = loaded.contract.gate, loaded.contract.version
    return sign_and_append(repository, gate, body, signature, version=version)


def decision_body(
    loaded: LoadedContract, decision: verdict.Decision, deciding: Eligibility
) -> Discharge | NonDischarge:
    """What the decision's record says."""
    bundle, calibration = deciding.bundle, deciding.calibration.bundle
    if calibration is None:
        raise ValueError("an eligible bundle has a calibration")
    fields = _common(loaded, decision, bundle, calibration)
    if decision.verdict == "met":
        return Discharge(verdict="met", valid_until=_valid_until(loaded, bundle), **fields)
    return NonDischarge(verdict="not-met", **fields)


def _common(
    loaded: LoadedContract, decision: verdict.Decision, bundle: Bundle, calibration: Bundle
) -> dict[str, Any]:
    """The fields that a discharge and a non-discharge share."""
    cited = (
        CitedBundle(
            run=bundle.manifest.run,
            stage="bench",
            path=bundle.path,
            manifest_sha256=bundle.sha256,
        ),
    )
    harness = bundle.lock.values.get("harness.sha256")
    return {
        "evaluator": Evaluator(
            name="abverify",
            version=__version__,
            sha256=harness if isinstance(harness, str) else None,
        ),
        "model": _model(loaded, bundle),
        "run_lock": Digest(sha256=bundle.lock.sha256),
        "criteria": tuple(map(_criterion, decision.criteria)),
        "checked": len(decision.criteria),
        "total": len(decision.criteria),
        "evidence": cited,
        "evidence_root": evidence_root(cited),
        "calibration": CitedCalibration(
            run=calibration.manifest.run, manifest_sha256=calibration.sha256
        ),
        "stop_rule": _stop_rule(loaded, decision),
        "attempts_total": decision.attempts_total,
    }


def _stop_rule(loaded: LoadedContract, decision: verdict.Decision) -> str:
    """Which stop rules were declared, and what they came to; scores.json names every trial left."""
    stop = decision.deciding.scores.stop if decision.deciding else None
    if stop is None:
        return f"{loaded.contract.evidence.bench.stop}: every planned trial was run"
    if stop.fired is None:
        return stop.text()
    judged = dict.fromkeys(line.metric for line in decision.criteria)
    bounds = (f"{m} at least {low} at most {high}" for m, (low, high) in stop.bounds.items()
              if m in judged)  # fmt: skip
    told = f"{stop.text()}; no rate is reported, {', '.join(bounds)}; the trials after it: "
    names = [f"{fixture} seed {seed}" for fixture, seed in stop.remaining]
    return told + _fitting(names, _STOP_RULE_LENGTH - len(told))


def _fitting(names: list[str], room: int) -> str:
    """As many of the names as there is room for, and how many more there are."""
    whole = ", ".join(names)
    if len(whole) <= room:
        return whole
    shown = list(names)
    while shown and len(", ".join(shown)) + _MORE_LENGTH > room:
        shown.pop()
    return f"{', '.join(shown)} and {len(names) - len(shown)} more"


_STOP_RULE_LENGTH = 2000
_MORE_LENGTH = 24


def _model(loaded: LoadedContract, bundle: Bundle) -> JudgedModel:
    weights = bundle.lock.values.get("model.weights_sha256")
    adapter = bundle.lock.values.get("model.adapter_sha256")
    return JudgedModel(
        name=loaded.contract.model.name,
        weights_sha256=weights if isinstance(weights, str) else None,
        adapter_sha256=adapter if isinstance(adapter, str) else None,
        identity=bundle.manifest.identity,
    )


def _criterion(line: CriterionLine) -> JudgedCriterion:
    return JudgedCriterion(
        id=line.id,
        metric=line.metric,
        expected=line.expected,
        observed=line.observed,
        denominator=line.denominator,
        outcome="unknown" if line.holds is None else "met" if line.holds else "not-met",
    )


def _valid_until(loaded: LoadedContract, bundle: Bundle) -> str:
    """A discharge counts as long as the evidence it rests on."""
    days = timedelta(days=loaded.contract.evidence.valid_days)
    return timestamp(parse_timestamp(bundle.manifest.finished_at) + days)


def _stands_already(
    repository: Repository, loaded: LoadedContract, body: Discharge | NonDischarge
) -> bool:
    """Whether the gate's newest decision stands and says the same of the same evidence."""
    void = voided(repository.ledger.chains.values())
    for record in reversed(repository.ledger.chain(loaded.contract.gate)):
        if record.sha256 in void:
            return False
        if isinstance(record.body, Decision):
            same = (type(record.body), record.contract_sha256, record.body.evidence_root)
            return same == (type(body), loaded.sha256, body.evidence_root)
    return False
