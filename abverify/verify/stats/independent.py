"""Two arms on different fixtures: Fisher's test, and an interval for the difference.

Where both arms saw the same fixtures, the paired and stratified functions are the right ones.
"""

from __future__ import annotations

from math import exp, inf, log, nan, sqrt
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.verify.stats._arguments import Alternative, fourfold, level, part, sided
from abverify.verify.stats._counting import hypergeometric, tail
from abverify.verify.stats.intervals import Interval, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@frozen
class FisherTest:
    """What Fisher's exact test says of a 2 by 2 table.

    Attributes:
        p_value: the exact conditional p value.
        odds_ratio: the conditional maximum-likelihood estimate, as R prints it; 0 or infinite at
            the ends of what the margins allow, NaN where they allow one table only.
        low: the exact lower limit of the odds ratio, as R prints it; 0 for `less`.
        high: the exact upper limit; infinite for `greater`.
        conf: the confidence level of the limits, two-sided or one-sided like the test.
        sample_odds_ratio: a·d / (b·c), as scipy prints it; infinite or NaN where b·c = 0.
        alternative: `two-sided`, `greater` or `less`.
    """

    p_value: float
    odds_ratio: float
    low: float
    high: float
    conf: float
    sample_odds_ratio: float
    alternative: Alternative

    def __float__(self) -> float:
        return self.p_value


def fisher_exact(
    table: Iterable[Iterable[int]], alternative: str = "two-sided", conf: float = 0.95
) -> FisherTest:
    """Fisher's exact test of a 2 by 2 table, given its margins.

    Two-sided is the sum over all tables no more probable than the one seen, compared as integers.
    Conservative: Boschloo's test finds more at the same guaranteed level.

    Args:
        table: [[a, b], [c, d]]; the groups may stand in rows or in columns.
        alternative: `two-sided`; `greater`: the odds ratio is above 1; `less`: below 1.
        conf: confidence level of the odds ratio's limits, between 0 and 1.

    Raises:
        ValueError: if the table is not 2 by 2 or not of counts, the alternative is unknown, or
            conf is not inside (0, 1).

    Source: Fisher, Journal of the Royal Statistical Society 98 (1935) 39-82. R: `fisher.test`.
    """
    side, sure = sided(alternative), level(conf)
    a, b, c, d = fourfold(table)
    least, weights = hypergeometric(a + b, c + d, a + c)
    at = a - least
    sample = a * d / (b * c) if b * c else inf if a * d else nan
    logs = [log(weight) for weight in weights]
    return FisherTest(
        float(tail(weights, at, side)),
        _odds_ratio(logs, at),
        *_limits(logs, at, sure, side),
        sure,
        sample,
        side,
    )


def newcombe_indep_diff(x1: int, n1: int, x2: int, n2: int, conf: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval for the difference of two independent rates, 1 minus 2.

    Joins the two Wilson intervals, without continuity correction (his method 10).

    Args:
        x1: successes of the first group.
        n1: its trials, at least 1.
        x2: successes of the second group.
        n2: its trials, at least 1.
        conf: confidence level, between 0 and 1.

    Raises:
        ValueError: if not 0 <= x <= n and n >= 1 in both groups, or conf is not inside (0, 1).

    Source: Newcombe, Statistics in Medicine 17 (1998) 873-890.
    """
    one = wilson(*part(x1, n1, ("x1", "n1")), conf)
    two = wilson(*part(x2, n2, ("x2", "n2")), conf)
    difference = one.estimate - two.estimate
    down = sqrt((one.estimate - one.low) ** 2 + (two.high - two.estimate) ** 2)
    up = sqrt((one.high - one.estimate) ** 2 + (two.estimate - two.low) ** 2)
    return Interval(max(-1.0, difference - down), min(1.0, difference + up), one.conf, difference)


def _odds_ratio(logs: Sequence[float], at: int) -> float:
    """The odds ratio under which the first cell is expected to be what it is."""
    last = len(logs) - 1
    if last == 0:
        return nan
    if at in {0, last}:
        return 0.0 if at == 0 else inf
    return _solved(
        lambda log_odds: sum(i * share for i, share in enumerate(_shares(logs, log_odds))) - at
    )


def _limits(logs: Sequence[float], at: int, conf: float, side: Alternative) -> tuple[float, float]:
    """The odds ratios that the one-sided tests do not reject at 1 - conf, halved if two-sided."""
    out = (1 - conf) / 2 if side == "two-sided" else 1 - conf
    low, high = 0.0, inf
    if side != "less" and at > 0:
        low = _solved(lambda log_odds: sum(_shares(logs, log_odds)[at:]) - out)
    if side != "greater" and at < len(logs) - 1:
        high = _solved(lambda log_odds: out - sum(_shares(logs, log_odds)[: at + 1]))
    return low, high


def _solved(rising: Callable[[float], float]) -> float:
    """The odds ratio at which a function that rises with its logarithm is 0."""
    bound = 1.0
    while rising(bound) < 0 or rising(-bound) > 0:
        bound *= 2
    low, high = -bound, bound
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return exp(low)


def _shares(logs: Sequence[float], log_odds: float) -> list[float]:
    """The noncentral hypergeometric distribution of the first cell, from its least value up."""
    heights = [height + i * log_odds for i, height in enumerate(logs)]
    top = max(heights)
    shares = [exp(height - top) for height in heights]
    total = sum(shares)
    return [share / total for share in shares]
