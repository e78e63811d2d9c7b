"""Tests by permutation, every arrangement counted: within fixtures, and over fixtures."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import lcm
from numbers import Rational
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.verify.stats._arguments import Alternative, fourfold, part, sided
from abverify.verify.stats._counting import hypergeometric, tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@frozen
class PermutationTest:
    """What a permutation test says; nothing in it is sampled.

    Attributes:
        p_value: the p value, for people.
        exact: the same as a fraction, to compare with a level without rounding.
        statistic: what was seen: the passes of arm A, or the sum of the differences.
        expected: its mean over all arrangements.
        informative: the strata, or the differences, that some arrangement could change; with
            none, the p value is 1 and the data say nothing.
        alternative: `two-sided`, `greater` or `less`.
    """

    p_value: float
    exact: Fraction
    statistic: Fraction
    expected: Fraction
    informative: int
    alternative: Alternative

    def __float__(self) -> float:
        return self.p_value


def stratified_exact_permutation(
    strata: Iterable[Sequence[float] | Sequence[Sequence[float]]], alternative: str = "two-sided"
) -> PermutationTest:
    """The exact permutation test within fixtures over seeds: does the arm matter on this bench?

    Given each fixture's passes, every way of dealing them to its trials is equally likely when the
    arm makes no difference; the statistic is arm A's passes over all fixtures. With one seed for
    each arm this is McNemar's exact test; with one fixture, Fisher's. Two-sided is the sum
    over all totals no more probable than the one seen.

    Args:
        strata: for each fixture (passes_a, n_a, passes_b, n_b), or the table
            [[passes_a, fails_a], [passes_b, fails_b]].
        alternative: `two-sided`; `greater`: A passes more often; `less`: B does.

    Raises:
        ValueError: if there is no stratum, one has another shape or impossible counts, or the
            alternative is unknown.

    Source: Mantel and Haenszel, JNCI 22 (1959) 719-748; exact: Gart, Biometrika 57 (1970) 471-475.
        R: `mantelhaen.test(exact = TRUE)`.
    """
    side = sided(alternative)
    cells = [_stratum(stratum) for stratum in strata]
    if not cells:
        raise ValueError("strata: expected at least one, found none")
    least, weights, informative, expected = 0, [1], 0, Fraction(0)
    for x1, n1, x2, n2 in cells:
        start, ways = hypergeometric(n1, n2, x1 + x2)
        least, weights = least + start, _convolved(weights, ways)
        informative += len(ways) > 1
        expected += Fraction(n1 * (x1 + x2), n1 + n2)
    seen = sum(x1 for x1, *_ in cells)
    p = tail(weights, seen - least, side)
    return PermutationTest(float(p), p, Fraction(seen), expected, informative, side)


def sign_flip_permutation(
    differences: Iterable[int | str | Rational], alternative: str = "two-sided"
) -> PermutationTest:
    """The exact sign-flip test of one difference for each fixture: would other fixtures agree?

    If neither arm is better, each fixture's difference is as likely to have the other sign. The
    test takes fixtures for a sample of a population; it needs more of them than the stratified
    test, and answers more. Two-sided is the share of sign patterns whose sum is at least as
    far from 0 as the one seen.

    Args:
        differences: A minus B for each fixture: passes, fractions or decimal texts, not floats,
            because ties decide and rounding breaks them. Time and memory grow with the
            number of distinct sums.
        alternative: `two-sided`; `greater`: A is better; `less`: B is.

    Raises:
        ValueError: if there is no difference, one is no exact number, or the alternative is
            unknown.

    Source: Fisher, The Design of Experiments (1935), section 21.
    """
    side = sided(alternative)
    exact = [_exact(difference) for difference in differences]
    if not exact:
        raise ValueError("differences: expected at least one, found none")
    scale = lcm(*(value.denominator for value in exact))
    steps = [int(value * scale) for value in exact]
    sums = Counter({0: 1})
    for step in steps:
        flipped: Counter[int] = Counter()
        for total, ways in sums.items():
            flipped[total + step] += ways
            flipped[total - step] += ways
        sums = flipped
    seen = sum(steps)
    p = Fraction(sum(w for s, w in sums.items() if _extreme(s, seen, side)), 2 ** len(steps))
    informative = sum(step != 0 for step in steps)
    return PermutationTest(float(p), p, Fraction(seen, scale), Fraction(0), informative, side)


def _stratum(stratum: Iterable[Any]) -> tuple[int, int, int, int]:
    cells = list(stratum) if hasattr(stratum, "__iter__") else []
    if len(cells) == 4 and not any(hasattr(cell, "__len__") for cell in cells):  # noqa: PLR2004
        x1, n1, x2, n2 = cells
        return *part(x1, n1, ("passes_a", "n_a")), *part(x2, n2, ("passes_b", "n_b"))
    try:
        a, b, c, d = fourfold(cells)
    except ValueError:
        raise ValueError(
            "stratum: expected (passes_a, n_a, passes_b, n_b) or"
            f" [[passes_a, fails_a], [passes_b, fails_b]], found {stratum!r}"
        ) from None
    return *part(a, a + b, ("passes_a", "n_a")), *part(c, c + d, ("passes_b", "n_b"))


def _convolved(one: Sequence[int], other: Sequence[int]) -> list[int]:
    result = [0] * (len(one) + len(other) - 1)
    for i, first in enumerate(one):
        for j, second in enumerate(other):
            result[i + j] += first * second
    return result


def _exact(difference: int | str | Rational) -> Fraction:
    if isinstance(difference, str | Rational):
        try:
            return Fraction(difference)
        except (ValueError, ZeroDivisionError):
            pass
    raise ValueError(
        f"difference: expected a whole number, a fraction or a decimal text, found {difference!r}"
    )


def _extreme(total: int, seen: int, side: Alternative) -> bool:
    if side == "two-sided":
        return abs(total) >= abs(seen)
    return total >= seen if side == "greater" else total <= seen
