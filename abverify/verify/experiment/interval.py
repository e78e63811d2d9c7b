"""The exact interval for a difference of rates, given each fixture's successes.

The permutation test deals each fixture's successes onto its trials as if the arm made no
difference. Here the arm may multiply the odds of success by any factor: the limits are the
factors at which what was seen lies on the edge of either tail. Each factor stands for one expected
difference of rates, which is what is reported. With one seed this is Clopper and
Pearson's interval for the winner's share of the discordant pairs, in units of all pairs.

Sources: Gart, Biometrika 57 (1970) 471-475, for the limits of the common odds ratio; R's
`mantelhaen.test(exact = TRUE)` reports the same ones.
"""

from __future__ import annotations

from math import comb, exp, inf, log
from typing import TYPE_CHECKING

from abverify.verify.stats import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abverify.verify.experiment.pairing import FixturePair

_STEPS = 100
_FAR = 60.0
"""Log odds at which a tail is beyond any level that is ever asked for."""


def exact_difference(pairs: Sequence[FixturePair], conf: float) -> Interval | None:
    """The exact conditional interval for treatment minus control.

    Args:
        pairs: every fixture.
        conf: the confidence level, between 0 and 1.

    Returns:
        The interval; None when no arrangement could have come out otherwise, because then the
        data say nothing about the difference.
    """
    least, weights = _arrangements(pairs)
    seen = sum(sum(pair.treatment) for pair in pairs) - least
    trials = sum(len(pair.control) for pair in pairs)
    total = sum(sum(pair.control) + sum(pair.treatment) for pair in pairs)
    if len(weights) == 1:
        return None
    logs = [log(weight) for weight in weights]
    spare = (1 - conf) / 2

    def as_difference(odds: float) -> float:
        return (2 * (least + _mean(logs, odds)) - total) / trials

    low = -inf if seen == 0 else _edge(lambda odds: _upper(logs, odds, seen) > spare)
    high = inf if seen == len(logs) - 1 else -_edge(lambda odds: _lower(logs, -odds, seen) > spare)
    estimate = (2 * (least + seen) - total) / trials
    return Interval(as_difference(low), as_difference(high), conf, estimate)


def _arrangements(pairs: Sequence[FixturePair]) -> tuple[int, list[int]]:
    """The ways to deal the successes, by how many fall to the treatment, from the fewest up."""
    least, weights = 0, [1]
    for pair in pairs:
        n, successes = len(pair.control), sum(pair.control) + sum(pair.treatment)
        start, most = max(0, successes - n), min(n, successes)
        ways = [comb(n, i) * comb(n, successes - i) for i in range(start, most + 1)]
        least += start
        longer = [0] * (len(weights) + len(ways) - 1)
        for i, one in enumerate(weights):
            for j, other in enumerate(ways):
                longer[i + j] += one * other
        weights = longer
    return least, weights


def _shares(logs: Sequence[float], odds: float) -> list[float]:
    heights = [height + i * odds for i, height in enumerate(logs)]
    top = max(heights)
    raw = [exp(height - top) for height in heights]
    whole = sum(raw)
    return [share / whole for share in raw]


def _mean(logs: Sequence[float], odds: float) -> float:
    if odds in {-inf, inf}:
        return 0.0 if odds < 0 else float(len(logs) - 1)
    return sum(i * share for i, share in enumerate(_shares(logs, odds)))


def _upper(logs: Sequence[float], odds: float, seen: int) -> float:
    return sum(_shares(logs, odds)[seen:])


def _lower(logs: Sequence[float], odds: float, seen: int) -> float:
    return sum(_shares(logs, odds)[: seen + 1])


def _edge(beyond: Callable[[float], bool]) -> float:
    """The log odds from which on a rising tail is beyond its level, by bisection."""
    low, high = -_FAR, _FAR
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if beyond(middle):
            high = middle
        else:
            low = middle
    return low
