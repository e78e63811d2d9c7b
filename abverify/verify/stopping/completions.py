"""What a bench can still come to: which values of its metrics some completion of it reaches.

A completion gives every trial that is not counted yet an outcome. What one trial can add to a
metric is bounded, and what it cannot change is known:

* A trial passes or not, at a fixture that has a pass already or not. j more fixtures take at
  least j passes and at most all trials of the j fixtures that have most left, together with
  those of the fixtures that are passed; every number between is reached. A trial recovered only
  if it passed.
* Its first call is native, recovered, a Markdown edit, or there is none: one of these.
* The first call comes at a turn from 1 to the turns that a trial may have, so that the turns of
  c more first calls add up to any number from c to c times that.
* It takes so many turns at most, and each of them has a call or not.
* No trial of a bench that counts ended for a reason outside the model: what did is run again.

Passes, kinds of first calls and turns with calls are taken as independent of each other. Where
they are not, completions are thought possible that are not, so that a verdict is called certain
too late and never too early.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.scores import compute_scores
from abverify.model.criteria import comparisons
from abverify.model.value import exact
from abverify.verify.evaluate import holds_of, kleene_all
from abverify.verify.stopping.regions import EVERYWHERE, Region, regions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abverify.evidence.trials import TrialResult
    from abverify.model.criteria import Criterion

    Key = tuple[str, int]
    Ends = Mapping[str, Region | None]
    """Where each metric is to end; None for one that has no value, absent for anywhere."""

_KINDS = ("native_call_rate", "recovered_call_rate", "markdown_edit_rate")
_MEANS = ("turns_to_first_call", "format_survival")
"""The metrics that may have no value: a bench without a call, or without a turn."""


@frozen
class Completions:
    """Every way in which a bench can end, given the trials that are measured.

    Attributes:
        counts: numerator and denominator of each metric over the measured trials.
        fixtures: the number of fixtures.
        trials: the number of trials.
        free: trials left at fixtures that are passed.
        left: trials left at each fixture that is not, the most first.
        max_turns: turns that a trial may have.
    """

    counts: Mapping[str, tuple[int, int]]
    fixtures: int
    trials: int
    free: int
    left: tuple[int, ...]
    max_turns: int

    @classmethod
    def of(
        cls, order: Sequence[Key], measured: Mapping[Key, TrialResult], *, max_turns: int
    ) -> Completions:
        """The completions of a bench.

        Args:
            order: all of its trials.
            measured: those of them that are measured.
            max_turns: turns that a trial may have.
        """
        fixtures = sorted({fixture for fixture, _ in order})
        seeds = sorted({seed for _, seed in order})
        scores = compute_scores(measured, fixtures=fixtures, seeds=seeds)
        passed = {fixture for (fixture, _), result in measured.items() if result.passed}
        left = dict.fromkeys(fixtures, 0)
        for key in order:
            left[key[0]] += key not in measured
        return cls(
            counts={m.metric: (m.numerator, m.denominator) for m in scores.measures.values()},
            fixtures=len(fixtures),
            trials=len(order),
            free=sum(left[fixture] for fixture in passed),
            left=tuple(sorted((left[f] for f in fixtures if f not in passed), reverse=True)),
            max_turns=max_turns,
        )

    @property
    def rest(self) -> int:
        """Trials that are not measured."""
        return self.free + sum(self.left)

    def verdicts(self, criteria: tuple[Criterion, ...]) -> set[bool | None]:
        """Every verdict on all criteria together that some completion gives."""
        return {
            kleene_all(holds_of(criterion, values) for criterion in criteria)
            for values in self._ends(criteria)
        }

    def bounds(self, metric: str) -> tuple[Fraction, Fraction] | None:
        """The least and the most that a metric can become; None where it has no value for sure."""
        values = list(self._extremes(metric))
        return (min(values), max(values)) if values else None

    def all_bounds(self, metrics: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The bounds of several metrics as exact texts; one without any value is left out."""
        found = {metric: self.bounds(metric) for metric in metrics}
        return {m: (str(pair[0]), str(pair[1])) for m, pair in found.items() if pair}

    def certain(self, criterion: Criterion) -> bool | None:
        """Whether a criterion holds in every completion, or in none; None where they differ."""
        verdicts = self.verdicts((criterion,))
        return verdicts.pop() if len(verdicts) == 1 else None

    def _ends(self, criteria: tuple[Criterion, ...]) -> Iterator[dict[str, Fraction | None]]:
        """Values of the metrics that the criteria speak of, one for each reachable region."""
        cuts: dict[str, set[Fraction]] = {}
        for item in comparisons(criteria):
            bounds = (item.at_least, item.at_most)
            cuts.setdefault(item.metric, set()).update(exact(b) for b in bounds if b is not None)
        options = [
            [(metric, end) for end in self._regions(metric, bounds)]
            for metric, bounds in cuts.items()
        ]
        for chosen in product(*options):
            if self.reachable(dict(chosen)):
                yield {metric: end.sample if end else None for metric, end in chosen}

    def _regions(self, metric: str, bounds: set[Fraction]) -> list[Region | None]:
        """The regions that a metric alone can end in."""
        found: list[Region | None] = [*regions(bounds), *([None] if metric in _MEANS else [])]
        return [end for end in found if self.reachable({metric: end})]

    def reachable(self, ends: Ends) -> bool:
        """Whether some completion leads every metric to where it is to end."""
        return (
            self._passes_reach(ends)
            and self._calls_reach(ends)
            and self._turns_reach(ends)
            and bool(_end(ends, "infrastructure_failures").counts(1, 0, 0))
        )

    def _passes_reach(self, ends: Ends) -> bool:
        more_fixtures = self._more("oracle_passed", ends, 1, len([n for n in self.left if n]))
        more_passes = self._more("student_pass_rate", ends, self.trials, self.rest)
        more_recovered = self._more("recovery_rate", ends, self.trials, self.rest)
        if not (more_fixtures and more_passes and more_recovered):
            return False
        for fixtures in more_fixtures:
            most = self.free + sum(self.left[:fixtures])
            least = max(fixtures, more_passes[0])
            passes = min(most, more_passes[-1])
            if least <= passes and more_recovered[0] <= passes:
                return True
        return False

    def _calls_reach(self, ends: Ends) -> bool:
        kinds = [self._more(kind, ends, self.trials, self.rest) for kind in _KINDS]
        if not all(kinds):
            return False
        fewest = sum(more[0] for more in kinds)
        most = min(self.rest, sum(more[-1] for more in kinds))
        return any(self._mean_reaches(ends, calls) for calls in range(fewest, most + 1))

    def _mean_reaches(self, ends: Ends, calls: int) -> bool:
        """Whether the mean turn of the first call gets there with so many more first calls."""
        if "turns_to_first_call" not in ends:
            return True
        total, called = self.counts["turns_to_first_call"]
        end = ends["turns_to_first_call"]
        if end is None or called + calls == 0:
            return end is None and called + calls == 0
        return bool(end.counts(called + calls, total + calls, total + calls * self.max_turns))

    def _turns_reach(self, ends: Ends) -> bool:
        if "format_survival" not in ends:
            return True
        with_call, turns = self.counts["format_survival"]
        end = ends["format_survival"]
        if end is None:
            return turns == 0
        # One look at the ends spares the search where it would be long and in vain.
        ends_at = tuple(self._extremes("format_survival"))
        if not ends_at or not end.meets(min(ends_at), max(ends_at)):
            return False
        return any(
            end.counts(turns + more, with_call, with_call + more)
            for more in range(self.rest * self.max_turns, -1, -1)
            if turns + more
        )

    def _more(self, metric: str, ends: Ends, denominator: int, most: int) -> range:
        """How many of the remaining trials may count for a metric, for it to end there."""
        so_far = self.counts[metric][0]
        reached = _end(ends, metric).counts(denominator, so_far, so_far + most)
        return range(reached.start - so_far, reached.stop - so_far)

    def _extremes(self, metric: str) -> Iterator[Fraction]:
        numerator, denominator = self.counts[metric]
        if metric == "infrastructure_failures":
            yield Fraction(0)
        elif metric == "oracle_passed":
            yield Fraction(numerator)
            yield Fraction(numerator + len([n for n in self.left if n]))
        elif metric == "turns_to_first_call":
            for calls in range(self.rest + 1):
                if denominator + calls:
                    yield Fraction(numerator + calls, denominator + calls)
                    yield Fraction(numerator + calls * self.max_turns, denominator + calls)
        elif metric == "format_survival":
            most = self.rest * self.max_turns
            if denominator + most:
                yield Fraction(numerator, denominator + most)
                yield Fraction(numerator + most, denominator + most)
        else:
            yield Fraction(numerator, self.trials)
            yield Fraction(numerator + self.rest, self.trials)


def _end(ends: Ends, metric: str) -> Region:
    """Where a metric that always has a value is to end."""
    return ends.get(metric) or EVERYWHERE
