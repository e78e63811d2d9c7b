"""The shipped corpus is exact, covers every code, and is itself in order."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from abverify.toolcalls import (
    CalibrationCase,
    calibration_cases,
    code_catalogue,
    run_calibration,
)

PACKAGE = Path(__file__).parents[2] / "abverify" / "toolcalls"
CASES = calibration_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_parses_to_exactly_its_calls_verdict_and_codes(case: CalibrationCase) -> None:
    found = case.parsed()
    assert [call.as_json() for call in found.calls] == list(case.calls)
    assert found.verdict == case.verdict
    assert found.codes == case.codes


def test_calibration_checks_every_case_and_is_exact() -> None:
    result = run_calibration()
    assert (result.checked, result.total) == (len(CASES), len(CASES))
    assert result.exact


def test_the_corpus_has_at_least_150_distinct_completions() -> None:
    assert len({case.raw for case in CASES}) >= 150


def test_case_ids_are_unique_and_every_case_says_why() -> None:
    assert [n for n, count in Counter(case.id for case in CASES).items() if count > 1] == []
    assert [case.id for case in CASES if not case.reason.strip()] == []


def test_every_code_is_exercised_by_a_case() -> None:
    exercised = {code for case in CASES for code in case.codes or ()}
    assert sorted(code_catalogue().keys() - exercised) == []


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    pattern = re.compile(
        r"(?:Malformed|Refusal|repair|note|mend|Note)\(\s*(?:f?\")([a-z]+(?:-[a-z]+)+)\""
    )
    used = {
        code for path in PACKAGE.glob("*.py") for code in pattern.findall(path.read_text("utf-8"))
    }
    assert len(used) > 50
    assert sorted(used - code_catalogue().keys()) == []


def test_no_case_emits_a_code_outside_the_catalogue() -> None:
    emitted = {code for case in CASES for code in case.parsed().codes}
    assert sorted(emitted - code_catalogue().keys()) == []


def test_a_refused_or_empty_case_expects_no_calls_and_the_others_some() -> None:
    for case in CASES:
        assert bool(case.calls) == (case.verdict in ("native", "recovered")), case.id
