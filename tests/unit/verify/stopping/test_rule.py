"""Where the declared rules stop a bench: at the first prefix after which nothing can change."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.evidence.order import order_sha256, trial_order
from abverify.evidence.trials import TrialResult, counted, fold_trials
from abverify.verify.stopping.rule import Stopping
from abverify.verify.stopping.saved import stop_line
from tests.builders import contract, failed_trial
from tests.unit.verify.stopping.benches import Bench, End, Key, result

if TYPE_CHECKING:
    from abverify.model.contract import Contract

PASS: End = (("native",), True, False)
FAIL: End = (("native",), False, False)
ORDER = tuple((name, 1) for name in "abcdef")
BOTH = ("failure-certain", "success-certain")


def rules(*names: str, at_least: int = 2, order: tuple[Key, ...] = ORDER) -> Stopping:
    law = contract(
        evidence__bench__stop=list(names),
        criteria=[{"id": "oracle", "metric": "oracle_passed", "at_least": at_least}],
    )
    return Stopping(law.evidence.bench.stop_rules, law.criteria, order, max_turns=4)


def played(text: str, order: tuple[Key, ...] = ORDER) -> dict[Key, TrialResult]:
    """The first trials of a bench: `+` passed, `-` failed, `?` broke off."""
    broken = counted(fold_trials(failed_trial("x", outcome="infrastructure_failure")))["x", 1]
    ends = {"+": PASS, "-": FAIL}
    return {
        key: broken if sign == "?" else result(key, ends[sign])
        for key, sign in zip(order, text, strict=False)
    }


@pytest.mark.parametrize(
    ("outcomes", "fired", "after"),
    [
        ("+-+---", "success-certain", 3),
        ("++----", "success-certain", 2),
        ("-----+", "failure-certain", 5),
        ("+----+", None, 6),
        ("+-----", None, 6),
    ],
)
def test_two_of_six_stop_at_the_second_pass_or_where_two_cannot_be_reached_any_more(
    outcomes: str, fired: str | None, after: int
) -> None:
    stop = rules(*BOTH).stop(played(outcomes))

    assert (stop.fired, len(stop.counted)) == (fired, after)
    assert stop.remaining == ORDER[after:]


def test_a_rule_that_is_not_declared_stops_nothing() -> None:
    assert rules("failure-certain").stop(played("++----")).fired is None
    assert rules("success-certain").stop(played("-----+")).fired is None


@pytest.mark.parametrize(
    ("outcomes", "needed"), [("", 6), ("+", 6), ("++", 2), ("+-+", 3), ("-----", 5), ("?++", 3)]
)
def test_the_trials_that_are_needed_fall_to_the_stop_once_it_is_known(
    outcomes: str, needed: int
) -> None:
    assert rules(*BOTH).needed(played(outcomes)) == needed


def test_a_trial_that_broke_off_is_run_again_before_the_bench_has_stopped() -> None:
    broken = played("?++")

    assert rules(*BOTH).stop(broken).fired is None
    assert rules(*BOTH).stop(broken | played("-")).counted == ORDER[:3]
    assert rules(*BOTH).stop(broken | played("+")).counted == ORDER[:2]


def test_at_least_one_trial_is_run_however_certain_the_verdict_is() -> None:
    assert rules(*BOTH, at_least=0).needed({}) == 1
    assert rules(*BOTH, at_least=7).needed({}) == 1
    assert rules(*BOTH, at_least=7).stop(played("-")).fired == "failure-certain"


BENCH = Bench(ORDER[:5], (PASS, FAIL))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    declared=st.sampled_from([BOTH, BOTH[:1], BOTH[1:]]),
    bounds=st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_a_rule_fires_after_a_prefix_if_and_only_if_all_its_completions_agree(
    declared: tuple[str, ...], bounds: tuple[int, int]
) -> None:
    law = contract(
        evidence__bench__stop=list(declared),
        criteria=[
            {
                "id": "oracle",
                "metric": "oracle_passed",
                "at_least": min(bounds),
                "at_most": max(bounds),
            }
        ],
    )
    rule = Stopping(law.evidence.bench.stop_rules, law.criteria, BENCH.order, max_turns=4)
    stops = {("failure-certain", False), ("success-certain", True)}
    wanted = [{verdict} for name, verdict in stops if name in declared]
    for ends in product(BENCH.ends, repeat=len(BENCH.order)):
        agreed = [
            size
            for size in range(1, len(ends))
            if BENCH.verdicts(law.criteria, ends[:size]) in wanted
        ]
        stop = rule.stop(BENCH.known(ends))
        assert len(stop.counted) == (agreed[0] if agreed else len(ends))
        assert rule.stop(BENCH.known(ends[: len(stop.counted)])) == stop


def test_the_order_follows_from_the_seeds_and_the_fixtures_alone() -> None:
    order = trial_order(("b", "c", "a"), (2, 1))

    assert order == trial_order(("a", "b", "c"), (2, 1))
    assert [seed for _, seed in order] == [2, 2, 2, 1, 1, 1]
    assert order == (("b", 2), ("a", 2), ("c", 2), ("c", 1), ("b", 1), ("a", 1))
    assert order_sha256(order) != order_sha256(order[::-1])


def test_a_contract_that_never_stops_has_no_rules() -> None:
    assert Stopping.of(contract(), ("a", "b")) is None


def law_with_budget(**changes: int) -> Contract:
    return contract(**{f"config__budgets__{name}": value for name, value in changes.items()})


def test_what_was_saved_is_told_as_an_estimate_and_as_a_limit() -> None:
    results = played("+-+")
    stop = rules(*BOTH).stop(results)

    line = stop_line(stop, results, contract().config)

    assert (line.ran, line.planned, line.tokens) == (3, 6, 15)
    assert line.not_run == ORDER[3:]
    assert line.saved_at_the_mean == 15
    assert line.saved_at_most == 3 * 4 * 100
    assert dict(line.lines())["saved"] == (
        "about 15 tokens at the mean of the trials run (15 in 3), at most 1200 by the budgets"
    )


def test_a_budget_for_all_completions_of_a_trial_bounds_what_was_saved() -> None:
    results = played("+-+")
    stop = rules(*BOTH).stop(results)

    line = stop_line(stop, results, law_with_budget(max_tokens_total=150).config)

    assert line.saved_at_most == 3 * 150


def test_trials_measured_past_the_stop_are_told_and_save_nothing() -> None:
    results = played("+-+-")
    stop = rules(*BOTH).stop(results)

    line = stop_line(stop, results, contract().config)

    assert (line.not_counted, line.not_run) == (ORDER[3:4], ORDER[4:])
    assert dict(line.lines())["past stop"] == "1 trials: d seed 1: measured, not counted"
