"""What may be said of two arms: the lattice of conclusions and levels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.experiment.conclusion import Coverage, conclude
from abverify.verify.experiment.effects import adjusted, counted_effect
from tests.unit.verify.experiment.arms import arms, effect, pairs, rule, zero_against

WHOLE = Coverage("bench", 20, 20)


def said(
    successes: int, *, of: int = 20, coverage: Coverage = WHOLE, **changes: Any
) -> tuple[str, list[str]]:
    """The conclusion and reason codes for a control at 0 against some successes."""
    seen = effect(zero_against(successes, of), **changes)
    conclusion, reasons = conclude(arms(), coverage, seen, None, rule(**changes))
    return conclusion, [reason.code for reason in reasons]


class TestConfirmed:
    def test_nothing_of_20_against_19_of_20_is_confirmed(self) -> None:
        assert said(19) == ("confirmed", ["confirmed"])

    @pytest.mark.parametrize(("flips", "conclusion"), [(5, "inconclusive"), (6, "confirmed")])
    def test_six_of_twenty_must_flip_two_sided(self, flips: int, conclusion: str) -> None:
        assert said(flips)[0] == conclusion

    @pytest.mark.parametrize(("flips", "conclusion"), [(4, "inconclusive"), (5, "confirmed")])
    def test_five_of_twenty_must_flip_one_sided(self, flips: int, conclusion: str) -> None:
        assert said(flips, sided="one")[0] == conclusion

    def test_an_effect_in_the_other_direction_is_not_confirmed(self) -> None:
        seen = effect(pairs(*[(1, 0)] * 19, (0, 0)))
        assert conclude(arms(), WHOLE, seen, None, rule())[0] == "refuted"

    def test_the_declared_direction_may_be_lower(self) -> None:
        seen = effect(pairs(*[(1, 0)] * 19, (0, 0)), direction="lower")
        assert conclude(arms(), WHOLE, seen, None, rule(direction="lower"))[0] == "confirmed"

    def test_one_fixture_at_four_seeds_is_enough(self) -> None:
        seen = effect(pairs((0, 4), k=4))
        assert float(seen.p) == pytest.approx(2 / 70)
        coverage = Coverage("bench", 1, 1, seeds=4)
        assert conclude(arms(), coverage, seen, None, rule())[0] == "confirmed"
        assert coverage.level == "bench-repeated"

    def test_a_family_of_two_asks_for_half_the_level(self) -> None:
        (seen,) = adjusted([effect(zero_against(6))], members=2)
        assert float(seen.p_adjusted) == pytest.approx(2 * 2 / 2**6)
        assert conclude(arms(), WHOLE, seen, None, rule())[0] == "inconclusive"


class TestConfounded:
    def test_a_second_knob_confounds_whatever_the_numbers_say(self) -> None:
        between = arms(sampling__temperature="0.7")
        conclusion, reasons = conclude(between, WHOLE, effect(zero_against(19)), None, rule())
        assert conclusion == "confounded"
        (reason,) = reasons
        assert reason.rule == "AV604"
        assert "sampling.temperature" in reason.message
        assert reason.expected == "sampling.temperature=0.3 in both arms"
        assert reason.found == "sampling.temperature=0.7"

    def test_every_confound_is_listed(self) -> None:
        between = arms(sampling__top_k=40, model__template_sha256="1" * 64)
        _, reasons = conclude(between, WHOLE, effect(zero_against(19)), None, rule())
        assert [r.found.split("=")[0] for r in reasons if r.found] == [
            "model.template_sha256",
            "sampling.top_k",
        ]

    def test_the_confounds_are_named_in_words(self) -> None:
        between = arms(model__template_sha256="1" * 64, model__tokenizer_sha256="2" * 64)
        _, reasons = conclude(between, WHOLE, effect(zero_against(19)), None, rule())
        assert reasons[0].message.startswith(
            "chat template, tokenizer, adapter and adapter scale changed together, and of them the"
            " variable is adapter and adapter scale: model.template_sha256 differs"
        )


class TestInconclusive:
    def test_identical_arms_are_never_confirmed(self) -> None:
        same = arms(model__adapter_sha256=None, model__adapter_scale=None)
        conclusion, reasons = conclude(same, WHOLE, effect(zero_against(20)), None, rule())
        assert (conclusion, reasons[0].code) == ("inconclusive", "identical-arms")

    def test_two_zero_arms_carry_no_weight_and_quote_the_bound(self) -> None:
        conclusion, reasons = conclude(arms(), WHOLE, effect(zero_against(0)), None, rule())
        assert (conclusion, reasons[0].code) == ("inconclusive", "no-weight")
        assert "16.8%" in reasons[0].message

    @pytest.mark.parametrize("of", [25, 100, 1000])
    def test_no_number_of_zeros_refutes(self, of: int) -> None:
        assert said(0, of=of, coverage=Coverage("bench", of, of)) == ("inconclusive", ["no-weight"])

    def test_two_arms_that_always_succeed_carry_no_weight_either(self) -> None:
        seen = effect(pairs(*[(1, 1)] * 40))
        conclusion, reasons = conclude(arms(), WHOLE, seen, None, rule())
        assert (conclusion, reasons[0].code) == ("inconclusive", "no-weight")

    def test_not_significant_is_not_refuted(self) -> None:
        assert said(2) == ("inconclusive", ["underpowered"])

    def test_uncounted_trials_say_nothing(self) -> None:
        assert conclude(arms(), WHOLE, None, None, rule())[1][0].code == "not-told"


class TestRefuted:
    @pytest.mark.parametrize(("of", "conclusion"), [(20, "inconclusive"), (60, "refuted")])
    def test_the_90_percent_limit_must_lie_within_delta_min(self, of: int, conclusion: str) -> None:
        seen = effect(pairs((0, 1), (1, 0), *[(1, 1)] * (of // 2 - 1), *[(0, 0)] * (of // 2 - 1)))
        assert (seen.bound.high < 0.1) == (conclusion == "refuted")
        assert conclude(arms(), WHOLE, seen, None, rule())[0] == conclusion

    def test_it_says_which_limit_excludes_what(self) -> None:
        seen = effect(pairs(*[(1, 1)] * 30, *[(0, 0)] * 30))
        _, (reason,) = conclude(arms(), WHOLE, seen, None, rule())
        assert reason.rule == "AV612"
        assert reason.found is not None
        assert reason.found.startswith("limit +0.0")


class TestLevels:
    @pytest.mark.parametrize(
        ("coverage", "level"),
        [
            (Coverage("smoke", 1, 20), "smoke"),
            (Coverage("bench", 19, 20), "bench-partial"),
            (Coverage("bench", 20, 20), "bench"),
            (Coverage("bench", 20, 20, seeds=3), "bench"),
            (Coverage("bench", 20, 20, seeds=4), "bench-repeated"),
        ],
    )
    def test_a_level_is_what_was_measured(self, coverage: Coverage, level: str) -> None:
        assert coverage.level == level

    @pytest.mark.parametrize("stage", ["smoke", "bench"])
    @pytest.mark.parametrize("successes", range(0, 21, 5))
    def test_below_the_whole_bench_nothing_is_confirmed_or_refuted(
        self, stage: str, successes: int
    ) -> None:
        coverage = Coverage(stage, 19, 20)  # type: ignore[arg-type]
        conclusion, codes = said(successes, coverage=coverage)
        assert conclusion == "inconclusive"
        assert codes[0] == "observed"

    def test_what_nobody_hashed_is_not_confirmed(self) -> None:
        assert said(19, coverage=Coverage("bench", 20, 20, attested=False)) == (
            "inconclusive",
            ["observed", "identity-unproven"],
        )

    def test_a_rule_may_ask_for_a_stronger_level(self) -> None:
        assert said(19, level="bench-repeated")[0] == "inconclusive"
        repeated = Coverage("bench", 20, 20, seeds=5)
        assert said(19, coverage=repeated, level="bench-repeated")[0] == "confirmed"


class TestNecessaryNotSufficient:
    def test_calls_appear_and_passes_do_not(self) -> None:
        passes, calls = effect(zero_against(0)), effect(zero_against(19), role="mediator")
        conclusion, reasons = conclude(arms(), WHOLE, passes, calls, rule())
        assert conclusion == "necessary-not-sufficient"
        assert "at most 16.8%" in reasons[0].message

    def test_a_pass_is_more_than_that(self) -> None:
        passes, calls = effect(zero_against(1)), effect(zero_against(19), role="mediator")
        assert conclude(arms(), WHOLE, passes, calls, rule())[0] == "inconclusive"

    def test_without_an_effect_on_calls_two_zero_arms_stay_inconclusive(self) -> None:
        passes, calls = effect(zero_against(0)), effect(zero_against(2), role="mediator")
        assert conclude(arms(), WHOLE, passes, calls, rule())[0] == "inconclusive"

    def test_a_smoke_test_cannot_show_it(self) -> None:
        one = Coverage("smoke", 1, 20)
        passes, calls = effect(zero_against(0, 20)), effect(zero_against(20, 20))
        assert conclude(arms(), one, passes, calls, rule())[0] == "inconclusive"


class TestCountsWithoutPairs:
    def test_unpaired_arms_are_compared_by_boschloo(self) -> None:
        seen = counted_effect("calls", "primary", (0, 20), (4, 20), rule(sided="one"))
        assert float(seen.p) == pytest.approx(0.0304934, abs=5e-7)


STRENGTH = {"refuted": 0, "inconclusive": 1, "confirmed": 2}
CELLS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30)


@given(CELLS, st.data())
def test_a_further_success_of_the_treatment_never_weakens_what_is_said(
    cells: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Monotone, but for the ends where both arms agree and no weight is given."""
    at = data.draw(st.integers(0, len(cells) - 1))
    more = [*cells[:at], (cells[at][0], 1), *cells[at + 1 :]]
    before, after = (
        conclude(arms(), Coverage("bench", len(c), len(c)), effect(pairs(*c)), None, rule())
        for c in (cells, more)
    )
    if "no-weight" not in {reason.code for reason in (*before[1], *after[1])}:
        assert STRENGTH[after[0]] >= STRENGTH[before[0]]


@given(CELLS)
def test_one_bench_is_never_both_confirmed_and_refuted_in_opposite_directions(
    cells: list[tuple[int, int]],
) -> None:
    coverage = Coverage("bench", len(cells), len(cells))
    higher, lower = (
        conclude(arms(), coverage, effect(pairs(*cells), direction=d), None, rule(direction=d))[0]
        for d in ("higher", "lower")
    )
    assert {higher, lower} != {"confirmed"}
    if higher == "confirmed":
        assert lower == "refuted"
