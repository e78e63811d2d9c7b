from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from abverify.evidence.scores import Measure
from abverify.model.criteria import Comparison, Criterion
from abverify.verify.evaluate import (
    bound_text,
    compare,
    criterion_lines,
    holds,
    kleene_all,
    kleene_any,
    unobserved_lines,
)
from tests.builders import contract

T, U, F = True, None, False


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, T, T),
        (T, U, U, T),
        (T, F, F, T),
        (U, T, U, T),
        (U, U, U, U),
        (U, F, F, U),
        (F, T, F, T),
        (F, U, F, U),
        (F, F, F, F),
    ],
)
def test_three_valued_logic(
    *, left: bool | None, right: bool | None, both: bool | None, either: bool | None
) -> None:
    assert kleene_all([left, right]) is both
    assert kleene_any([left, right]) is either


def criteria(*documents: dict[str, Any]) -> tuple[Criterion, ...]:
    return contract(criteria=list(documents)).criteria


def comparison(**bounds: int | str) -> Comparison:
    (criterion,) = criteria({"id": "c", "metric": "student_pass_rate", **bounds})
    assert isinstance(criterion, Comparison)
    return criterion


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ({"at_least": "0.85"}, Fraction(17, 20), True),
        ({"at_least": "0.85"}, Fraction(16, 20), False),
        ({"at_most": "0.1"}, Fraction(1, 10), True),
        ({"at_most": "0.1"}, Fraction(2, 10), False),
        ({"at_least": "0.2", "at_most": "0.4"}, Fraction(1, 3), True),
        ({"at_least": "0.2", "at_most": "0.4"}, Fraction(1, 2), False),
        ({"at_least": "0.2", "at_most": "0.4"}, Fraction(1, 10), False),
        ({"at_least": 0}, None, None),
    ],
)
def test_bounds_hold_exactly_at_their_number(
    bounds: dict[str, Any], value: Fraction | None, *, expected: bool | None
) -> None:
    assert compare(comparison(**bounds), value) is expected


def test_a_third_is_not_rounded() -> None:
    assert compare(comparison(at_least="0.3333333333333333333334"), Fraction(1, 3)) is False
    assert compare(comparison(at_least="0.3333333333333333333333"), Fraction(1, 3)) is True


MEASURES = {
    "oracle_passed": Measure("oracle_passed", 3, 20),
    "student_pass_rate": Measure("student_pass_rate", 3, 20),
    "turns_to_first_call": Measure("turns_to_first_call", 0, 0),
}
MET = {"id": "met", "metric": "oracle_passed", "at_least": 3}
MISSED = {"id": "missed", "metric": "oracle_passed", "at_least": 4}
UNKNOWN = {"id": "unknown", "metric": "turns_to_first_call", "at_most": 2}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (MET, True),
        (MISSED, False),
        (UNKNOWN, None),
        ({"all_of": [MET, UNKNOWN]}, None),
        ({"all_of": [MISSED, UNKNOWN]}, False),
        ({"any_of": [MET, UNKNOWN]}, True),
        ({"any_of": [MISSED, UNKNOWN]}, None),
        ({"any_of": [{"all_of": [MET]}, MISSED]}, True),
    ],
)
def test_a_criterion_holds_does_not_or_cannot_be_said(
    document: dict[str, Any], *, expected: bool | None
) -> None:
    (criterion,) = criteria(document)

    assert holds(criterion, MEASURES) is expected


def test_each_comparison_has_its_line_in_document_order() -> None:
    lines = criterion_lines(criteria({"all_of": [MET, {"any_of": [UNKNOWN]}]}, MISSED), MEASURES)

    assert [(line.id, line.expected, line.observed, line.holds) for line in lines] == [
        ("met", ">= 3", "3", True),
        ("unknown", "<= 2", None, None),
        ("missed", ">= 4", "3", False),
    ]
    assert (lines[0].numerator, lines[0].denominator) == (3, 20)


def test_a_count_carries_the_interval_of_its_share_and_a_mean_carries_none() -> None:
    met, unknown = criterion_lines(criteria(MET, UNKNOWN), MEASURES)

    assert met.interval == ("0.0321", "0.3789")
    assert unknown.interval is None


def test_without_evidence_every_line_is_unobserved() -> None:
    (line,) = unobserved_lines(criteria(MET))

    assert (line.expected, line.observed, line.numerator, line.denominator, line.holds) == (
        ">= 3",
        None,
        0,
        0,
        None,
    )


def test_bounds_read_as_they_are_meant() -> None:
    assert bound_text(comparison(at_least="0.2", at_most=1)) == ">= 0.2 and <= 1"
