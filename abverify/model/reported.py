"""Experiments that others reported: the facts they told, and what they said of them.

A row holds no conclusion of ours. What the facts allow is derived from them by the same rule that
concludes this repository's own experiments; `said` keeps what was concluded at the time.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from abverify.model.experiment import DecisionRule, Setting, Variable
from abverify.model.value import Count, Identifier, Positive, RelativePath, Text, Value

HISTORY_SCHEMA = "abverify/experiment-history/v1"


class ReportedCount(Value):
    """Successes out of trials; `trials: null` where nobody said how many there were."""

    successes: Count
    trials: Positive | None

    @model_validator(mode="after")
    def _a_part(self) -> ReportedCount:
        if self.trials is not None and self.successes > self.trials:
            raise ValueError("more successes than trials")
        return self


class ReportedArm(Value):
    """One arm as it was told: run-lock keys with their values, and counts by endpoint."""

    name: Text
    told: dict[str, Setting]
    """What was said of the run, by run-lock key; a description where no value was told."""
    counts: dict[Identifier, ReportedCount]
    bundle: RelativePath | None = None
    """A recorded bundle of this arm, if there is one."""


class ReportedExperiment(Value):
    """One comparison that was reported."""

    id: Identifier
    claim: Identifier
    """What it speaks to: rows of one claim supersede one another by strength."""
    date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    variable: Variable
    test: Text
    said: Text
    source: Text
    stage: Literal["smoke", "bench"]
    planned: Positive
    """Fixtures of the bench that the comparison belongs to."""
    fixture: Identifier | None = None
    """The fixture, where both arms ran one and the same; else the counts are not paired."""
    primary: Identifier
    mediator: Identifier | None = None
    control: ReportedArm
    treatment: ReportedArm

    @model_validator(mode="after")
    def _counted(self) -> ReportedExperiment:
        for endpoint in filter(None, (self.primary, self.mediator)):
            for arm in (self.control, self.treatment):
                if endpoint not in arm.counts:
                    raise ValueError(f"{arm.name} has no count of {endpoint}")
        return self


class History(Value):
    """The document `contracts/experiments/history.yaml`, its rows in the order of reporting."""

    schema_: Annotated[Literal["abverify/experiment-history/v1"], Field(alias="schema")]
    decision: DecisionRule
    rows: Annotated[tuple[ReportedExperiment, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rows_are_unique(self) -> History:
        ids = [row.id for row in self.rows]
        if len(set(ids)) != len(ids):
            raise ValueError("two rows share an id")
        return self
