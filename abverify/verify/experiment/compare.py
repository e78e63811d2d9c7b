"""An experiment compared: every arm against the control, and the one conclusion of it all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.model.compare_report import ArmLine, ContrastLine, PairLine, RateLine
from abverify.model.report import Reason
from abverify.verify.experiment.conclusion import Coverage, conclude, confound_reasons
from abverify.verify.experiment.confounds import difference, shown, told_difference
from abverify.verify.experiment.effects import adjusted, paired_effect
from abverify.verify.experiment.endpoints import shows
from abverify.verify.experiment.pairing import paired
from abverify.verify.stats import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abverify.evidence.lock import Scalar
    from abverify.model.experiment import Conclusion, Experiment
    from abverify.verify.eligibility import Eligibility
    from abverify.verify.experiment.arms import ArmEvidence
    from abverify.verify.experiment.confounds import Difference
    from abverify.verify.experiment.effects import Effect, Role
    from abverify.verify.experiment.pairing import FixturePair

_ORDER: tuple[Conclusion, ...] = (
    "confounded",
    "cannot-evaluate",
    "confirmed",
    "necessary-not-sufficient",
    "inconclusive",
    "refuted",
)
"""Of several arms' conclusions, the first of this list is the experiment's: it is refuted only
when every arm says so, and not confirmed while one of them is confounded or was not measured."""

_PLACES = ("engine.system", "corpus.sha256")
"""The lock keys that make a repetition a replication."""


@frozen
class Pairing:
    """One arm and the control, with the bundles chosen for them.

    Attributes:
        arm: the arm's evidence.
        control: the control's bundle, judged; None without one.
        treatment: the arm's bundle, likewise.
    """

    arm: ArmEvidence
    control: Eligibility | None
    treatment: Eligibility | None


def contrasts(
    experiment: Experiment,
    control: ArmEvidence,
    pairings: Sequence[Pairing],
    fixtures: Sequence[str],
    repeated: Mapping[str, Scalar] | None = None,
) -> tuple[ContrastLine, ...]:
    """Compares every arm with the control and concludes each by the experiment's rule.

    Args:
        experiment: the experiment.
        control: the control's evidence.
        pairings: every other arm, with the bundles chosen.
        fixtures: the ids of the corpus.
        repeated: the control's lock in the confirmed experiment that this one repeats, if any.
    """
    effects = [
        _effects(experiment, pairing, fixtures) if _both(pairing) else () for pairing in pairings
    ]
    shared = _corrected(experiment, effects)
    return tuple(
        _contrast(experiment, control, pairing, found, fixtures, repeated)
        for pairing, found in zip(pairings, shared, strict=True)
    )


def deciding(lines: Sequence[ContrastLine]) -> ContrastLine:
    """The contrast whose conclusion is the experiment's."""
    return min(lines, key=lambda line: _ORDER.index(line.conclusion))


def arm_line(experiment: Experiment, arm: ArmEvidence, item: Eligibility | None) -> ArmLine:
    """An arm as a report shows it, with the exact limits of each endpoint."""
    bundle = item.bundle if item else None
    return ArmLine(
        id=arm.arm.id,
        gate=arm.arm.gate,
        settings=tuple(
            f"{path}={shown(arm.arm.settings, path)}" for path in sorted(arm.arm.settings)
        ),
        model=arm.contract.model.name,
        stage=bundle.manifest.stage if bundle else None,
        identity=bundle.manifest.identity if bundle else "absent",
        lock_sha256=bundle.manifest.lock_sha256 if bundle else None,
        evidence=bundle.path if bundle else None,
        evidence_sha256=bundle.sha256 if bundle else None,
        rates=tuple(_rates(experiment, item)) if item else (),
    )


def _rates(experiment: Experiment, item: Eligibility) -> Iterator[RateLine]:
    measured = [trial for trial in item.bundle.trials.values() if trial.measured]
    for endpoint in experiment.endpoints.all():
        if measured:
            x, n = sum(shows(endpoint.measure, trial) for trial in measured), len(measured)
            limits = clopper_pearson(x, n)
            yield RateLine(endpoint.id, x, n, (limits.low, limits.high))


def _both(pairing: Pairing) -> bool:
    return pairing.control is not None and pairing.treatment is not None


def _pairs(
    experiment: Experiment, pairing: Pairing, fixtures: Sequence[str], endpoint: int = 0
) -> tuple[FixturePair, ...]:
    if pairing.control is None or pairing.treatment is None:
        return ()
    return paired(
        pairing.control.bundle.trials,
        pairing.treatment.bundle.trials,
        fixtures=fixtures,
        seeds=experiment.seeds,
        measure=experiment.endpoints.all()[endpoint].measure,
    )


