from __future__ import annotations

import pytest

from abverify.errors import (
    AbverifyError,
    FaultsError,
    IndeterminateError,
    InvalidError,
    NothingToCheckError,
    Place,
    RefusedError,
    UntrustedError,
    UsageError,
    exit_code_of,
    raise_all,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RefusedError, 1),
        (InvalidError, 2),
        (UsageError, 2),
        (IndeterminateError, 3),
        (UntrustedError, 4),
        (NothingToCheckError, 5),
        (AbverifyError, 70),
    ],
)
def test_each_kind_of_error_has_its_documented_exit_code(
    kind: type[AbverifyError], code: int
) -> None:
    assert exit_code_of(kind("it failed", rule="AV900")) == code


def test_diagnostics_give_one_fact_a_line_and_leave_out_what_is_unknown() -> None:
    error = InvalidError(
        "duplicate key 'a'",
        rule="AV101",
        place=Place("contracts/V1_004.yaml", 3, 7),
        expected="each key once",
        next_step="remove one of them",
    )

    assert error.diagnostics() == (
        "error[AV101]: duplicate key 'a'\n"
        "  at: contracts/V1_004.yaml:3:7\n"
        "  expected: each key once\n"
        "  next: remove one of them"
    )


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("a.yaml"), "a.yaml"),
        (Place("a.yaml", 3), "a.yaml:3"),
        (Place("a.yaml", 3, 7), "a.yaml:3:7"),
        (Place("a.yaml", None, 7), "a.yaml"),
    ],
)
def test_a_place_shows_only_what_is_known_of_it(place: Place, text: str) -> None:
    assert str(place) == text


def test_a_place_given_as_text_is_a_file() -> None:
    assert InvalidError("x", rule="AV101", place="a.yaml").place == Place("a.yaml")


def test_collected_faults_are_raised_together_and_a_single_one_as_itself() -> None:
    one = InvalidError("first", rule="AV101")
    two = InvalidError("second", rule="AV102")

    raise_all([])
    with pytest.raises(InvalidError) as single:
        raise_all([one])
    with pytest.raises(FaultsError) as several:
        raise_all([one, two])

    assert single.value is one
    assert several.value.errors == (one, two)
    assert str(several.value) == "2 faults; the first: first"
    assert several.value.diagnostics() == "error[AV101]: first\nerror[AV102]: second"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ([InvalidError("i", rule="AV101"), UntrustedError("u", rule="AV401")], 4),
        ([RefusedError("r", rule="AV403"), InvalidError("i", rule="AV101")], 2),
        ([RefusedError("r", rule="AV403"), IndeterminateError("d", rule="AV003")], 3),
        ([NothingToCheckError("n", rule="AV004"), RefusedError("r", rule="AV403")], 1),
        ([NothingToCheckError("n", rule="AV004")], 5),
    ],
)
def test_a_group_of_faults_exits_with_its_gravest_member(
    members: list[AbverifyError], code: int
) -> None:
    assert exit_code_of(FaultsError(tuple(members))) == code


def test_a_group_without_a_fault_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one error"):
        FaultsError(())


def test_a_value_cannot_forge_a_line_of_its_own() -> None:
    error = UsageError("no gate", rule="AV110", found="x\nerror[AV000]: all is well")

    assert error.diagnostics().splitlines() == [
        "error[AV110]: no gate",
        "  found: x\\nerror[AV000]: all is well",
    ]
