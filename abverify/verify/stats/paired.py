"""Two arms on the same fixtures, one seed each: tests on the discordant pairs, and intervals.

A paired table is [[a, b], [c, d]] with arm A in the rows and arm B in the columns, passed first:
a both passed, b only A, c only B, d neither. Differences are A minus B, (b - c) / n.
"""

from __future__ import annotations

from math import comb, sqrt
from typing import TYPE_CHECKING

from abverify.verify.stats._arguments import fourfold, level, normal_quantile, sided, whole
from abverify.verify.stats._counting import tail
from abverify.verify.stats.intervals import Interval, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable


def mcnemar_exact(b: int, c: int, alternative: str = "two-sided") -> float:
    """The p value of McNemar's exact test: the sign test on the discordant pairs.

    Its error rate never exceeds the level. Without a discordant pair it is 1: such data say
    nothing either way.

    Args:
        b: pairs in which only arm A passed.
        c: pairs in which only arm B passed.
        alternative: `two-sided`; `greater`: A passes more often; `less`: B does.

    Raises:
        ValueError: if b or c is no whole number of at least 0, or the alternative is unknown.

    Source: McNemar, Psychometrika 12 (1947) 153-157. R: `binom.test(b, b + c)`.
    """
    weights, at = _discordant(b, c)
    return float(tail(weights, at, sided(alternative)))


def mcnemar_midp(b: int, c: int) -> float:
    """The two-sided mid-p value of McNemar's test: what was seen counts only half.

    Less conservative than the exact test and usually close to the level, but not guaranteed:
    to describe, never to decide. At b = c it is 1 - P(b)/2, at b + c = 0 it is 1.

    Args:
        b: pairs in which only arm A passed.
        c: pairs in which only arm B passed.

    Raises:
        ValueError: if b or c is no whole number of at least 0.

    Source: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91.
    """
    weights, at = _discordant(b, c)
    if len(weights) == 1:
        return 1.0
    seen = sum(weight for weight in weights if weight == weights[at])
    rarer = sum(weight for weight in weights if weight < weights[at])
    return (2 * rarer + seen) / (2 * sum(weights))


def newcombe_paired_diff(table: Iterable[Iterable[int]], conf: float = 0.95) -> Interval:
    """Newcombe's square-and-add interval for the paired difference of rates, A minus B.

    Joins the Wilson intervals of the two rates by their correlation, which is corrected for
    continuity when positive (his method 10).

    Args:
        table: [[a, b], [c, d]], A in the rows, B in the columns, passed first.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if the table is not 2 by 2, not of counts, or empty; or conf not inside (0, 1).

    Source: Newcombe, Statistics in Medicine 17 (1998) 2635-2650.
    """
    a, b, c, d = fourfold(table)
    n = _pairs(a, b, c, d)
    first, second = wilson(a + b, n, conf), wilson(a + c, n, conf)
    phi = _correlation(a, b, c, d)
    reach_low = _joined(first.estimate - first.low, second.high - second.estimate, phi)
    reach_high = _joined(first.high - first.estimate, second.estimate - second.low, phi)
    difference = (b - c) / n
    # Rounding may carry a limit past what a difference can be; nothing else does.
    low, high = max(-1.0, difference - reach_low), min(1.0, difference + reach_high)
    return Interval(low, high, first.conf, difference)


def tango_paired_diff(table: Iterable[Iterable[int]], conf: float = 0.95) -> Interval:
    """Tango's score interval for the paired difference of rates, A minus B.

    All differences that the score test, with the constrained maximum-likelihood estimate of
    P(only B), does not reject. It depends on b, c and n only.

    Args:
        table: [[a, b], [c, d]], A in the rows, B in the columns, passed first.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if the table is not 2 by 2, not of counts, or empty; or conf not inside (0, 1).

    Source: Tango, Statistics in Medicine 17 (1998) 891-908.
    """
    a, b, c, d = fourfold(table)
    n = _pairs(a, b, c, d)
    sure = level(conf)
    z = normal_quantile(sure)
    # The low limit of A - B is the mirrored high limit of B - A.
    low, high = -_tango_high(c, b, n, z), _tango_high(b, c, n, z)
    return Interval(low, high, sure, (b - c) / n)


def _discordant(b: int, c: int) -> tuple[list[int], int]:
    only_a, only_b = whole("b", b), whole("c", c)
    pairs = only_a + only_b
    return [comb(pairs, i) for i in range(pairs + 1)], only_a


def _pairs(a: int, b: int, c: int, d: int) -> int:
    if (n := a + b + c + d) == 0:
        raise ValueError("table: expected at least one pair, found none")
    return n


def _correlation(a: int, b: int, c: int, d: int) -> float:
    """Newcombe's phi: 0 where a margin is empty, shrunk by n/2 (at most to 0) where positive."""
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    product = a * d - b * c
    if product > 0:
        return max(product - (a + b + c + d) / 2, 0) / sqrt(margins)
    return product / sqrt(margins) if margins else 0.0


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _tango_high(b: int, c: int, n: int, z: float) -> float:
    """The largest difference that is not rejected: between (b - c)/n and 1 the score falls."""
    if b == n:
        return 1.0

    def rejected(difference: float) -> bool:
        spread = _tango_variance(b, c, n, difference)
        return n * difference - (b - c) > z * sqrt(n * spread)

    inside, outside = (b - c) / n, 1.0
    while inside < (middle := (inside + outside) / 2) < outside:
        if rejected(middle):
            outside = middle
        else:
            inside = middle
    return inside


def _tango_variance(b: int, c: int, n: int, difference: float) -> float:
    """The variance of one pair's difference under the hypothesis, per pair."""
    linear = (2 * n - b + c) * difference - b - c
    constant = -c * difference * (1 - difference)
    root = sqrt(max(0.0, linear * linear - 8 * n * constant))
    only_b = (root - linear) / (4 * n)
    return max(0.0, 2 * only_b + difference * (1 - difference))
