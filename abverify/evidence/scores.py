"""Scores, always recomputed from the journal: a stored score is a claim to be checked."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes
from abverify._frozen import frozen
from abverify.model.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from abverify.evidence.stop import Stop
    from abverify.evidence.trials import TrialResult

MARKDOWN_CODE = "markdown-block"
"""The parser's code for a Markdown block that was read as an edit."""

SCORES_SCHEMA = "abverify/scores/v1"


@frozen
class Measure:
    """One metric's value as a pair of integers, so that nothing is rounded.

    Attributes:
        metric: the metric's registered name.
        numerator: what was counted, or the sum for a mean.
        denominator: what it was counted out of; 0 means that there was nothing to measure.
    """

    metric: str
    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction | None:
        """The number a criterion compares: the count itself, or the exact share or mean."""
        if METRICS[self.metric].domain == "count":
            return Fraction(self.numerator)
        return Fraction(self.numerator, self.denominator) if self.denominator else None


@frozen
class Scores:
    """All metrics and the outcomes of a bundle's counted trials.

    Attributes:
        measures: every registered metric; none of a bench that stopped early, of which they
            would be biased.
        outcomes: how many counted trials ended in which outcome; `unfinished` for none, `not_run`
            for those after an early stop.
        completed_fixtures: fixtures of which every demanded trial was measured.
        planned: trials the contract demands (fixtures × seeds).
        stop: what the declared stop rules came to; None where none is declared.
    """

    measures: Mapping[str, Measure]
    outcomes: Mapping[str, int]
    completed_fixtures: int
    planned: int
    stop: Stop | None = None

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON data."""
        return {
            "schema": SCORES_SCHEMA,
            "measures": {
                name: [measure.numerator, measure.denominator]
                for name, measure in self.measures.items()
            },
            "outcomes": dict(self.outcomes),
            "completedFixtures": self.completed_fixtures,
            "planned": self.planned,
            **({"stop": self.stop.to_json()} if self.stop else {}),
        }

    def to_bytes(self) -> bytes:
        """The canonical bytes of `scores.json`."""
        return canonical_bytes(self.to_json())


def compute_scores(
    trials: Mapping[tuple[str, int], TrialResult],
    *,
    fixtures: Collection[str],
    seeds: Sequence[int],
    stop: Stop | None = None,
) -> Scores:
    """Recomputes every metric.

    Args:
        trials: the counted attempt for each fixture and declared seed.
        fixtures: the ids of the corpus, run or not.
        seeds: the declared seeds.
        stop: what the declared stop rules came to; a trial after an early stop does not count.
    """
    stopped = stop is not None and stop.fired is not None
    if stop is not None and stopped:
        trials = {key: trials[key] for key in stop.counted}
    planned = [(fixture, seed) for fixture in sorted(fixtures) for seed in seeds]
    results = [trials[key] for key in planned if key in trials]
    measured = [result for result in results if result.measured]
    complete = {
        fixture
        for fixture in fixtures
        if all((fixture, seed) in trials and trials[fixture, seed].measured for seed in seeds)
    }
    missing = "not_run" if stopped else "unfinished"
    outcomes = Counter(
        trials[key].ended.outcome if key in trials and trials[key].ended else missing  # type: ignore[union-attr]
        for key in planned
    )
    return Scores(
        measures={} if stopped else _measures(results, measured, len(fixtures), len(planned)),
        outcomes=dict(sorted(outcomes.items())),
        completed_fixtures=len(complete),
        planned=len(planned),
        stop=stop,
    )


def _measures(
    results: list[TrialResult], measured: list[TrialResult], fixtures: int, planned: int
) -> dict[str, Measure]:
    def share(holds: Callable[[TrialResult], bool]) -> tuple[int, int]:
        return sum(map(holds, measured)), len(measured)

    first_calls = [result.first_call for result in measured]
    called = [turn for turn in first_calls if turn is not None]
    table = {
        "oracle_passed": (len({r.trial.fixture for r in measured if r.passed}), fixtures),
        "student_pass_rate": (sum(r.passed for r in measured), planned),
        "native_call_rate": share(lambda r: _first_kind(r) == "native"),
        "recovered_call_rate": share(lambda r: _first_kind(r) == "recovered"),
        "markdown_edit_rate": share(lambda r: _first_kind(r) == "markdown"),
        "turns_to_first_call": (sum(turn.turn for turn in called), len(called)),
        "format_survival": (
            sum(r.turns_with_call for r in measured),
            sum(len(r.turns) for r in measured),
        ),
        "recovery_rate": share(lambda r: r.recovered_from_failure),
        "infrastructure_failures": (
            sum(r.ended is not None and not r.measured for r in results),
            planned,
        ),
    }
    return {name: Measure(name, *pair) for name, pair in table.items()}


def _first_kind(result: TrialResult) -> str | None:
    """What kind the trial's first call is; a Markdown edit is a kind of its own."""
    turn = result.first_call
    if turn is None:
        return None
    return "markdown" if MARKDOWN_CODE in turn.codes else turn.verdict
