"""Adjusted p values: published families, and the laws that every adjustment keeps."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.stats import p_adjust

METHODS = ["holm", "hochberg", "hommel", "bonferroni", "BH", "fdr", "BY", "none"]
FAMILIES = st.lists(st.floats(0, 1), max_size=12)
THROMBOLYSIS = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]
"""The 15 comparisons of Benjamini and Hochberg, JRSS B 57 (1995), section 4.1."""


@pytest.mark.parametrize(("method", "rejected"), [("BH", 4), ("bonferroni", 3), ("hochberg", 3)])
def test_benjamini_and_hochberg_reject_four_where_bonferroni_rejects_three(
    method: str, rejected: int
) -> None:
    assert sum(p <= 0.05 for p in p_adjust(THROMBOLYSIS, method)) == rejected


@pytest.mark.parametrize(
    ("method", "adjusted"),
    [
        ("holm", (0.03, 0.06, 0.06, 0.02)),
        ("hochberg", (0.03, 0.04, 0.04, 0.02)),
        ("hommel", (0.03, 0.04, 0.04, 0.02)),
        ("bonferroni", (0.04, 0.16, 0.12, 0.02)),
        ("BH", (0.02, 0.04, 0.04, 0.02)),
        ("BY", (1 / 24, 1 / 12, 1 / 12, 1 / 24)),
        ("none", (0.01, 0.04, 0.03, 0.005)),
    ],
)
def test_a_family_worked_by_hand(method: str, adjusted: tuple[float, ...]) -> None:
    assert p_adjust([0.01, 0.04, 0.03, 0.005], method) == pytest.approx(adjusted)


@given(FAMILIES)
def test_holm_is_the_default(family: list[float]) -> None:
    assert p_adjust(family) == p_adjust(family, "holm")


@pytest.mark.parametrize("method", METHODS)
@given(family=FAMILIES)
def test_adjusting_keeps_the_order_and_never_flatters(method: str, family: list[float]) -> None:
    adjusted = p_adjust(family, method)

    assert all(p <= q <= 1 for p, q in zip(family, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(family, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@given(FAMILIES)
def test_the_sharper_method_is_never_above_the_blunter(family: list[float]) -> None:
    columns = [p_adjust(family, method) for method in ("hommel", "hochberg", "holm", "bonferroni")]

    for column in zip(*columns, strict=True):
        assert all(a <= b + 1e-12 for a, b in pairwise(column))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_hommel_is_the_closure_of_simes_test(family: list[float]) -> None:
    """By definition: the largest Simes p value of all subsets that hold the member."""

    def simes(subset: tuple[int, ...]) -> float:
        ranked = sorted(family[i] for i in subset)
        return min(len(ranked) * p / (i + 1) for i, p in enumerate(ranked))

    everything = range(len(family))
    subsets = [c for size in range(1, len(family) + 1) for c in combinations(everything, size)]
    expected = [max(simes(s) for s in subsets if i in s) for i in everything]

    assert p_adjust(family, "hommel") == pytest.approx(expected)


@pytest.mark.parametrize("method", ["bh", "by"])
@given(family=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_scipys_false_discovery_control_agrees(method: Any, family: list[float]) -> None:
    from scipy.stats import false_discovery_control

    theirs = false_discovery_control(family, method=method)

    assert p_adjust(family, method) == pytest.approx(list(theirs))


@pytest.mark.parametrize("method", METHODS)
def test_one_hypothesis_needs_no_adjustment_and_none_has_none(method: str) -> None:
    assert p_adjust([0.03], method) == pytest.approx((0.03,))
    assert p_adjust([], method) == ()


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="p: expected a probability"):
        p_adjust([0.5, p])


def test_an_unknown_method_is_refused_and_the_known_are_listed() -> None:
    with pytest.raises(ValueError, match=r"holm, hochberg, hommel, .*found 'sidak'"):
        p_adjust([0.5], "sidak")
