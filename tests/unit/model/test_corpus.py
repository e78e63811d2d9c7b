from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from abverify.model.corpus import Corpus, Fixture, FixtureSpec
from tests.builders import REMOVED, changed

DOCUMENT = {
    "schema": "abverify/fixture/v1",
    "id": "unix__01-head",
    "title": "Keep the first lines",
    "language": "python",
    "prompt": "Mend head.py.",
    "oracle": [{"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest"]}],
    "protected": ["test_head.py"],
}


def spec(**changes: Any) -> FixtureSpec:
    return FixtureSpec.model_validate_json(json.dumps(changed(DOCUMENT, **changes)))


def fixture(**changes: Any) -> Fixture:
    return Fixture(
        spec(**changes),
        workspace={"head.py": b"start", "test_head.py": b"tests", "notes.md": b""},
        solution={"head.py": b"right"},
        broken={"head.py": b"wrong"},
        sha256="0" * 64,
    )


def test_a_fixture_has_bounded_limits_unless_it_states_its_own() -> None:
    limits = spec().limits

    assert (limits.seconds, limits.memory_mb, limits.processes, limits.output_kb) == (
        60,
        2048,
        128,
        256,
    )


def test_deliverables_are_the_unprotected_start_files_and_the_declared_globs() -> None:
    assert fixture(deliverables=["src/**"]).deliverables == ("head.py", "notes.md", "src/**")


def test_each_calibration_state_lays_its_files_over_the_start_state() -> None:
    one = fixture()

    assert {name: one.state(name)["head.py"] for name in ("reference", "untouched", "broken")} == {
        "reference": b"right",
        "untouched": b"start",
        "broken": b"wrong",
    }
    assert one.state("reference")["test_head.py"] == b"tests"


def test_a_corpus_finds_its_fixtures_by_id() -> None:
    corpus = Corpus("fixtures/corpora/one", "0" * 64, (fixture(),))

    assert corpus.fixture("unix__01-head") == fixture()
    assert corpus.fixture("unix__02-tail") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "Head"}, "should match pattern"),
        ({"id": "unix__1-head"}, "should match pattern"),
        ({"language": "cobol"}, "'python' or 'rust'"),
        ({"oracle": []}, "at least 1 item"),
        ({"protected": []}, "at least 1 item"),
        ({"protected": ["../x"]}, "expected a relative path"),
        ({"limits": {"seconds": 0}}, "greater than or equal to 1"),
        ({"prompt": ""}, "at least 1 character"),
        ({"schema": REMOVED}, "Field required"),
    ],
    ids=repr,
)
def test_a_fixture_that_could_not_be_run_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec(**changes)


def test_an_oracle_needs_tests_and_commands_with_names_of_their_own() -> None:
    (tests,) = DOCUMENT["oracle"]
    assert isinstance(tests, dict)

    with pytest.raises(ValidationError, match="two oracle commands share an id"):
        spec(oracle=[tests, tests])
    with pytest.raises(ValidationError, match="the oracle has no command of kind tests"):
        spec(oracle=[{**tests, "kind": "compliance"}])
