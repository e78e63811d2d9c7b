"""Criteria over scores: three-valued, exact, each with the interval its bench allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.model.criteria import AllOf, AnyOf, Comparison, comparisons
from abverify.model.metrics import METRICS
from abverify.model.report import CriterionLine
from abverify.model.value import exact
from abverify.verify.stats import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

    from abverify.evidence.scores import Measure
    from abverify.model.criteria import Criterion


def compare(criterion: Comparison, value: Fraction | None) -> bool | None:
    """Whether the bounds hold of a value; None when there is no value."""
    if value is None:
        return None
    above = criterion.at_least is None or value >= exact(criterion.at_least)
    below = criterion.at_most is None or value <= exact(criterion.at_most)
    return above and below


def holds(criterion: Criterion, measures: Mapping[str, Measure]) -> bool | None:
    """Whether a criterion holds, in Kleene's logic: unknown stays unknown unless outvoted."""
    return holds_of(criterion, {name: measure.value for name, measure in measures.items()})


def holds_of(criterion: Criterion, values: Mapping[str, Fraction | None]) -> bool | None:
    """Whether a criterion holds of the metrics' values themselves."""
    match criterion:
        case Comparison():
            return compare(criterion, values[criterion.metric])
        case AllOf():
            return kleene_all(holds_of(member, values) for member in criterion.all_of)
        case AnyOf():
            return kleene_any(holds_of(member, values) for member in criterion.any_of)


def kleene_all(values: Iterable[bool | None]) -> bool | None:
    """False if any is false, else unknown if any is unknown, else true."""
    seen = set(values)
    return False if False in seen else None if None in seen else True


def kleene_any(values: Iterable[bool | None]) -> bool | None:
    """True if any is true, else unknown if any is unknown, else false."""
    seen = set(values)
    return True if True in seen else None if None in seen else False


def criterion_lines(
    criteria: tuple[Criterion, ...], measures: Mapping[str, Measure]
) -> tuple[CriterionLine, ...]:
    """One line for each comparison, in document order."""
    return tuple(_line(item, measures[item.metric]) for item in comparisons(criteria))


def unobserved_lines(criteria: tuple[Criterion, ...]) -> tuple[CriterionLine, ...]:
    """The same lines when no evidence counts: nothing observed, out of nothing."""
    return tuple(
        CriterionLine(item.id, item.metric, bound_text(item), None, 0, 0, None, None)
        for item in comparisons(criteria)
    )


def _line(criterion: Comparison, measure: Measure) -> CriterionLine:
    return CriterionLine(
        id=criterion.id,
        metric=criterion.metric,
        expected=bound_text(criterion),
        observed=None if measure.value is None else str(measure.value),
        numerator=measure.numerator,
        denominator=measure.denominator,
        interval=_interval(measure),
        holds=compare(criterion, measure.value),
    )


def bound_text(criterion: Comparison) -> str:
    """The bounds as a reader writes them: `>= 1`, `<= 0`, or both."""
    bounds = ((">=", criterion.at_least), ("<=", criterion.at_most))
    return " and ".join(f"{sign} {bound}" for sign, bound in bounds if bound is not None)


def _interval(measure: Measure) -> tuple[str, str] | None:
    """Exact 95 % limits of the share behind a measure; a mean has none."""
    if METRICS[measure.metric].domain == "mean" or measure.denominator < 1:
        return None
    interval = clopper_pearson(measure.numerator, measure.denominator)
    return f"{interval.low:.4f}", f"{interval.high:.4f}"
