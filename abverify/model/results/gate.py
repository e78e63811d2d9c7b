"""Results about gates: check, run, status, evidence, doctor, report."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abverify.model.report import Verdict
from abverify.model.results.head import Count, Head, Limits, ReasonShape, Shape


class CriterionShape(Shape):
    """One criterion as decided; `holds` is null when it cannot be said."""

    id: str
    metric: str
    expected: str
    observed: str | None
    numerator: int
    denominator: int
    interval: Limits | None
    holds: bool | None
    bounds: Limits | None


class EvidenceShape(Shape):
    """One bundle that was considered."""

    path: str
    run: str
    stage: str
    sha256: str
    identity: str
    model: str | None
    eligible: bool
    reasons: list[ReasonShape]


class CalibrationCountShape(Shape):
    """Readings of a calibration, right ones of all, and exact limits of its errors."""

    references: Count
    bad_states: Count
    good_agent: Count
    give_up_agent: Count
    parser: Count
    fails_good_at_most: str
    passes_bad_at_most: str
    misreads_at_most: str


class CalibrationShape(Shape):
    """The calibration that a verdict relies on."""

    path: str
    sha256: str
    finished_at: str
    count: CalibrationCountShape


class StopShape(Shape):
    """What the declared stop rules came to; `fired` is null when every trial was needed."""

    rules: list[str]
    fired: str | None
    ran: int
    planned: int
    not_run: list[tuple[str, int]]
    not_counted: list[tuple[str, int]]
    bounds: dict[str, Limits]
    tokens: int
    saved_at_most: int
    saved_at_the_mean: int


class ScopeShape(Shape):
    """A scope, its state, and the suspensions that hold it."""

    scope: str
    state: str
    held_by: list[str]


class ContractShape(Shape):
    """The contract's version that was judged."""

    version: str
    sha256: str


class GateModelShape(Shape):
    """The model that the contract names."""

    name: str
    weights_sha256: str | None


class CheckResult(Head):
    """`abverify check`, also of `discharge` and of `check --record`."""

    schema_: Literal["abverify/check/v1"] = Field(alias="schema")
    verdict: Verdict
    gate: str
    contract: ContractShape
    state: str
    model: GateModelShape
    identity: str
    evidence: list[EvidenceShape]
    eligibility: str
    criteria: list[CriterionShape]
    metrics: dict[str, Count]
    scopes: list[ScopeShape]
    decided_by: str | None
    calibration: CalibrationShape | None
    stop: StopShape | None
    attempts_total: int
    record: str | None
    next: list[str]


class RunEvidenceShape(Shape):
    """The bundle that was made, or found; `fresh` is false when nothing ran."""

    path: str
    sha256: str
    fresh: bool


class RunResult(Head):
    """`abverify run`."""

    schema_: Literal["abverify/run/v1"] = Field(alias="schema")
    gate: str
    stage: str
    evidence: RunEvidenceShape
    outcomes: dict[str, int]
    metrics: dict[str, Count]
    calibration: CalibrationCountShape | None
    stop: StopShape | None
    notes: list[str]
    next: list[str]


class GateShape(Shape):
    """One gate as it stands."""

    gate: str
    state: str
    version: str | None
    model: str
    why: str
    records: int


class StatusResult(Head):
    """`abverify status`; `at` is the moment looked back to."""

    schema_: Literal["abverify/status/v1"] = Field(alias="schema")
    at: str | None
    gates: list[GateShape]
    scopes: list[ScopeShape]


class TrialShape(Shape):
    """One trial of a bundle."""

    fixture: str
    seed: int
    result: str
    detail: str
    signs: list[str]


class BundleResult(Head):
    """`abverify evidence show`, `verify` and `rescore`."""

    schema_: Literal[
        "abverify/evidence-show/v1", "abverify/evidence-verify/v1", "abverify/evidence-rescore/v1"
    ] = Field(alias="schema")
    path: str
    facts: dict[str, str]
    trials: list[TrialShape]
    signs: dict[str, Count]


class ThingShape(Shape):
    """One thing that was looked for on this machine."""

    name: str
    present: bool
    needed: bool
    purpose: str
    found: str
    mend: str | None


class DoctorResult(Head):
    """`abverify doctor`."""

    schema_: Literal["abverify/doctor/v1"] = Field(alias="schema")
    judged_for: str
    lines: list[ThingShape]


class PageShape(Shape):
    """The page that was written."""

    path: str
    sha256: str
    bytes: int


class PageResult(Head):
    """`abverify report`."""

    schema_: Literal["abverify/report/v1"] = Field(alias="schema")
    kind: Literal["gate", "experiment", "audit", "repository"]
    subject: str
    page: PageShape
