"""One endpoint compared between two arms: the difference, its limits, and the exact test.

| what is known | test | limits |
|---|---|---|
| pairs, about this bench | permutation within fixture (McNemar's at one seed) | exact conditional |
| pairs, about fixtures like these | sign flips over fixtures | Newcombe, widest over the seeds |
| counts only | Boschloo | Newcombe, independent |

Where no pair differs, the exact test has nothing to weigh (p = 1) and Newcombe's limits stand.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from abverify._frozen import frozen
from abverify.model.compare_report import EffectLine
from abverify.verify.experiment.interval import exact_difference
from abverify.verify.experiment.pairing import pooled_table, tables
from abverify.verify.stats import (
    Interval,
    boschloo,
    newcombe_indep_diff,
    newcombe_paired_diff,
    p_adjust,
    sign_flip_permutation,
    stratified_exact_permutation,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.model.experiment import DecisionRule, Direction
    from abverify.verify.experiment.pairing import FixturePair
    from abverify.verify.stats import Alternative

Role = Literal["primary", "mediator", "secondary"]
Estimand = Literal["this_bench", "fixture_population"]

SHOWN = 0.95
"""The level of the interval that is printed."""
REFUTING = 0.90
"""The level of the paired interval whose limit may refute."""

_EXACT = "exact, given each fixture's successes"
_NEWCOMBE = "Newcombe, paired"
_INDEPENDENT = "Newcombe, independent arms"
_NOTHING = "Newcombe, paired: no pair differs"


@frozen
class Effect:
    """One endpoint compared; every difference is treatment minus control.

    Attributes:
        endpoint: the endpoint's id.
        measure: what it asks of a trial.
        role: what it is for.
        control: successes and trials of the control.
        treatment: successes and trials of the other arm.
        interval: the 95 % limits.
        method: how they were found.
        deciding: the interval that matches the test's own level, or None.
        bound: the limits of the 90 % paired interval that may refute.
        p: the exact p value.
        p_adjusted: the same, adjusted for the other comparisons of its kind.
    """

    endpoint: str
    measure: str
    role: Role
    control: tuple[int, int]
    treatment: tuple[int, int]
    interval: Interval
    method: str
    deciding: Interval | None
    bound: Interval
    p: Fraction
    p_adjusted: Fraction

    @property
    def difference(self) -> Fraction:
        """Treatment minus control, as rates."""
        return Fraction(*self.treatment) - Fraction(*self.control)

    def toward(self, direction: Direction) -> bool:
        """Whether the difference points where the hypothesis says."""
        return self.difference > 0 if direction == "higher" else self.difference < 0

    def line(self, direction: Direction) -> EffectLine:
        """The effect as a report shows it."""
        return EffectLine(
            endpoint=self.endpoint,
            measure=self.measure,
            role=self.role,
            control=self.control,
            treatment=self.treatment,
            effect=float(self.difference),
            interval=(self.interval.low, self.interval.high),
            method=self.method,
            p=float(self.p),
            p_adjusted=float(self.p_adjusted),
            refutation_bound=self.bound.high if direction == "higher" else self.bound.low,
        )


def paired_effect(
    endpoint: str,
    measure: str,
    role: Role,
    pairs: Sequence[FixturePair],
    rule: DecisionRule,
    estimand: Estimand,
) -> Effect:
    """Compares an endpoint on fixtures that both arms ran."""
    side = alternative(rule)
    here = estimand == "this_bench"
    test = (
        stratified_exact_permutation(map(_stratum, pairs), side)
        if here
        else sign_flip_permutation([pair.difference for pair in pairs], side)
    )
    limits = exact_difference if here else _widest
    found = limits(pairs, SHOWN)
    return Effect(
        endpoint=endpoint,
        measure=measure,
        role=role,
        control=_count([pair.control for pair in pairs]),
        treatment=_count([pair.treatment for pair in pairs]),
        interval=found or newcombe_paired_diff(pooled_table(pairs), SHOWN),
        method=(_EXACT if here else _NEWCOMBE) if found else _NOTHING,
        deciding=limits(pairs, matching_level(rule)),
        bound=newcombe_paired_diff(pooled_table(pairs), REFUTING)
        if here
        else _widest(pairs, REFUTING),
        p=test.exact,
        p_adjusted=test.exact,
    )


def counted_effect(
    endpoint: str,
    role: Role,
    control: tuple[int, int],
    treatment: tuple[int, int],
    rule: DecisionRule,
) -> Effect:
    """Compares an endpoint of which only the counts are known, not the pairs."""
    test = boschloo(*treatment, *control, alternative(rule))
    p = Fraction(test.p_value)
    return Effect(
        endpoint=endpoint,
        measure=endpoint,
        role=role,
        control=control,
        treatment=treatment,
        interval=newcombe_indep_diff(*treatment, *control, SHOWN),
        method=_INDEPENDENT,
        deciding=newcombe_indep_diff(*treatment, *control, matching_level(rule)),
        bound=newcombe_indep_diff(*treatment, *control, REFUTING),
        p=p,
        p_adjusted=p,
    )


def adjusted(effects: Sequence[Effect], members: int = 1) -> tuple[Effect, ...]:
    """The effects with Holm-adjusted p values, as one family.

    Args:
        effects: the comparisons made here.
        members: how many experiments belong to the family. What the others found is not
            assumed: each is counted as if it had found the same, which is the most that Holm's
            method could ask for.
    """
    family = [float(effect.p) for effect in effects]
    raised = p_adjust(family * members, "holm")[: len(family)]
    return tuple(
        replace(effect, p_adjusted=min(Fraction(1), _rescaled(effect.p, before, after)))
        for effect, before, after in zip(effects, family, raised, strict=True)
    )


def _rescaled(p: Fraction, before: float, after: float) -> Fraction:
    """The adjusted value, exact where nothing was adjusted."""
    return p if before == after else Fraction(after)


def alternative(rule: DecisionRule) -> Alternative:
    """The rule's alternative, the treatment taken for the first arm."""
    if rule.sided == "two":
        return "two-sided"
    return "greater" if rule.direction == "higher" else "less"


def matching_level(rule: DecisionRule) -> float:
    """The two-sided level of the interval that excludes zero when the test rejects."""
    alpha = float(Fraction(rule.alpha))
    return 1 - alpha if rule.sided == "two" else 1 - 2 * alpha


def _stratum(pair: FixturePair) -> tuple[int, int, int, int]:
    return (
        sum(pair.treatment),
        len(pair.treatment),
        sum(pair.control),
        len(pair.control),
    )


def _count(trials: Sequence[tuple[bool, ...]]) -> tuple[int, int]:
    return sum(map(sum, trials)), sum(map(len, trials))


def _widest(pairs: Sequence[FixturePair], conf: float) -> Interval:
    """Each seed's pairs are a sample of fixtures; seeds add none, so the widest limits stand."""
    each = [newcombe_paired_diff(table, conf) for table in tables(pairs)]
    estimate = float(sum(pair.difference for pair in pairs) / len(pairs))
    return Interval(
        min(interval.low for interval in each), max(interval.high for interval in each),
        conf, estimate,
    )  # fmt: skip
