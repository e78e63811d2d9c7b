"""Results about experiments and models: compare, plan, model inspect, model diff."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from abverify.model.compare_report import Level
from abverify.model.experiment import Conclusion
from abverify.model.model_diff import Basis, Relation
from abverify.model.results.head import Count, Head, ReasonShape, Shape

Interval = tuple[float, float]


class ConfoundShape(Shape):
    """A run-lock key that differs although the variable does not name it."""

    key: str
    what: str
    control: str
    treatment: str


class RateShape(Shape):
    """One endpoint in one arm, with exact 95 % limits."""

    endpoint: str
    x: int
    n: int
    interval: Interval


class ArmShape(Shape):
    """One arm and the evidence that speaks for it."""

    id: str
    gate: str
    settings: list[str]
    model: str
    stage: str | None
    identity: str
    lock_sha256: str | None
    evidence: str | None
    evidence_sha256: str | None
    rates: list[RateShape]


class PairShape(Shape):
    """One fixture on the primary endpoint: successes and trials in both arms."""

    fixture: str
    control: int
    control_n: int
    treatment: int
    treatment_n: int


class EffectShape(Shape):
    """One endpoint compared; every difference is treatment minus control."""

    endpoint: str
    measure: str
    role: Literal["primary", "mediator", "secondary"]
    control: Count
    treatment: Count
    effect: float
    interval: Interval
    method: str
    p: float
    p_adjusted: float
    refutation_bound: float | None


class ContrastShape(Shape):
    """One arm against the control."""

    treatment: str
    conclusion: Conclusion
    level: Level
    varied: list[str]
    confounds: list[ConfoundShape]
    pairs: list[PairShape]
    effects: list[EffectShape]
    reasons: list[ReasonShape]


class RowShape(Shape):
    """One claim that was tested; `said` is what was reported, the rest is derived."""

    id: str
    claim: str
    date: str | None
    variable: str
    test: str
    said: str | None
    conclusion: Conclusion
    level: Level
    coverage: str
    confounds: list[ConfoundShape]
    effect: float | None
    interval: Interval | None
    p: float | None
    evidence: str | None
    reasons: list[ReasonShape]
    later: list[str]


class VariableShape(Shape):
    """What varies, and the run-lock keys that may differ with it."""

    name: str
    keys: list[str]


class CompareResult(Head):
    """`abverify compare EXPERIMENT`; effect, interval and p are the primary endpoint's."""

    schema_: Literal["abverify/compare/v1"] = Field(alias="schema")
    verdict: Conclusion
    conclusion: Conclusion
    level: Level
    confounds: list[ConfoundShape]
    effect: float | None
    interval: Interval | None
    p: float | None
    power: float
    experiment: str
    sha256: str
    title: str
    hypothesis: str
    variable: VariableShape
    control: str
    estimand: str
    exploratory: bool
    arms: list[ArmShape]
    contrasts: list[ContrastShape]
    known: list[RowShape]
    strongest: str | None
    next: list[str]


class TableResult(Head):
    """`abverify compare --table`."""

    schema_: Literal["abverify/compare-table/v1"] = Field(alias="schema")
    rows: list[RowShape]


class DesignShape(Shape):
    """The power of one design."""

    fixtures: int
    seeds: int
    delta: str
    power: float


class PlanResult(Head):
    """`abverify plan`."""

    schema_: Literal["abverify/plan/v1"] = Field(alias="schema")
    experiment: str
    power: float
    design: DesignShape
    others: list[DesignShape]
    fixtures_needed: int | None
    zero_bound: float
    rule: str


class ComparisonShape(Shape):
    """One thing about two models, compared."""

    key: str
    relation: Relation
    basis: Basis
    a: str
    b: str
    detail: str | None


class ModelDiffResult(Head):
    """`abverify model diff`."""

    schema_: Literal["abverify/model-diff/v1"] = Field(alias="schema")
    a: str
    b: str
    conclusion: list[str]
    variable: str | None
    confounds: list[str]
    differs: list[str]
    unknown: list[str]
    comparisons: list[ComparisonShape]


class ModelResult(Head):
    """`abverify model inspect`; `file` and `adapter` say what was read of each file."""

    schema_: Literal["abverify/model-inspect/v1"] = Field(alias="schema")
    model: str
    declared: dict[str, Any] | None
    file: dict[str, Any] | None
    adapter: dict[str, Any] | None
