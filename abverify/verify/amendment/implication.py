"""Whether one set of criteria implies another: a complete decision over the closed language.

Criteria are monotone combinations of interval bounds on metrics, so a truth value
changes only at a bound. Between two neighbouring bounds one value stands for all;
a search over those values, pruned by what a part of a scoreboard already decides,
finds a scoreboard that tells two sets of criteria apart if there is one at all.

Metrics are taken to be independent of each other. A scoreboard that no bench could
give may therefore tell criteria apart that no bench would: the answer errs towards
"they differ", never towards "they are the same".
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from abverify._frozen import frozen
from abverify.model.criteria import AllOf, AnyOf, Comparison, comparisons
from abverify.model.metrics import METRICS
from abverify.model.value import exact
from abverify.verify.evaluate import compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abverify.model.criteria import Criterion

Criteria: TypeAlias = "tuple[Criterion, ...]"
Scoreboard: TypeAlias = "dict[str, Fraction | None]"
"""A value for each metric; None where there was nothing to take a mean of."""

Relation = Literal["equivalent", "tighter", "looser", "incomparable"]


@frozen
class CriteriaChange:
    """How new criteria stand to old ones.

    Attributes:
        relation: `tighter` when the new accept strictly less, `looser` when strictly more.
        satisfiable: whether the new accept anything at all.
        newly_failing: a scoreboard that the old accept and the new do not; None if there is none.
        newly_passing: the other way round.
    """

    relation: Relation
    satisfiable: bool
    newly_failing: Scoreboard | None
    newly_passing: Scoreboard | None


def relate(old: Criteria, new: Criteria, limits: Mapping[str, int] | None = None) -> CriteriaChange:
    """Compares two sets of criteria by what they accept.

    Args:
        old: the criteria before.
        new: the criteria after.
        limits: the largest value of a count, where it is known (fixtures in the corpus).
    """
    bounds = limits or {}
    lost, gained = counterexample(old, new, bounds), counterexample(new, old, bounds)
    relation: Relation = (
        "incomparable" if lost and gained
        else "tighter" if lost
        else "looser" if gained
        else "equivalent"
    )  # fmt: skip
    return CriteriaChange(relation, counterexample(new, None, bounds) is not None, lost, gained)


def accepts(criteria: Criteria, board: Mapping[str, Fraction | None]) -> bool:
    """Whether a scoreboard meets the criteria: every one holds, none is unknown."""
    return all(_may_hold(criterion, board) for criterion in criteria)


def counterexample(
    premise: Criteria, conclusion: Criteria | None, limits: Mapping[str, int]
) -> Scoreboard | None:
    """A scoreboard that meets `premise` and not `conclusion`; None if the implication holds.

    With `conclusion` None it is any scoreboard that meets `premise`.
    """
    everything = (*premise, *(conclusion or ()))
    values = landmarks(everything, limits)
    return _search(premise, conclusion, {}, list(values), values)


def _search(
    premise: Criteria,
    conclusion: Criteria | None,
    board: Scoreboard,
    left: Sequence[str],
    values: Mapping[str, Sequence[Fraction | None]],
) -> Scoreboard | None:
    if not all(_may_hold(criterion, board) for criterion in premise):
        return None
    if conclusion is not None and not any(_may_fail(criterion, board) for criterion in conclusion):
        return None
    if not left:
        return board
    metric, *rest = left
    for value in values[metric]:
        found = _search(premise, conclusion, {**board, metric: value}, rest, values)
        if found is not None:
            return found
    return None


def _may_hold(criterion: Criterion, board: Mapping[str, Fraction | None]) -> bool:
    """Whether some completion of the board makes it hold; exact once every metric is there."""
    match criterion:
        case Comparison(metric=metric):
            return metric not in board or compare(criterion, board[metric]) is True
        case AllOf(all_of=members):
            return all(_may_hold(member, board) for member in members)
        case AnyOf(any_of=members):
            return any(_may_hold(member, board) for member in members)


def _may_fail(criterion: Criterion, board: Mapping[str, Fraction | None]) -> bool:
    match criterion:
        case Comparison(metric=metric):
            return metric not in board or compare(criterion, board[metric]) is not True
        case AllOf(all_of=members):
            return any(_may_fail(member, board) for member in members)
        case AnyOf(any_of=members):
            return all(_may_fail(member, board) for member in members)


def landmarks(
    criteria: Criteria, limits: Mapping[str, int]
) -> dict[str, tuple[Fraction | None, ...]]:
    """For each metric named, one value for every way its bounds can fall out."""
    bounds: dict[str, set[Fraction]] = {}
    for item in comparisons(criteria):
        stated = {exact(bound) for bound in (item.at_least, item.at_most) if bound is not None}
        bounds.setdefault(item.metric, set()).update(stated)
    return {
        metric: tuple(_values(metric, sorted(points), limits.get(metric)))
        for metric, points in bounds.items()
    }


def _values(metric: str, points: list[Fraction], limit: int | None) -> Iterator[Fraction | None]:
    match METRICS[metric].domain:
        case "count":
            near = {n + step for n in points for step in (-1, 0, 1)} | {Fraction(0)}
            top = max(near) if limit is None else Fraction(limit)
            yield from sorted(value for value in near | {top} if 0 <= value <= top)
        case "rate":
            yield from _dense(sorted({Fraction(0), *points, Fraction(1)}))
        case "mean":
            low = Fraction(1)
            above = [point for point in points if point > low]
            yield from _dense([low, *above, max(above, default=low) + 1])
            yield None


def _dense(points: list[Fraction]) -> Iterator[Fraction]:
    """The points themselves, and one between each two neighbours."""
    for low, high in itertools.pairwise(points):
        yield low
        yield (low + high) / 2
    yield points[-1]
