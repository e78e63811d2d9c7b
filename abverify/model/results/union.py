"""All results as one model, told apart by their `schema`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, RootModel

from abverify.model.results import amendment, experiment, gate, trail

RESULTS = (
    gate.CheckResult,
    gate.RunResult,
    gate.StatusResult,
    gate.BundleResult,
    gate.DoctorResult,
    gate.PageResult,
    experiment.CompareResult,
    experiment.TableResult,
    experiment.PlanResult,
    experiment.ModelResult,
    experiment.ModelDiffResult,
    amendment.AmendCheckResult,
    amendment.AmendDiffResult,
    amendment.AmendHistoryResult,
    trail.LogResult,
    trail.ShowResult,
    trail.FindingsResult,
    trail.WritingResult,
    trail.ErrorResult,
)
"""Every result of a verb in `--format json`; a verb asked about several gates gives a list."""

_ANY: Any = reduce(or_, RESULTS)
AnyResult: Any = RootModel[Annotated[_ANY, Field(discriminator="schema_")]]
"""Whatever a verb may print."""
