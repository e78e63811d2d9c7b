"""Fixtures that load and still would measure badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.verify.lint_fixtures import lint_categories, lint_fixture, lint_fixture_budget
from tests.builders import contract
from tests.unit.bench.tasks import task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.model.report import Reason

SAYS = {"expect": "Ran 2 tests"}


def place(*path: object) -> str:
    return ".".join(map(str, path))


def shown(reasons: Iterable[Reason]) -> list[tuple[str, str, str | None, str | None]]:
    return [(r.rule, r.severity, r.place, r.found) for r in reasons]


def test_a_fixture_that_says_all_it_should_has_no_finding() -> None:
    assert list(lint_fixture(task(command=SAYS), place=place)) == []


def test_a_prompt_that_names_no_file_is_told() -> None:
    vague = task(command=SAYS, prompt="Mend the function.")

    (reason,) = lint_fixture(vague, place=place)

    assert shown([reason]) == [("AV154", "warning", "prompt", "none")]
    assert reason.expected == "one of head.py, test_head.py"


def test_tests_that_only_exit_are_told_and_compliance_checks_are_not() -> None:
    oracle = [
        {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest"]},
        {"id": "compiles", "kind": "compliance", "run": ["python3", "-m", "compileall", "."]},
    ]

    assert shown(lint_fixture(task(oracle=oracle), place=place)) == [
        ("AV155", "warning", "oracle.0", "no expect")
    ]


@pytest.mark.parametrize(("seconds", "faulty"), [(240, False), (241, True)])
def test_an_oracle_must_fit_into_the_trial_of_the_contract(seconds: int, *, faulty: bool) -> None:
    fixture = task(limits={"seconds": seconds})

    found = shown(lint_fixture_budget(fixture, contract(), place=place))

    assert found == ([("AV156", "error", "limits.seconds", "241")] if faulty else [])


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["oo__01-a", "oo__02-b", "unix__01-c", "unix__02-d"], []),
        ([], []),
        (["oo__01-a", "oo__03-b"], [("AV157", "warning", "corpora/x", "01, 03")]),
        (["oo__02-a"], [("AV157", "warning", "corpora/x", "02")]),
        (["oo__01-a", "oo__01-b"], [("AV157", "error", "corpora/x", "01, 01")]),
        (
            ["oo__01-a", "oo__02-b", "unix__01-c"],
            [("AV157", "warning", "corpora/x", "oo 2, unix 1")],
        ),
    ],
    ids=["even", "empty", "a gap", "no first", "one number twice", "uneven"],
)
def test_numbers_run_on_and_categories_are_equal(
    ids: list[str], found: list[tuple[str, str, str, str]]
) -> None:
    assert shown(lint_categories(ids, place="corpora/x")) == found
