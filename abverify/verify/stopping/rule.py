"""The declared stop rules of a bench, and where they stop it: never by choice, always derivable.

`success-certain` stops once every completion of the bench meets the criteria, `failure-certain`
once none does. Only a prefix of the fixed order decides: what ran beside it or past it, in a wave
or on a cluster, changes neither where the bench stopped nor what it says.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.order import trial_order
from abverify.evidence.stop import Stop
from abverify.model.metrics import METRICS
from abverify.verify.stopping.completions import Completions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.evidence.trials import TrialResult
    from abverify.model.contract import Contract, StopRule
    from abverify.model.criteria import Criterion

    Key = tuple[str, int]
    Results = Mapping[Key, TrialResult]

_CERTAIN: Mapping[StopRule, set[bool | None]] = {
    "failure-certain": {False},
    "success-certain": {True},
}


@frozen
class Stopping:
    """The stop rules of one bench.

    Attributes:
        rules: the declared rules, at least one.
        criteria: what the verdict rests on.
        order: every trial of the bench, in its fixed order.
        max_turns: turns that a trial may have.
    """

    rules: tuple[StopRule, ...]
    criteria: tuple[Criterion, ...]
    order: tuple[Key, ...]
    max_turns: int

    @classmethod
    def of(cls, contract: Contract, fixtures: Iterable[str]) -> Stopping | None:
        """The stop rules that a contract declares; None for `never`, and without a corpus."""
        rules, config = contract.evidence.bench.stop_rules, contract.config
        order = trial_order(fixtures, config.sampling.seeds)
        if not rules or not order:
            return None
        return cls(rules, contract.criteria, order, config.budgets.max_turns)

    def needed(self, results: Results) -> int:
        """How many trials of the order are needed, by what is known so far.

        At least one; all of them while no rule fires. A trial of the prefix without a measurement
        is unknown, so that one which the infrastructure failed holds nothing up and is still run
        again: it belongs to the prefix. As trials are measured the number only falls.
        """
        # Who knows more can only have fewer completions, so that a rule which fires goes on firing.
        sizes = range(1, len(self.order))
        return 1 + bisect_left(sizes, 1, key=lambda size: int(bool(self._fires(size, results))))

    def stop(self, results: Results) -> Stop:
        """Where the bench stopped: after the first prefix, measured whole, at which a rule fires.

        Where a trial of the prefix is not measured no rule has fired yet.
        """
        size = self.needed(results)
        fired = self._fires(size, results) if size < len(self.order) else None
        if fired is None or not all(_measured(key, results) for key in self.order[:size]):
            return Stop(self.rules, None, self.order, (), {})
        counted, remaining = self.order[:size], self.order[size:]
        bounds = self.completions(counted, results).all_bounds(METRICS)
        return Stop(self.rules, fired, counted, remaining, bounds)

    def completions(self, counted: Iterable[Key], results: Results) -> Completions:
        """What the bench can still come to once so many trials are counted."""
        known = {key: results[key] for key in counted if _measured(key, results)}
        return Completions.of(self.order, known, max_turns=self.max_turns)

    def _fires(self, size: int, results: Results) -> StopRule | None:
        """The rule that fires after so many trials of the order."""
        verdicts = self.completions(self.order[:size], results).verdicts(self.criteria)
        return next((rule for rule in self.rules if verdicts == _CERTAIN[rule]), None)


def _measured(key: Key, results: Results) -> bool:
    return key in results and results[key].measured
