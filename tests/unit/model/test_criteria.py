from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from abverify.model.criteria import Criterion, comparisons
from abverify.model.metrics import METRICS
from tests.builders import contract


def criteria(*documents: Any) -> tuple[Criterion, ...]:
    return contract(criteria=list(documents)).criteria


def comparison(metric: str = "oracle_passed", **bounds: Any) -> dict[str, Any]:
    return {"id": "c", "metric": metric, **bounds}


@pytest.mark.parametrize(
    ("metric", "bounds"),
    [
        ("oracle_passed", {"at_least": 1}),
        ("oracle_passed", {"at_most": 20}),
        ("oracle_passed", {"at_least": "3"}),
        ("oracle_passed", {"at_least": "3.0"}),
        ("student_pass_rate", {"at_least": "0.85"}),
        ("student_pass_rate", {"at_least": 0, "at_most": 1}),
        ("turns_to_first_call", {"at_most": "2.5"}),
        ("turns_to_first_call", {"at_most": 7}),
    ],
)
def test_a_bound_within_the_metrics_domain_is_accepted(metric: str, bounds: Any) -> None:
    assert len(criteria(comparison(metric, **bounds))) == 1


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (comparison("accuracy", at_least=1), "unknown metric; one of: format_survival,"),
        (comparison(), "a criterion needs at_least or at_most"),
        (comparison(at_least=None), "a criterion needs at_least or at_most"),
        (comparison(at_least=-1), "no metric is ever below 0"),
        (comparison(at_most="-0.5"), "no metric is ever below 0"),
        (comparison(at_least="0.5"), "oracle_passed is a count: give a whole number"),
        (
            comparison("student_pass_rate", at_least="1.1"),
            "student_pass_rate is a rate: give a number from 0 to 1",
        ),
        (
            comparison("student_pass_rate", at_most=2),
            "student_pass_rate is a rate: give a number from 0 to 1",
        ),
        (comparison(at_least=1, at_most=0), "at_least is above at_most: nothing could ever hold"),
        (comparison(at_least="1e3"), 'expected a quoted decimal such as "0.3"'),
        (comparison(at_least=0.5), "Input should be a valid"),
        (comparison(at_least=True), "Input should be a valid"),
        ({"all_of": []}, "at least 1 item"),
        ({"any_of": []}, "at least 1 item"),
        ({"all_of": [comparison(at_least=1)], "any_of": []}, "Extra inputs are not permitted"),
        ({"all_of": [comparison(at_least=1)], "id": "c"}, "Extra inputs are not permitted"),
        (comparison(at_least=1, exactly=1), "Extra inputs are not permitted"),
        ({"metric": "oracle_passed", "at_least": 1}, "Field required"),
        (comparison(at_least=1) | {"id": "no blanks"}, "should match pattern"),
        ("oracle_passed >= 1", "should be an object"),
    ],
)
def test_what_could_not_decide_is_refused(document: Any, message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        criteria(document)

    assert message in str(refusal.value)


def test_errors_speak_of_the_shape_used_and_of_no_other() -> None:
    with pytest.raises(ValidationError) as refusal:
        criteria({"all_of": [{"any_of": [comparison(at_least=-1)]}]})

    assert refusal.value.errors()[0]["loc"] == (
        *("criteria", 0, "all_of"),
        *("all_of", 0, "any_of"),
        *("any_of", 0, "comparison"),
    )
    assert "Field required" not in str(refusal.value)


def test_comparisons_come_in_document_order_through_every_level() -> None:
    nested = {
        "any_of": [
            {
                "all_of": [
                    comparison(at_least=1) | {"id": "a"},
                    comparison(at_least=2) | {"id": "b"},
                ]
            },
            comparison(at_least=3) | {"id": "c"},
        ]
    }

    found = comparisons(criteria(nested, comparison(at_most=9) | {"id": "d"}))

    assert [item.id for item in found] == ["a", "b", "c", "d"]


def test_each_metric_has_one_definition_a_domain_and_a_denominator() -> None:
    assert list(METRICS) == [
        "oracle_passed",
        "student_pass_rate",
        "native_call_rate",
        "recovered_call_rate",
        "markdown_edit_rate",
        "turns_to_first_call",
        "format_survival",
        "recovery_rate",
        "infrastructure_failures",
    ]
    assert all(name == metric.name for name, metric in METRICS.items())
    assert all(metric.definition and metric.denominator for metric in METRICS.values())
