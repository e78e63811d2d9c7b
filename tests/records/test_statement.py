"""Statements: six kinds, exactly the fields that are declared, one spelling of each."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from abverify._canonical import canonical_bytes, canonical_digest
from abverify.errors import UntrustedError
from abverify.records.bodies import BODIES
from abverify.records.statement import PREDICATE_TYPES, parse_statement
from tests.records.simulator import V4, milestone, payload_of


def _one_of_each() -> dict[str, dict[str, Any]]:
    simulator = milestone()
    simulator.non_discharge(V4)
    simulator.retract(V4, "gates/serve/V1_005/000002.discharge.dsse.json")
    return {path.split(".")[1]: payload_of(data) for path, data in simulator.files.items()}


EXAMPLES = _one_of_each()


def _refused(statement: dict[str, Any]) -> str:
    with pytest.raises(UntrustedError) as caught:
        parse_statement(canonical_bytes(statement), name="record")
    return caught.value.rule


def _edited(kind: str, path: str, value: Any) -> dict[str, Any]:
    """A copy of an example in which the field at a dotted path has another value."""
    statement = copy.deepcopy(EXAMPLES[kind])
    *parents, last = path.split(".")
    target: Any = statement
    for part in parents:
        target = target[int(part)] if part.isdigit() else target[part]
    target[last] = value
    return statement


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(BODIES)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_kind_reads_back_to_the_same_bytes(kind: str) -> None:
    data = canonical_bytes(EXAMPLES[kind])
    statement = parse_statement(data, name="record")
    assert statement.kind == kind
    assert statement.to_bytes() == data


def test_each_kind_has_its_own_predicate_type() -> None:
    assert PREDICATE_TYPES["non-discharge"] == "https://abverify.dev/record/non-discharge/v1"
    assert len(set(PREDICATE_TYPES.values())) == 6


def test_the_statement_is_plain_in_toto_with_one_subject() -> None:
    discharge = EXAMPLES["discharge"]
    assert sorted(discharge) == ["_type", "predicate", "predicateType", "subject"]
    assert discharge["_type"] == "https://in-toto.io/Statement/v1"
    assert [subject["name"] for subject in discharge["subject"]] == [
        "contracts/_versions/serve/V1_005/1.0.0.yaml"
    ]


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_key_is_ascii_lower_camel_case(kind: str) -> None:
    def keys(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [*value, *(key for item in value.values() for key in keys(item))]
        return [key for item in value for key in keys(item)] if isinstance(value, list) else []

    found = keys(EXAMPLES[kind]["predicate"])
    assert found
    assert all(key.isalnum() and key.isascii() and key[0].islower() for key in found)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_a_body_is_not_accepted_under_the_predicate_type_of_another_kind(kind: str) -> None:
    for other in set(BODIES) - {kind}:
        assert _refused(_edited(kind, "predicateType", PREDICATE_TYPES[other])) == "AV407"


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_field_is_required(kind: str) -> None:
    for name in EXAMPLES[kind]["predicate"]:
        statement = copy.deepcopy(EXAMPLES[kind])
        del statement["predicate"][name]
        assert _refused(statement) == "AV407", name


@pytest.mark.parametrize("kind", sorted(BODIES))
@pytest.mark.parametrize("where", ["predicate.extra", "predicate.gate.extra", "extra"])
def test_an_unknown_field_is_refused(kind: str, where: str) -> None:
    assert _refused(_edited(kind, where, None)) == "AV407"


def test_the_python_name_of_a_field_is_not_accepted_for_its_json_name() -> None:
    statement = copy.deepcopy(EXAMPLES["discharge"])
    predicate = statement["predicate"]
    predicate["stop_rule"] = predicate.pop("stopRule")
    assert _refused(statement) == "AV407"


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("lift", "_type", "https://in-toto.io/Statement/v0.1"),
        ("lift", "predicateType", "https://example.com/other/v1"),
        ("lift", "subject", []),
        ("lift", "predicate.basis", {"treeSize": 1, "rootHash": "0" * 64}),
        ("lift", "predicate.gate.seq", 0),
        ("lift", "predicate.gate.seq", "3"),
        ("lift", "predicate.gate.seq", True),
        ("lift", "predicate.gate.id", "V1_004"),
        ("lift", "predicate.gate.id", "serve/../V1_004"),
        ("lift", "predicate.gate.contractVersion", "1.0"),
        ("lift", "predicate.gate.prior.sha256", "A" * 64),
        ("lift", "predicate.issuedAt", "2026-01-01T00:00:00+00:00"),
        ("lift", "predicate.issuedAt", "2026-02-30T00:00:00Z"),
        ("lift", "predicate.ledger.origin", "a b"),
        ("lift", "predicate.milestone", "M 280"),
        ("lift", "predicate.satisfiedBy", []),
        ("lift", "subject.0.name", "/etc/passwd"),
        ("lift", "subject.0.name", "contracts/../secret"),
        ("lift", "subject.0.digest", {"sha512": "0" * 128}),
        ("suspension", "predicate.scope", None),
        ("suspension", "predicate.liftWhen", {"anyOf": []}),
        ("suspension", "predicate.liftWhen", {}),
        ("suspension", "predicate.liftWhen", None),
        ("discharge", "predicate.verdict", "not-met"),
        ("discharge", "predicate.verdict", "cannot-evaluate"),
        ("discharge", "predicate.validUntil", None),
        ("discharge", "predicate.checked", 21),
        ("discharge", "predicate.evidenceRoot", "0" * 64),
        ("discharge", "predicate.evidence.0.manifestSha256", "0" * 64),
        ("discharge", "predicate.evidence", []),
        ("discharge", "predicate.criteria", []),
        ("discharge", "predicate.criteria.0.observed", 1),
        ("discharge", "predicate.criteria.0.observed", "about 1"),
        ("discharge", "predicate.model.identity", "trusted"),
        ("non-discharge", "predicate.verdict", "met"),
        ("amendment", "predicate.supersedes", {"gate": "serve/V1_004"}),
        ("amendment", "predicate.changeClass", "C8"),
        ("amendment", "predicate.pins", {"../x": "0" * 64}),
        ("retraction", "predicate.cause", "regret"),
    ],
)
def test_a_value_outside_its_range_is_refused(kind: str, path: str, value: Any) -> None:
    assert _refused(_edited(kind, path, value)) == "AV407"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("e\u0301", id="not in normal form C"),
        pytest.param("safe\u202egnihton", id="bidirectional override"),
        pytest.param("zero\u200bwidth", id="zero-width space"),
        pytest.param("two\nlines", id="line break"),
        pytest.param("\u2028", id="line separator"),
        pytest.param("bell\x07", id="control character"),
        pytest.param(" padded ", id="white space at the ends"),
        pytest.param("", id="empty"),
        pytest.param("x" * 2001, id="2001 characters"),
    ],
)
def test_a_reason_that_a_reader_cannot_see_whole_is_refused(text: str) -> None:
    assert _refused(_edited("lift", "predicate.reason", text)) == "AV407"


def test_a_reason_in_any_script_is_accepted() -> None:
    data = canonical_bytes(_edited("lift", "predicate.reason", "genügt · 十分 · كافٍ"))
    assert parse_statement(data, name="r").common.reason == "genügt · 十分 · كافٍ"


def test_two_subjects_are_refused() -> None:
    statement = copy.deepcopy(EXAMPLES["lift"])
    statement["subject"] *= 2
    assert _refused(statement) == "AV407"


def test_the_same_evidence_twice_is_refused() -> None:
    statement = copy.deepcopy(EXAMPLES["discharge"])
    evidence = statement["predicate"]["evidence"]
    evidence *= 2
    statement["predicate"]["evidenceRoot"] = canonical_digest(evidence)
    assert _refused(statement) == "AV407"


def test_the_evidence_root_is_the_digest_of_the_evidence_sorted_by_path() -> None:
    statement = copy.deepcopy(EXAMPLES["discharge"])
    predicate = statement["predicate"]
    first = predicate["evidence"][0]
    later = {**first, "path": "gates/z"}
    predicate["evidence"] = [later, first]
    predicate["evidenceRoot"] = canonical_digest([first, later])
    parse_statement(canonical_bytes(statement), name="record")


@pytest.mark.parametrize(
    "text",
    [
        b'{"_type":"a","_type":"b"}',
        b'{"predicate":{"checked":1.0}}',
        b'{"predicate":{"checked":1e400}}',
        b'{"predicate":{"checked":9007199254740993}}',
        b'{"reason":"\\ud800"}',
        b'{"reason":"\\u0041"}',
        b"[]",
        b"null",
    ],
)
def test_bytes_that_are_no_canonical_statement_are_refused(text: bytes) -> None:
    with pytest.raises(UntrustedError) as caught:
        parse_statement(text, name="record")
    assert caught.value.rule in ("AV401", "AV407")
    assert json.dumps(caught.value.diagnostics())
