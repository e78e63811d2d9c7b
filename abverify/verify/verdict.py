"""The decision on a gate: which evidence counts, what it says, and what a person should do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.model.report import CriterionLine, EvidenceLine, Reason, Verdict
from abverify.verify.eligibility import Eligibility, judge
from abverify.verify.evaluate import criterion_lines, holds, kleene_all, unobserved_lines
from abverify.verify.stopping.judgement import stopped_lines, stopping_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.scores import Scores
    from abverify.model.contract import Contract
    from abverify.model.report import Severity
    from abverify.verify.eligibility import Docket


@frozen
class Decision:
    """A verdict with everything it rests on.

    Attributes:
        verdict: `met`, `not-met` or `cannot-evaluate`.
        reasons: why, the deciding ones first.
        criteria: every criterion as observed, or unobserved when no evidence counts.
        considered: the judgement on every bundle offered to the gate.
        deciding: the bundle that decided, or None.
        attempts_total: attempts at trials over all benches of the gate, whether they count,
            whether they were ever finished.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    criteria: tuple[CriterionLine, ...]
    considered: tuple[Eligibility, ...]
    deciding: Eligibility | None
    attempts_total: int


def decide(docket: Docket, offered: Iterable[Bundle]) -> Decision:
    """Decides a gate from the bundles offered to it.

    The first eligible bench counts, in the order the runs began: running
    again cannot replace a result, only a new contract version can.
    """
    ordered = sorted(offered, key=lambda b: (b.manifest.started_at, b.manifest.run))
    considered = tuple(judge(bundle, docket) for bundle in ordered)
    deciding = next((item for item in considered if item.eligible), None)
    attempts = docket.abandoned_attempts + sum(
        item.bundle.manifest.attempts_total
        for item in considered
        if item.bundle.manifest.stage == "bench"
    )
    if deciding is None:
        reasons = _undecided(docket.contract, considered)
        lines = unobserved_lines(docket.contract.criteria)
        return Decision("cannot-evaluate", reasons, lines, considered, None, attempts)
    return _decided(docket, considered, deciding, attempts)


def _decided(
    docket: Docket, considered: tuple[Eligibility, ...], deciding: Eligibility, attempts: int
) -> Decision:
    lines, whole = concluded(docket.contract, deciding.bundle, deciding.scores, docket.fixtures)
    verdict: Verdict = {True: "met", False: "not-met", None: "cannot-evaluate"}[whole]  # type: ignore[assignment]
    reasons = tuple(map(_criterion_reason, lines))
    return Decision(verdict, reasons, lines, considered, deciding, attempts)


def concluded(
    contract: Contract, bundle: Bundle, scores: Scores, fixtures: Collection[str]
) -> tuple[tuple[CriterionLine, ...], bool | None]:
    """The criteria as a bench decides them, and the verdict: from its metrics, or from its stop.

    Args:
        contract: what the criteria are.
        bundle: the bench.
        scores: its recomputed scores.
        fixtures: the fixtures of its corpus.
    """
    stop, rules = scores.stop, stopping_of(bundle, contract, fixtures)
    if rules is None or stop is None or stop.fired is None:
        measures = scores.measures
        whole = kleene_all(holds(criterion, measures) for criterion in contract.criteria)
        return criterion_lines(contract.criteria, measures), whole
    return stopped_lines(contract, rules, stop, bundle), stop.fired == "success-certain"


def _criterion_reason(line: CriterionLine) -> Reason:
    if line.bounds is not None:
        return _certainty_reason(line)
    shown = "nothing to measure" if line.observed is None else line.observed
    message = (
        f"{line.metric} {line.expected}: observed {shown} ({line.numerator}/{line.denominator})"
    )
    if line.holds is None:
        return Reason("criterion-unknown", "AV312", "error", message, expected=line.expected)
    code = "criterion-met" if line.holds else "criterion-not-met"
    severity = "note" if line.holds else "error"
    return Reason(code, "AV311", severity, message, expected=line.expected, found=shown)  # type: ignore[arg-type]


def _certainty_reason(line: CriterionLine) -> Reason:
    """What a stopped bench says of a criterion: certain either way, or left open."""
    low, high = line.bounds or ("", "")
    word = {True: "certain to hold", False: "certain not to hold", None: "left open"}[line.holds]
    message = f"{line.metric} {line.expected}: {word}, at least {low} and at most {high}"
    code = {True: "criterion-met", False: "criterion-not-met", None: "criterion-open"}[line.holds]
    severity: Severity = "error" if line.holds is False else "note"
    return Reason(
        code, "AV311", severity, message, expected=line.expected, found=f"{low} to {high}"
    )


def _undecided(contract: Contract, considered: tuple[Eligibility, ...]) -> tuple[Reason, ...]:
    if considered:
        return tuple(
            reason for item in considered for reason in item.reasons if reason.severity == "error"
        )
    name = contract.gate.name
    return (
        Reason(
            "no-evidence",
            "AV300",
            "error",
            f"no evidence was offered to {name}",
            expected="an eligible bench bundle",
            found="none",
            next=f"abverify check {name} --run",
        ),
    )


def weights_reason(contract: Contract, place: str) -> Reason | None:
    """The warning every verdict of a gate carries while its weights are only described."""
    if contract.model.weights.sha256 is not None:
        return None
    return Reason(
        "weights-unpinned",
        "AV121",
        "warning",
        f"the contract describes {contract.model.weights.file} but pins no bytes of it",
        place=place,
        expected="model.weights.sha256",
        found="null",
        next=f"pin the weights by an amendment: abverify amend {contract.gate.name}",
    )


def evidence_line(item: Eligibility) -> EvidenceLine:
    """A bundle's judgement as a report shows it."""
    bundle = item.bundle
    model = bundle.lock.values.get("model.name")
    return EvidenceLine(
        path=bundle.path,
        run=bundle.manifest.run,
        stage=bundle.manifest.stage,
        sha256=bundle.sha256,
        identity=bundle.manifest.identity,
        model=model if isinstance(model, str) else None,
        eligible=item.eligible,
        reasons=item.reasons,
    )
