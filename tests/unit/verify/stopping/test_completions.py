"""The verdict of a stopped bench is the one that each of its completions gives: all are listed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.model.contract import Contract
from abverify.model.metrics import METRICS
from abverify.verify.stopping.completions import Completions
from tests.builders import contract_document
from tests.unit.verify.stopping.benches import Bench, End, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.model.criteria import Criterion

PASSES: tuple[End, ...] = (
    (("prose",), True, False),
    (("prose",), True, True),
    (("prose",), False, False),
)
"""What passing metrics can tell apart: passed, passed after a failure, failed."""
KINDS: tuple[End, ...] = tuple(
    ((kind,), False, False) for kind in ("native", "recovered", "markdown", "prose")
)
"""What metrics of first calls can tell apart."""
TURNS: tuple[End, ...] = (
    ((), False, False),
    (("prose",), False, False),
    (("native",), False, False),
    (("prose", "prose"), False, False),
    (("prose", "native"), False, False),
    (("native", "prose"), False, False),
    (("native", "native"), False, False),
)
"""Every trial of at most two turns, each with a call or without."""
MIXED: tuple[End, ...] = (
    (("native",), True, False),
    (("prose", "recovered"), True, True),
    (("markdown", "prose"), False, False),
    (("prose",), False, False),
)
"""Ends that move several metrics at once."""

COUNTS = st.integers(0, 4)
SHARES = st.sampled_from(["0", "0.25", "0.3", "0.5", "0.6", "0.75", "1"])
MEANS = st.sampled_from(["1", "1.2", "1.5", "1.75", "2"])
RATES = ("student_pass_rate", "recovery_rate")
FIRST_CALLS = ("native_call_rate", "recovered_call_rate", "markdown_edit_rate")


def comparisons(metrics: Sequence[str], numbers: st.SearchStrategy[Any]) -> Any:
    """Comparisons of one of these metrics, from below, from above, or both."""

    def bounded(metric: str, pair: tuple[Any, Any], sides: tuple[str, ...]) -> dict[str, Any]:
        low, high = sorted(pair, key=float)
        bounds = {"at_least": low, "at_most": high}
        return {"metric": metric, **{side: bounds[side] for side in sides}}

    sides = st.sampled_from([("at_least",), ("at_most",), ("at_least", "at_most")])
    return st.builds(bounded, st.sampled_from(metrics), st.tuples(numbers, numbers), sides)


def nested(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Criteria of such comparisons: one to three, alone or within all_of and any_of."""
    groups = st.builds(
        lambda word, members: {word: members},
        st.sampled_from(["all_of", "any_of"]),
        st.lists(leaf, min_size=1, max_size=3),
    )
    return st.lists(st.one_of(leaf, groups), min_size=1, max_size=3)


FIRST_CALL_TURNS = comparisons(("turns_to_first_call",), MEANS)
SURVIVAL = comparisons(("format_survival",), SHARES)
PASSING = st.one_of(
    comparisons(("oracle_passed", "infrastructure_failures"), COUNTS), comparisons(RATES, SHARES)
)
CALLING = comparisons(FIRST_CALLS, SHARES)


def criteria_of(document: list[dict[str, Any]]) -> tuple[Criterion, ...]:
    """The criteria of a contract that has these, each under an id of its own."""
    number = 0

    def named(item: dict[str, Any]) -> dict[str, Any]:
        nonlocal number
        for word in ("all_of", "any_of"):
            if word in item:
                return {word: [named(member) for member in item[word]]}
        number += 1
        return {"id": f"c{number}", **item}

    whole = contract_document(criteria=[named(item) for item in document])
    return Contract.model_validate_json(json.dumps(whole)).criteria


def same(bench: Bench, document: list[dict[str, Any]], *, max_turns: int, longest: int) -> None:
    """After every prefix both ways of finding the verdicts of its completions agree."""
    criteria = criteria_of(document)
    for prefix in bench.prefixes(longest):
        found = Completions.of(bench.order, bench.known(prefix), max_turns=max_turns)
        assert found.verdicts(criteria) == bench.verdicts(criteria, prefix), (prefix, document)


