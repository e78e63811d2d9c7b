"""Implication between criteria agrees with trying every small scoreboard."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from abverify.model.criteria import AllOf, AnyOf, Comparison, Criterion
from abverify.verify.amendment.implication import accepts, counterexample, relate
from abverify.verify.evaluate import compare, kleene_all, kleene_any

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY: TypeAdapter[tuple[Criterion, ...]] = TypeAdapter(tuple[Criterion, ...])


def parsed(*items: Any) -> tuple[Criterion, ...]:
    """Criteria as a document writes them."""
    return MANY.validate_json(json.dumps(items))


Board = dict[str, Fraction | None]

VALUES: dict[str, tuple[Fraction | None, ...]] = {
    "oracle_passed": tuple(map(Fraction, range(6))),
    "native_call_rate": tuple(Fraction(n, 8) for n in range(9)),
    "turns_to_first_call": (None, *(Fraction(n, 2) for n in range(2, 11))),
}
"""Every value that small bounds can tell apart, and one between each two of them."""
BOARDS: tuple[Board, ...] = tuple(
    dict(zip(VALUES, values, strict=True)) for values in itertools.product(*VALUES.values())
)


def brute(criteria: tuple[Criterion, ...], board: Mapping[str, Fraction | None]) -> bool:
    """The criteria's own meaning, in Kleene's logic, read straight off."""

    def value(criterion: Criterion) -> bool | None:
        match criterion:
            case Comparison():
                return compare(criterion, board[criterion.metric])
            case AllOf():
                return kleene_all(map(value, criterion.all_of))
            case AnyOf():
                return kleene_any(map(value, criterion.any_of))

    return kleene_all(map(value, criteria)) is True


def bounds(metric: str) -> st.SearchStrategy[Any]:
    if metric == "oracle_passed":
        return st.integers(0, 4)
    if metric == "native_call_rate":
        return st.sampled_from(["0", "0.25", "0.5", "0.75", "1"])
    return st.sampled_from(["0", "1", "2", "3", "4"])


@st.composite
def comparison(draw: st.DrawFn) -> dict[str, Any]:
    metric = draw(st.sampled_from(sorted(VALUES)))
    low, high = sorted(draw(st.tuples(bounds(metric), bounds(metric))), key=Fraction)
    kind = draw(st.sampled_from(["at_least", "at_most", "both"]))
    stated = {"at_least": low} if kind != "at_most" else {}
    stated |= {"at_most": high} if kind != "at_least" else {}
    return {"id": "c", "metric": metric, **stated}


CRITERION = st.recursive(
    comparison(),
    lambda inner: st.tuples(
        st.sampled_from(["all_of", "any_of"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=5,
)
CRITERIA = st.lists(CRITERION, min_size=1, max_size=3).map(lambda items: parsed(*items))


@settings(max_examples=300)
@given(CRITERIA, CRITERIA)
def test_the_relation_is_that_of_all_small_scoreboards(
    old: tuple[Criterion, ...], new: tuple[Criterion, ...]
) -> None:
    before = [brute(old, board) for board in BOARDS]
    after = [brute(new, board) for board in BOARDS]
    lost = any(b and not a for b, a in zip(before, after, strict=True))
    gained = any(a and not b for b, a in zip(before, after, strict=True))
    expected = {
        (False, False): "equivalent",
        (True, False): "tighter",
        (False, True): "looser",
        (True, True): "incomparable",
    }[lost, gained]
    found = relate(old, new)
    assert (found.relation, found.satisfiable) == (expected, any(after))


@given(CRITERIA, CRITERIA)
def test_a_witness_is_one(old: tuple[Criterion, ...], new: tuple[Criterion, ...]) -> None:
    found = relate(old, new)
    everywhere = dict.fromkeys(VALUES, Fraction(1))
    for witness, yes, no in ((found.newly_failing, old, new), (found.newly_passing, new, old)):
        if witness is not None:
            board = {**everywhere, **witness}
            assert brute(yes, board)
            assert accepts(yes, board)
            assert not brute(no, board)
            assert not accepts(no, board)


@given(CRITERIA)
def test_nothing_differs_from_itself(criteria: tuple[Criterion, ...]) -> None:
    assert relate(criteria, criteria).relation == "equivalent"


@given(CRITERIA, CRITERIA)
def test_the_relation_turns_round_with_its_sides(
    old: tuple[Criterion, ...], new: tuple[Criterion, ...]
) -> None:
    turned = {"tighter": "looser", "looser": "tighter"}
    relation = relate(old, new).relation
    assert relate(new, old).relation == turned.get(relation, relation)


class TestLimits:
    """What the corpus's size makes impossible."""

    more = parsed({"id": "a", "metric": "oracle_passed", "at_least": 25})

    def test_a_bound_above_the_corpus_can_never_be_met(self) -> None:
        limits = {"oracle_passed": 20}
        assert not relate(self.more, self.more, limits).satisfiable
        assert relate(self.more, self.more).satisfiable

    def test_bounds_at_the_corpus_size_are_told_apart(self) -> None:
        all_but_one = parsed({"id": "a", "metric": "oracle_passed", "at_least": 19})
        every = parsed({"id": "a", "metric": "oracle_passed", "at_least": 20})
        assert relate(all_but_one, every, {"oracle_passed": 20}).relation == "tighter"


@pytest.mark.parametrize("branches", [8, 16])
def test_many_branches_are_decided(branches: int) -> None:
    """The search prunes: it does not try every combination of what the bounds tell apart."""
    metrics = ["oracle_passed", "native_call_rate", "turns_to_first_call", "recovery_rate"]
    wide = [
        {
            "any_of": [
                {"id": f"c{branch}", "metric": metric, "at_least": "1" if "rate" in metric else 2}
                for metric in metrics
            ]
        }
        for branch in range(branches)
    ]
    criteria = parsed(*wide)
    assert relate(criteria, criteria).relation == "equivalent"
    assert counterexample(criteria, None, {}) is not None
