"""Effects between two arms: differences, exact limits, exact tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.experiment.confounds import difference
from abverify.verify.experiment.effects import adjusted
from abverify.verify.experiment.interval import exact_difference
from abverify.verify.experiment.pairing import FixturePair
from abverify.verify.stats import clopper_pearson, mcnemar_exact, newcombe_paired_diff
from tests.unit.verify.experiment.arms import effect, pairs, zero_against

if TYPE_CHECKING:
    from random import Random


@st.composite
def benches(draw: st.DrawFn) -> tuple[FixturePair, ...]:
    """Some fixtures, each with as many seeds as the others."""
    k = draw(st.integers(1, 4))
    cell = st.tuples(st.integers(0, k), st.integers(0, k))
    return pairs(*draw(st.lists(cell, min_size=1, max_size=8)), k=k)


def swapped(cells: tuple[FixturePair, ...]) -> tuple[FixturePair, ...]:
    return tuple(FixturePair(pair.fixture, pair.treatment, pair.control) for pair in cells)


class TestNothingAgainstNineteenOfTwenty:
    def test_the_difference(self) -> None:
        assert float(effect(zero_against(19)).difference) == 0.95

    def test_the_exact_p_is_mcnemars(self) -> None:
        assert float(effect(zero_against(19)).p) == 2 / 2**19 == mcnemar_exact(19, 0)

    def test_the_exact_limits_are_those_of_the_winners_share(self) -> None:
        interval = effect(zero_against(19)).interval
        share = clopper_pearson(19, 19).low
        assert interval.low == pytest.approx((2 * share - 1) * 19 / 20)
        assert interval.low == pytest.approx(0.6147, abs=5e-5)
        assert interval.high == 0.95


class TestOneBench:
    def test_four_of_four_against_none_is_one_in_seventy_two_sided(self) -> None:
        assert float(effect(pairs((0, 4), k=4)).p) == pytest.approx(2 / 70)

    def test_without_a_differing_pair_p_is_1_and_the_limits_are_newcombes(self) -> None:
        seen = effect(zero_against(0))
        assert tuple(seen.interval) == pytest.approx((-0.161, 0.161), abs=5e-4)
        assert float(seen.p) == 1
        assert seen.method == "Newcombe, paired: no pair differs"

    def test_the_refuting_limit_is_newcombes_at_90_percent(self) -> None:
        seen = effect(zero_against(0))
        assert seen.bound.high == newcombe_paired_diff([[0, 0], [0, 20]], 0.9).high

    @given(benches())
    def test_the_interval_excludes_zero_exactly_when_the_test_rejects(
        self, cells: tuple[FixturePair, ...]
    ) -> None:
        seen = effect(cells)
        excludes = seen.deciding is not None and not seen.deciding.low <= 0 <= seen.deciding.high
        if abs(float(seen.p) - 0.05) > 1e-9:
            assert excludes == (float(seen.p) <= 0.05)

    @given(benches(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
    def test_the_interval_holds_the_estimate_and_widens_with_its_level(
        self, cells: tuple[FixturePair, ...], conf: float
    ) -> None:
        interval, wider = exact_difference(cells, conf), exact_difference(cells, 0.999)
        if interval is not None and wider is not None:
            assert -1 <= wider.low <= interval.low + 1e-9
            assert interval.low - 1e-9 <= interval.estimate <= interval.high + 1e-9
            assert interval.high - 1e-9 <= wider.high <= 1


class TestSwappingTheArms:
    @given(benches())
    def test_flips_every_sign_and_leaves_p(self, cells: tuple[FixturePair, ...]) -> None:
        one, other = effect(cells), effect(swapped(cells))
        assert one.difference == -other.difference
        assert one.p == other.p
        assert one.bound.low == pytest.approx(-other.bound.high)
        assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)

    @given(benches())
    def test_also_for_a_population_of_fixtures(self, cells: tuple[FixturePair, ...]) -> None:
        one = effect(cells, estimand="fixture_population")
        other = effect(swapped(cells), estimand="fixture_population")
        assert (one.difference, one.p) == (-other.difference, other.p)


class TestTheOrderOfTheFixtures:
    @given(benches(), st.randoms())
    def test_changes_nothing(self, cells: tuple[FixturePair, ...], random: Random) -> None:
        shuffled = random.sample(cells, len(cells))
        for estimand in ("this_bench", "fixture_population"):
            one, other = (effect(c, estimand=estimand) for c in (cells, shuffled))
            assert (one.p, one.difference) == (other.p, other.difference)
            assert tuple(one.interval) == pytest.approx(tuple(other.interval), abs=1e-9)


class TestTwoEstimands:
    def test_about_other_fixtures_one_fixture_says_nothing(self) -> None:
        cells = pairs((0, 4), k=4)
        assert effect(cells, estimand="fixture_population").p == 1
        assert float(effect(cells).p) < 0.05

    def test_at_one_seed_both_are_mcnemar(self) -> None:
        cells = zero_against(6)
        for estimand in ("this_bench", "fixture_population"):
            assert float(effect(cells, estimand=estimand).p) == 2 / 2**6


def test_about_a_population_the_widest_limits_over_the_seeds_stand() -> None:
    """The second seed shows nothing, and its limits reach further down than the first's."""
    cells = tuple(FixturePair(f"f{n}", (False, False), (True, n < 5)) for n in range(10))
    each = [newcombe_paired_diff([[0, won], [0, 10 - won]], 0.95) for won in (10, 5)]
    interval = effect(cells, estimand="fixture_population").interval
    assert tuple(interval) == (each[1].low, each[0].high)


def test_a_number_and_a_truth_value_are_two_values_of_a_lock() -> None:
    found = difference({"engine.flash_attn": True}, {"engine.flash_attn": 1}, ())
    assert [confound.key for confound in found.confounds] == ["engine.flash_attn"]


def test_holm_pays_for_every_member_of_a_family() -> None:
    seen = [effect(zero_against(n)) for n in (6, 8)]
    assert [float(e.p_adjusted) for e in adjusted(seen)] == pytest.approx([2 / 2**6, 4 / 2**8])
    assert [float(e.p_adjusted) for e in adjusted(seen, members=3)] == pytest.approx(
        [6 / 2**6, 12 / 2**8]
    )


def test_a_family_of_one_is_not_adjusted() -> None:
    (seen,) = adjusted([effect(zero_against(6))])
    assert seen.p_adjusted == seen.p


@pytest.mark.parametrize(("control", "treatment"), [((True,), ()), ((), ())])
def test_a_pair_has_as_many_trials_in_each_arm(
    control: tuple[bool, ...], treatment: tuple[bool, ...]
) -> None:
    with pytest.raises(ValueError, match="as many trials in each arm"):
        FixturePair("unix__01-head", control, treatment)
