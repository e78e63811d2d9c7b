"""Beta quantiles at whole-number parameters, from the binomial tail that they invert.

A verdict quotes one such interval, and scipy takes longer to import than all else that a verdict
needs: these few lines decide that limit to the last bits of a float, and scipy is the test.
"""

from __future__ import annotations

from math import comb, exp, log, log1p

LARGEST = 2000
"""The largest sum of both parameters; the tail has at most so many terms."""

_STEPS = 200
_CLOSE = 2.0**-52


def beta_quantile(a: int, b: int, below: float) -> float:
    """The x at which a Beta(a, b) variable lies below x with probability `below`.

    Newton's method on the tail P(Bin(a+b-1, x) ≥ a), which is that probability, with bisection
    where a step would leave the interval known to hold the root.

    Args:
        a: first parameter, at least 1.
        b: second parameter, at least 1; a + b is at most `LARGEST`.
        below: the probability, above 0 and at most a half: nearer to 1 it says little of x.
    """
    trials = a + b - 1
    ways = log(comb(trials, a))
    low, high = 0.0, 1.0
    x = a / (a + b)
    for _ in range(_STEPS):
        first = exp(ways + a * log(x) + (trials - a) * log1p(-x))
        miss = first * _tail_over_first(a, trials, x) - below
        low, high = (x, high) if miss < 0 else (low, x)
        slope = first * a / x
        step = x - miss / slope if slope else -1.0
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= _CLOSE * x:
            return following
        x = following
    return x


def _tail_over_first(a: int, trials: int, x: float) -> float:
    """P(Bin(trials, x) ≥ a) over its first term, P(Bin(trials, x) = a): all terms positive."""
    total = term = 1.0
    odds = x / (1 - x)
    for k in range(a, trials):
        term *= (trials - k) / (k + 1) * odds
        total += term
        if term <= _CLOSE * total and (trials - k) * odds < k:
            break
    return total