def _effects(
    experiment: Experiment, pairing: Pairing, fixtures: Sequence[str]
) -> tuple[Effect, ...]:
    """Every endpoint of one contrast, the primary one first; none where no pair was measured."""
    found = []
    for number, endpoint in enumerate(experiment.endpoints.all()):
        if pairs := _pairs(experiment, pairing, fixtures, number):
            role: Role = (
                "primary"
                if number == 0
                else "mediator"
                if endpoint.id == experiment.endpoints.mediator
                else "secondary"
            )
            rule, estimand = experiment.decision, experiment.estimand
            effect = paired_effect(endpoint.id, endpoint.measure, role, pairs, rule, estimand)
            found.append(effect)
    return tuple(found)


def _corrected(
    experiment: Experiment, effects: Sequence[tuple[Effect, ...]]
) -> list[tuple[Effect, ...]]:
    """Primary endpoints corrected over the arms and the family; the others within their arm."""
    members = len(experiment.multiplicity.family)
    firsts = iter(adjusted([found[0] for found in effects if found], members))
    return [(next(firsts), *adjusted(found[1:])) if found else () for found in effects]


def _contrast(
    experiment: Experiment,
    control: ArmEvidence,
    pairing: Pairing,
    effects: tuple[Effect, ...],
    fixtures: Sequence[str],
    repeated: Mapping[str, Scalar] | None,
) -> ContrastLine:
    name = pairing.arm.arm.id
    if pairing.control is None or pairing.treatment is None:
        return _unmeasured(experiment, control, pairing)
    between = difference(
        pairing.control.bundle.lock.values,
        pairing.treatment.bundle.lock.values,
        experiment.variable.keys,
    )
    pairs = _pairs(experiment, pairing, fixtures)
    coverage = replace(
        _coverage(experiment, pairing.control, pairing.treatment, pairs, fixtures),
        elsewhere=repeated is not None and _elsewhere(pairing.control.bundle.lock.values, repeated),
    )
    conclusion, reasons = _concluded(experiment, between, coverage, effects)
    return ContrastLine(
        treatment=name,
        conclusion=conclusion,
        level=coverage.level,
        varied=between.varied,
        confounds=between.confounds,
        pairs=tuple(map(_pair_line, pairs)),
        effects=tuple(effect.line(experiment.decision.direction) for effect in effects),
        reasons=reasons,
    )


def _unmeasured(experiment: Experiment, control: ArmEvidence, pairing: Pairing) -> ContrastLine:
    """A contrast without evidence: confounded if the contracts say so, since no run can mend it."""
    name = pairing.arm.arm.id
    declared = told_difference(control.wanted, pairing.arm.wanted, experiment.variable.keys)
    if not declared.confounds:
        missing = tuple(_missing(experiment, control, pairing))
        return ContrastLine(name, "cannot-evaluate", "none", (), (), (), (), missing)
    reasons = tuple(confound_reasons(declared))
    varied, confounds = declared.varied, declared.confounds
    return ContrastLine(name, "confounded", "none", varied, confounds, (), (), reasons)


def _concluded(
    experiment: Experiment, between: Difference, coverage: Coverage, effects: Sequence[Effect]
) -> tuple[Conclusion, tuple[Reason, ...]]:
    primary = effects[0] if effects else None
    mediator = next((effect for effect in effects if effect.role == "mediator"), None)
    return conclude(between, coverage, primary, mediator, experiment.decision)


def _coverage(
    experiment: Experiment,
    control: Eligibility,
    treatment: Eligibility,
    pairs: Iterable[FixturePair],
    fixtures: Sequence[str],
) -> Coverage:
    """A smoke test on either side makes a smoke test of both."""
    stages = {control.bundle.manifest.stage, treatment.bundle.manifest.stage}
    seeds = len(experiment.seeds)
    whole = sum(len(pair.control) == seeds for pair in pairs)
    return Coverage("bench" if stages == {"bench"} else "smoke", whole, len(fixtures), seeds)


def _elsewhere(values: Mapping[str, Scalar], repeated: Mapping[str, Scalar]) -> bool:
    """Whether a run is a replication of another: on another machine, or on another corpus."""
    return any(values.get(key) != repeated.get(key) for key in _PLACES)


def _pair_line(pair: FixturePair) -> PairLine:
    return PairLine(
        pair.fixture,
        sum(pair.control),
        len(pair.control),
        sum(pair.treatment),
        len(pair.treatment),
    )


def _missing(experiment: Experiment, control: ArmEvidence, pairing: Pairing) -> Iterator[Reason]:
    """Why an arm cannot speak: it was never run, or what was run does not count."""
    for arm, item in ((control, pairing.control), (pairing.arm, pairing.treatment)):
        if item is None:
            yield Reason(
                "no-evidence",
                "AV613",
                "error",
                f"the arm {arm.arm.id} has no evidence that counts"
                f" (considered: {len(arm.considered)})",
                expected="an eligible bench bundle of the arm's own lock",
                found="none",
                next=f"abverify compare {experiment.id} --run makes what is missing",
            )
            yield from _against(arm)


def _against(arm: ArmEvidence) -> Iterator[Reason]:
    for judged in arm.considered:
        yield from (reason for reason in judged.reasons if reason.severity == "error")
