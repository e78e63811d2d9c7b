"""Decisions read as a pattern: the usual ones, the same facts, and nothing that `SHAPE` refuses."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes, canonical_digest
from abverify.records.spelling import Spelling, facts_of
from abverify.records.statement import SHAPE, SPELLING, Common, Subject
from tests.records.simulator import V4, milestone, payload_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.records.bodies import Kind

KINDS: tuple[Kind, ...] = ("discharge", "non-discharge")


def _examples() -> dict[Kind, dict[str, Any]]:
    simulator = milestone()
    simulator.non_discharge(V4)
    statements = {path.split(".")[1]: payload_of(d) for path, d in simulator.files.items()}
    return {kind: statements[kind] for kind in KINDS}


EXAMPLES = _examples()
BUNDLE = EXAMPLES["discharge"]["predicate"]["evidence"][0]


def _edited(kind: Kind, path: str, value: Any) -> dict[str, Any]:
    """A decision in which one field is another, and its evidence root is right again."""
    statement = copy.deepcopy(EXAMPLES[kind])
    *parents, last = path.split(".")
    target: Any = statement
    for part in parents:
        target = target[int(part)] if part.isdigit() else target[part]
    target[int(last) if last.isdigit() else last] = value
    predicate = statement["predicate"]
    if path == "predicate.evidence":
        ordered = sorted(value, key=lambda item: str(item["path"]))
        predicate["evidenceRoot"] = canonical_digest(ordered)
    return statement


def _agree(kind: Kind, payload: bytes) -> bool:
    """Whether a payload is read; if so, `SHAPE` must read the same in it."""
    facts = SPELLING.read(kind, payload)
    if facts is None:
        return False
    shape = SHAPE.read(payload)
    assert shape is not None, payload
    assert (shape[0], facts_of(shape[1])) == (kind, facts)
    return True


def _places(value: Any, path: str = "") -> Iterator[str]:
    if path:
        yield path
    items: Any = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from _places(item, f"{path}.{key}".lstrip("."))


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_as_benches_produce_it_is_read(kind: Kind) -> None:
    assert _agree(kind, canonical_bytes(EXAMPLES[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_is_not_read_as_the_other_kind(kind: Kind) -> None:
    other = KINDS[1 - KINDS.index(kind)]
    assert SPELLING.read(other, canonical_bytes(EXAMPLES[kind])) is None


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_can_be_another_one_that_only_the_pattern_takes(kind: Kind) -> None:
    payload = canonical_bytes(EXAMPLES[kind])
    read = sum(
        _agree(kind, payload[:at] + bytes([byte ^ mask]) + payload[at + 1 :])
        for at, byte in enumerate(payload)
        for mask in (0x01, 0x02, 0x10, 0x20, 0x80)
    )
    assert 0 < read < len(payload)


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_can_be_taken_away_or_added(kind: Kind) -> None:
    payload = canonical_bytes(EXAMPLES[kind])
    for at in range(len(payload) + 1):
        for added in (b"", b" ", b"0", b'"', b",", b"\n"):
            _agree(kind, payload[:at] + added + payload[at + (not added) :])


STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 2**53 - 1, 10**15, "", " ", "x ", "\x7f", "é", "e\u0301", "\\",
    "a" * 80, "a" * 81, "a" * 241, "a" * 2001, "a/b", "../a", "con", "a/COM1.x", "a.", "/a", "0",
    "00", "-0", "1/3", "1.", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z", "2026-12-31T23:59:60Z", "2026-12-31T24:00:00Z",
    "0000-01-01T00:00:00Z", "f" * 64, "F" * 64, "bench/x", "1.2.3", "01.2.3", [], {}, [{}],
)  # fmt: skip
"""Values that a field may hold or not; whatever it is, the two readers must not differ."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_can_hold_what_only_the_pattern_takes(kind: Kind) -> None:
    for place in _places(EXAMPLES[kind]):
        for value in STRANGE:
            statement = _edited(kind, place, [] if place == "predicate.evidence" else value)
            _agree(kind, canonical_bytes(statement))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("predicate.issuedAt", "2026-12-31T23:59:59Z"),
        ("predicate.milestone", None),
        ("predicate.gate.prior", None),
        ("predicate.basis.size", 0),
        ("predicate.model.adapterSha256", "a" * 64),
        ("predicate.reason", "a" * 2000),
        ("predicate.evidence", [BUNDLE, {**BUNDLE, "path": "gates/other"}]),
        ("predicate.evidence", [{**BUNDLE, "path": "gates/z"}, {**BUNDLE, "path": "gates/a"}]),
    ],
)
def test_what_is_usual_is_read(path: str, value: Any) -> None:
    assert _agree("discharge", canonical_bytes(_edited("discharge", path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("predicate.evidence", [BUNDLE, BUNDLE]),
        ("predicate.evidenceRoot", "a" * 64),
        ("predicate.checked", 10**6),
        ("predicate.reason", "a" * 2001),
        ("predicate.verdict", "not-met"),
        ("subject.0.name", "con/a"),
    ],
)
def test_what_contradicts_itself_is_not_read(path: str, value: Any) -> None:
    assert not _agree("discharge", canonical_bytes(_edited("discharge", path, value)))


def test_a_leap_day_is_left_to_the_other_reader() -> None:
    payload = canonical_bytes(_edited("discharge", "predicate.issuedAt", "2024-02-29T00:00:00Z"))
    assert SPELLING.read("discharge", payload) is None
    assert SHAPE.read(payload) is not None


def test_records_that_are_no_decisions_are_left_to_the_other_reader() -> None:
    assert Spelling(Common, Subject).read("lift", b"{}") is None
