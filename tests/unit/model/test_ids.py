from __future__ import annotations

import pytest

from abverify.errors import UsageError, exit_code_of
from abverify.model.ids import GateId, resolve

QWEN = GateId("qwen3-moe-serve-dispatch", "V1_004")
LAPTOP = GateId("laptop-replica", "V1_004")
SMALL = GateId("laptop-replica", "S1_004")
KNOWN = [QWEN, LAPTOP, SMALL]


def test_a_qualified_id_reads_and_writes_as_itself() -> None:
    gate = GateId.parse("laptop-replica/S1_004")

    assert (gate.namespace, gate.name, str(gate)) == (
        "laptop-replica",
        "S1_004",
        "laptop-replica/S1_004",
    )


@pytest.mark.parametrize(
    "text",
    ["", "V1_004", "/V1_004", "ns/", "a/b/c", "NS/V1", "ns/V 1", "../x", "ns/..", "ns/V1\n", "n/é"],
)
def test_other_shapes_are_no_qualified_id(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        GateId.parse(text)

    assert (refusal.value.rule, refusal.value.found) == ("AV110", text)


def test_a_unique_short_name_is_enough_and_a_full_one_always_works() -> None:
    assert resolve("S1_004", KNOWN) == SMALL
    assert resolve("laptop-replica/V1_004", KNOWN) == LAPTOP


def test_an_ambiguous_name_is_refused_with_every_candidate() -> None:
    with pytest.raises(UsageError) as refusal:
        resolve("V1_004", KNOWN)

    assert exit_code_of(refusal.value) == 2
    assert refusal.value.diagnostics() == (
        "error[AV111]: 'V1_004' is ambiguous: 2 gates have that name\n"
        "  expected: one of: laptop-replica/V1_004, qwen3-moe-serve-dispatch/V1_004\n"
        "  found: V1_004\n"
        "  next: name it in full, for example: abverify check laptop-replica/V1_004"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S1_04", "did you mean S1_004 or V1_004?"),
        ("laptop-replca/S1_004", "did you mean laptop-replica/S1_004 or laptop-replica/V1_004?"),
        (
            "???",
            "one of: laptop-replica/S1_004, laptop-replica/V1_004, qwen3-moe-serve-dispatch/V1_004",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_what_may_have_been_meant(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as refusal:
        resolve(text, KNOWN)

    assert (exit_code_of(refusal.value), refusal.value.rule) == (2, "AV110")
    assert refusal.value.message == f"no gate is called {text!r}"
    assert refusal.value.expected == expected
    assert refusal.value.next_step == "abverify status lists the gates"


def test_names_are_case_sensitive() -> None:
    with pytest.raises(UsageError):
        resolve("s1_004", KNOWN)


def test_gates_are_ordered_by_namespace_then_name() -> None:
    assert sorted(KNOWN) == [SMALL, LAPTOP, QWEN]
