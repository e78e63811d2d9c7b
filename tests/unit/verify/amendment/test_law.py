"""What may follow what: frozen fields, one kind at a time, another gate, the right version."""

from __future__ import annotations

from typing import Any

import pytest

from abverify.verify.amendment.changes import changes_between
from abverify.verify.amendment.law import next_versions, unlawful
from tests.builders import changed, contract_document
from tests.unit.verify.amendment.test_changes import metric, side

LOOSER = {"criteria": [metric("oracle_passed", at_least=0)]}
TIGHTER = {"criteria": [metric("oracle_passed", at_least=2)]}


def rules(
    after: dict[str, Any], *, before: dict[str, Any] | None = None, retarget: bool = False
) -> list[str]:
    """The rules that a change breaks."""
    document = contract_document(**(before or {}))
    old, new = side(document), side(changed(document, **after))
    return [r.rule for r in unlawful(old, new, changes_between(old, new), retarget=retarget)]


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        ({"title": "x", "version": "1.0.1"}, []),
        ({"title": "x", "version": "1.1.0"}, []),
        ({"title": "x", "version": "2.0.0"}, []),
        ({"title": "x", "version": "1.0.0"}, ["AV714"]),
        ({"title": "x", "version": "1.0.2"}, ["AV714"]),
        ({"title": "x", "version": "0.9.9"}, ["AV714"]),
        ({"title": "x", "version": "3.0.0"}, ["AV714"]),
        ({**TIGHTER, "version": "1.0.1"}, ["AV714"]),
        ({**TIGHTER, "version": "1.1.0"}, []),
        ({**LOOSER, "version": "1.1.0"}, ["AV714"]),
        ({**LOOSER, "version": "2.0.0"}, []),
        ({**LOOSER, "version": "2.1.0"}, ["AV714"]),
        ({"version": "1.0.1"}, ["AV714"]),
        ({}, []),
    ],
    ids=str,
)
def test_the_version_takes_exactly_the_step_that_the_change_needs(
    after: dict[str, Any], broken: list[str]
) -> None:
    assert rules(after) == broken


class TestOneKindAtATime:
    def test_two_kinds_at_once_must_be_split(self) -> None:
        after = {**LOOSER, "config__sampling__top_k": 1, "version": "2.0.0"}
        assert rules(after) == ["AV711"]

    def test_words_and_tightening_go_with_anything(self) -> None:
        after = {**TIGHTER, "title": "x", "config__sampling__top_k": 1, "version": "2.0.0"}
        assert rules(after) == []

    def test_the_law_never_changes_with_what_it_judges(self) -> None:
        governed = {"amendment__approvals": 2, "version": "2.0.0"}
        assert rules(governed) == []
        assert rules({**governed, "title": "x"}) == []
        assert rules({**governed, **TIGHTER}) == ["AV711"]


class TestRetargeting:
    after = {"model__name": "Tiny-Coder", "version": "2.0.0"}  # noqa: RUF012 (never changed)

    def test_another_model_is_another_gate(self) -> None:
        assert rules(self.after) == ["AV712"]

    def test_a_policy_may_allow_it(self) -> None:
        assert rules(self.after, retarget=True) == []

    def test_a_gate_that_succeeds_it_may_differ_in_anything(self) -> None:
        successor = {"id": "laptop/T1_009", "supersedes": "laptop/T1_001", **self.after, **LOOSER}
        document = contract_document()
        assert document["id"] == successor["supersedes"]
        assert rules({**successor, "version": "1.0.0"}) == []

    def test_another_id_without_succession_is_a_breach(self) -> None:
        assert rules({"id": "laptop/T1_009", "version": "2.0.0"}) == ["AV710"]


class TestCriteria:
    def test_criteria_that_contradict_each_other_are_refused(self) -> None:
        never = [
            metric("oracle_passed", id="a", at_least=1),
            metric("oracle_passed", id="b", at_most=0),
        ]
        assert rules({"criteria": never, "version": "2.0.0"}) == ["AV713"]

    def test_a_threshold_above_the_corpus_is_refused(self) -> None:
        document = contract_document()
        old = side(document)
        more = changed(document, criteria=[metric("oracle_passed", at_least=3)], version="1.1.0")
        for fixtures, broken in (({"a": "1", "b": "2"}, ["AV713"]), (None, [])):
            new = side(more, fixtures=fixtures)
            assert [r.rule for r in unlawful(old, new, changes_between(old, new))] == broken


@pytest.mark.parametrize(
    ("version", "bump", "allowed"),
    [
        ("1.2.3", "patch", ("1.2.4", "1.3.0", "2.0.0")),
        ("1.2.3", "minor", ("1.3.0", "2.0.0")),
        ("1.2.3", "major", ("2.0.0",)),
        ("0.9.9", "major", ("1.0.0",)),
    ],
)
def test_one_step_of_the_kind_needed_or_greater(
    version: str, bump: Any, allowed: tuple[str, ...]
) -> None:
    assert next_versions(version, bump) == allowed
