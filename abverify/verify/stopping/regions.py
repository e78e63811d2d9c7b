"""The number line cut at a criterion's bounds: within a region no comparison can tell values apart.

So a criterion has to be evaluated once for each region that a metric can still end in, however
many values there are.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@frozen
class Region:
    """A point, or an open interval between two neighbouring bounds.

    Attributes:
        low: the bound below; None where there is none.
        high: the bound above, or the point itself when both are equal; None where there is none.
    """

    low: Fraction | None
    high: Fraction | None

    @property
    def is_point(self) -> bool:
        """Whether the region is one number."""
        return self.low is not None and self.low == self.high

    @property
    def sample(self) -> Fraction:
        """Some number of the region: any other gives every comparison the same answer."""
        if self.low is None:
            return Fraction(0) if self.high is None else self.high - 1
        return self.low + 1 if self.high is None else (self.low + self.high) / 2

    def meets(self, least: Fraction, most: Fraction) -> bool:
        """Whether some number from `least` to `most`, both included, lies in the region."""
        if self.is_point:
            return self.low is not None and least <= self.low <= most
        below = self.low is not None and most <= self.low
        above = self.high is not None and least >= self.high
        return not below and not above

    def counts(self, denominator: int, least: int, most: int) -> range:
        """The integers from `least` to `most` whose share of `denominator` lies in the region."""
        if self.low is not None:
            scaled = self.low * denominator
            least = max(least, ceil(scaled) if self.is_point else floor(scaled) + 1)
        if self.high is not None:
            scaled = self.high * denominator
            most = min(most, floor(scaled) if self.is_point else ceil(scaled) - 1)
        return range(least, most + 1)


EVERYWHERE = Region(None, None)


def regions(bounds: Iterable[Fraction]) -> Iterator[Region]:
    """The points and gaps that the bounds make, from the lowest to the highest."""
    cuts = sorted(set(bounds))
    edges: list[Fraction | None] = [None, *cuts, None]
    for low, high in pairwise(edges):
        yield Region(low, high)
        if high is not None:
            yield Region(high, high)