ONE_SEED = (("a", 1), ("b", 1), ("c", 1), ("d", 1))
TWO_SEEDS = (("a", 1), ("b", 1), ("a", 2), ("b", 2))
PASSING_BENCHES = {"one seed": Bench(ONE_SEED, PASSES), "two seeds": Bench(TWO_SEEDS, PASSES)}
CALLING_BENCH = Bench(ONE_SEED[:3], KINDS)
MIXED_BENCH = Bench(ONE_SEED[:3], MIXED)
TURNS_BENCH = Bench(ONE_SEED[:3], TURNS)


@pytest.mark.parametrize("name", PASSING_BENCHES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(document=nested(PASSING))
def test_criteria_on_passes_have_the_verdicts_that_listing_every_completion_finds(
    name: str, document: list[dict[str, Any]]
) -> None:
    same(PASSING_BENCHES[name], document, max_turns=4, longest=3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(document=nested(CALLING))
def test_criteria_on_first_calls_have_the_verdicts_that_listing_every_completion_finds(
    document: list[dict[str, Any]],
) -> None:
    same(CALLING_BENCH, document, max_turns=4, longest=3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(document=st.one_of(nested(FIRST_CALL_TURNS), nested(SURVIVAL)))
def test_criteria_on_turns_have_the_verdicts_that_listing_every_completion_finds(
    document: list[dict[str, Any]],
) -> None:
    same(TURNS_BENCH, document, max_turns=2, longest=2)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(document=nested(st.one_of(PASSING, CALLING, FIRST_CALL_TURNS, SURVIVAL)))
def test_mixed_criteria_are_never_called_certain_while_completions_differ(
    document: list[dict[str, Any]],
) -> None:
    criteria = criteria_of(document)
    for prefix in MIXED_BENCH.prefixes(2):
        found = Completions.of(MIXED_BENCH.order, MIXED_BENCH.known(prefix), max_turns=2)
        assert found.verdicts(criteria) >= MIXED_BENCH.verdicts(criteria, prefix)


@pytest.mark.parametrize("bench", [*PASSING_BENCHES.values(), CALLING_BENCH, TURNS_BENCH])
def test_the_bounds_of_a_metric_are_the_least_and_the_most_of_all_completions(
    bench: Bench,
) -> None:
    metrics = _METRICS_OF[bench.ends]
    for prefix in bench.prefixes(2):
        found = Completions.of(bench.order, bench.known(prefix), max_turns=2)
        for metric in metrics:
            values = [
                value
                for ends, measures in bench.measures.items()
                if ends[: len(prefix)] == prefix and (value := measures[metric].value) is not None
            ]
            assert found.bounds(metric) == (min(values), max(values)), (metric, prefix)


_METRICS_OF = {
    PASSES: ("oracle_passed", "student_pass_rate", "recovery_rate", "infrastructure_failures"),
    KINDS: FIRST_CALLS,
    TURNS: ("turns_to_first_call", "format_survival", "native_call_rate"),
}


def test_a_mean_of_nothing_has_no_bounds_and_every_registered_metric_has_some() -> None:
    order = (("a", 1),)
    silent = {order[0]: result(order[0], (("prose",), False, False))}

    none_left = Completions.of(order, silent, max_turns=2)
    all_open = Completions.of(order, {}, max_turns=2)

    assert none_left.bounds("turns_to_first_call") is None
    assert set(all_open.all_bounds(METRICS)) == set(METRICS)
    assert all_open.all_bounds(["turns_to_first_call", "oracle_passed"]) == {
        "turns_to_first_call": ("1", "2"),
        "oracle_passed": ("0", "1"),
    }


def test_what_one_of_two_always_gives_is_certain_before_the_first_trial() -> None:
    either = {"metric": "oracle_passed", "at_least": 2}, {"metric": "oracle_passed", "at_most": 1}
    (criterion,) = criteria_of([{"any_of": list(either)}])

    assert Completions.of(ONE_SEED, {}, max_turns=2).certain(criterion) is True


def test_two_shares_of_one_whole_cannot_both_be_large() -> None:
    members = [
        {"metric": "native_call_rate", "at_least": "0.6"},
        {"metric": "markdown_edit_rate", "at_least": "0.6"},
    ]

    assert Completions.of(ONE_SEED, {}, max_turns=2).verdicts(criteria_of(members)) == {False}
