from __future__ import annotations

from fractions import Fraction

import pytest

from abverify.verify.stopping.regions import EVERYWHERE, Region, regions

HALF, ONE = Fraction(1, 2), Fraction(1)


def test_bounds_cut_the_line_into_points_and_gaps() -> None:
    assert list(regions([ONE, HALF, ONE])) == [
        Region(None, HALF),
        Region(HALF, HALF),
        Region(HALF, ONE),
        Region(ONE, ONE),
        Region(ONE, None),
    ]
    assert list(regions([])) == [EVERYWHERE]


@pytest.mark.parametrize(
    ("region", "counts"),
    [
        (Region(None, HALF), [0, 1]),
        (Region(HALF, HALF), [2]),
        (Region(HALF, ONE), [3]),
        (Region(ONE, ONE), [4]),
        (Region(ONE, None), []),
        (EVERYWHERE, [0, 1, 2, 3, 4]),
    ],
)
def test_a_region_holds_the_counts_whose_share_lies_in_it(
    region: Region, counts: list[int]
) -> None:
    assert list(region.counts(4, 0, 4)) == counts


def test_an_edge_between_two_counts_belongs_to_neither() -> None:
    assert list(Region(HALF, HALF).counts(3, 0, 3)) == []
    assert list(Region(HALF, None).counts(3, 0, 3)) == [2, 3]


@pytest.mark.parametrize(
    ("region", "meets"),
    [
        (Region(None, HALF), False),
        (Region(HALF, HALF), True),
        (Region(HALF, ONE), True),
        (Region(ONE, ONE), True),
        (Region(ONE, None), False),
    ],
)
def test_a_gap_does_not_meet_a_range_that_only_touches_its_edge(
    region: Region, *, meets: bool
) -> None:
    assert region.meets(HALF, ONE) is meets


def test_every_region_has_a_sample_that_lies_in_it() -> None:
    for region in regions([HALF, ONE]):
        assert region.meets(region.sample, region.sample)
