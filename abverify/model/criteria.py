"""The closed language of pass criteria: metric, comparison, number; `all_of` and `any_of`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from abverify.model.metrics import METRICS
from abverify.model.value import DecimalText, Identifier, Value, exact

if TYPE_CHECKING:
    from collections.abc import Iterator

Threshold: TypeAlias = int | DecimalText


class Comparison(Value):
    """One bound, or two, on one metric: `{id, metric, at_least: n}` and/or `at_most: n`."""

    id: Identifier
    metric: str
    at_least: Threshold | None = None
    at_most: Threshold | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"unknown metric; one of: {', '.join(sorted(METRICS))}")
        return metric

    @model_validator(mode="after")
    def _bounded(self) -> Comparison:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a criterion needs at_least or at_most")
        domain = METRICS[self.metric].domain
        for bound in (self.at_least, self.at_most):
            if bound is None:
                continue
            if exact(bound) < 0:
                raise ValueError("no metric is ever below 0")
            if domain == "count" and exact(bound).denominator != 1:
                raise ValueError(f"{self.metric} is a count: give a whole number")
            if domain == "rate" and exact(bound) > 1:
                raise ValueError(f"{self.metric} is a rate: give a number from 0 to 1")
        low, high = self.at_least, self.at_most
        if low is not None and high is not None and exact(low) > exact(high):
            raise ValueError("at_least is above at_most: nothing could ever hold")
        return self


class AllOf(Value):
    """Holds when every member holds."""

    all_of: Annotated[tuple[Criterion, ...], Field(min_length=1)]


class AnyOf(Value):
    """Holds when at least one member holds."""

    any_of: Annotated[tuple[Criterion, ...], Field(min_length=1)]


def _shape(value: Any) -> str:
    """Which of the three a criterion is, so that errors speak of that one only."""
    for name in ("all_of", "any_of"):
        if (name in value) if isinstance(value, dict) else hasattr(value, name):
            return name
    return "comparison"


Criterion: TypeAlias = Annotated[
    Annotated[Comparison, Tag("comparison")]
    | Annotated[AllOf, Tag("all_of")]
    | Annotated[AnyOf, Tag("any_of")],
    Discriminator(_shape),
]


def comparisons(criteria: tuple[Criterion, ...]) -> Iterator[Comparison]:
    """Every comparison in the criteria, in document order."""
    for criterion in criteria:
        match criterion:
            case Comparison():
                yield criterion
            case AllOf():
                yield from comparisons(criterion.all_of)
            case AnyOf():
                yield from comparisons(criterion.any_of)
