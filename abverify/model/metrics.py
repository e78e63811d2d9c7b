"""The metric registry: each name has one definition, one domain and one denominator."""

from __future__ import annotations

from typing import Literal

from abverify._frozen import frozen

Domain = Literal["count", "rate", "mean"]


@frozen
class Metric:
    """A number a criterion may speak of.

    Attributes:
        name: as written in a contract.
        domain: `count` (an integer 0…n), `rate` (a share 0…1) or `mean` (a number of turns ≥ 1).
        definition: what is counted.
        denominator: what it is counted out of.
    """

    name: str
    domain: Domain
    definition: str
    denominator: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "oracle_passed",
            "count",
            "fixtures with a trial in which every oracle command passed",
            "fixtures in the corpus",
        ),
        Metric(
            "student_pass_rate",
            "rate",
            "trials in which every oracle command passed",
            "trials the contract demands (fixtures × seeds)",
        ),
        Metric(
            "native_call_rate",
            "rate",
            "trials whose first call needed no repair",
            "measured trials",
        ),
        Metric(
            "recovered_call_rate",
            "rate",
            "trials whose first call was recovered by the parser profile",
            "measured trials",
        ),
        Metric(
            "markdown_edit_rate",
            "rate",
            "trials whose first call was a Markdown block read as an edit",
            "measured trials",
        ),
        Metric(
            "turns_to_first_call",
            "mean",
            "mean turn, from 1, of the first call",
            "trials with a call",
        ),
        Metric(
            "format_survival",
            "rate",
            "turns with a native or recovered call",
            "turns of measured trials",
        ),
        Metric(
            "recovery_rate",
            "rate",
            "trials that passed after an earlier failed oracle run or tool call",
            "measured trials",
        ),
        Metric(
            "infrastructure_failures",
            "count",
            "trials that ended for a reason outside the model",
            "trials the contract demands",
        ),
    )
}
