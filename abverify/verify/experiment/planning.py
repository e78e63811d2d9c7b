"""What a design can find before anything runs, the control taken to show the endpoint never."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from abverify.model.compare_report import DesignLine, PlanReport
from abverify.model.report import Reason
from abverify.verify.experiment.effects import alternative
from abverify.verify.stats import (
    clopper_pearson,
    exact_power_control_zero,
    min_discordant,
    stratified_power_control_zero,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.model.experiment import Experiment

ENOUGH = 0.8
"""The power below which a confirmatory experiment does not set out."""
_MORE_SEEDS = (1, 3, 5)
_MOST_FIXTURES = 1000


def power(experiment: Experiment, fixtures: int, k: int | None = None) -> float:
    """The chance to confirm a difference of exactly `delta_min`, on that many fixtures.

    With a correction declared, the level is divided by the comparisons it pays for.
    For `this_bench` the permutation test within fixtures; for `fixture_population` the sign test
    on fixtures that changed at all, each with the same rate.
    """
    rule, k = experiment.decision, k or len(experiment.seeds)
    alpha = Fraction(rule.alpha) / comparisons(experiment)
    rate, side = float(Fraction(rule.delta_min)), alternative(rule)
    if experiment.estimand == "this_bench" and k > 1:
        return stratified_power_control_zero(fixtures, k, rate, alpha, side)
    flips = 1 - (1 - rate) ** k
    return exact_power_control_zero(fixtures, flips, min_discordant(alpha, side))


def comparisons(experiment: Experiment) -> int:
    """How many comparisons share the level: arms against the control, over the family."""
    return len(experiment.treatments()) * len(experiment.multiplicity.family)


def plan(experiment: Experiment, fixtures: int) -> PlanReport:
    """Judges a design of `fixtures` fixtures and the declared seeds."""
    found = power(experiment, fixtures)
    enough = found >= ENOUGH
    trials = fixtures * len(experiment.seeds)
    verdict = "sufficient" if enough else "exploratory" if experiment.exploratory else "refused"
    needed = _fixtures_needed(experiment)
    return PlanReport(
        experiment=experiment.id,
        verdict=verdict,  # type: ignore[arg-type]
        design=_line(experiment, fixtures, len(experiment.seeds), found),
        others=tuple(_others(experiment, fixtures)),
        fixtures_needed=needed,
        zero_bound=clopper_pearson(0, trials).high,
        rule=rule_text(experiment),
        reasons=() if enough else (_too_small(experiment, fixtures, found, needed),),
    )


def rule_text(experiment: Experiment) -> str:
    """The decision rule on one line."""
    rule = experiment.decision
    shared = comparisons(experiment)
    return (
        f"{rule.sided}-sided, alpha {rule.alpha}"
        + (f" shared by {shared} comparisons (Holm)" if shared > 1 else "")
        + f", {rule.direction}, delta_min {rule.delta_min}, level {rule.level}"
    )


def seeds(count: int) -> str:
    """A number of seeds in words."""
    return f"{count} {'seed' if count == 1 else 'seeds'}"


def _others(experiment: Experiment, fixtures: int) -> Iterator[DesignLine]:
    for k in _MORE_SEEDS:
        if k != len(experiment.seeds):
            yield _line(experiment, fixtures, k, power(experiment, fixtures, k))


def _line(experiment: Experiment, fixtures: int, k: int, found: float) -> DesignLine:
    return DesignLine(fixtures, k, experiment.decision.delta_min, found)


def _fixtures_needed(experiment: Experiment) -> int | None:
    """The fewest fixtures that suffice at one seed's cost of computing; None beyond the search."""
    if len(experiment.seeds) > 1 and experiment.estimand == "this_bench":
        return None
    low, high = 0, 1
    while power(experiment, high) < ENOUGH:
        low, high = high, 2 * high
        if high > _MOST_FIXTURES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(experiment, middle) >= ENOUGH else (middle, high)
    return high


def _too_small(experiment: Experiment, fixtures: int, found: float, needed: int | None) -> Reason:
    rule = experiment.decision
    ways = f"{needed} fixtures at these seeds would do; " if needed else ""
    return Reason(
        "underpowered-design",
        "AV606",
        "warning" if experiment.exploratory else "error",
        f"{fixtures} fixtures at {seeds(len(experiment.seeds))} find a difference of"
        f" {rule.delta_min} with probability {found:.3f} when the control never succeeds",
        expected=f"a power of at least {ENOUGH}",
        found=f"{found:.3f}",
        next=None
        if experiment.exploratory
        else f"{ways}add fixtures or seeds, or say exploratory: true",
    )
